// POST /v1/status-events as a stream (NDJSON): any number of events in bounded memory, answered
// line by line in the same order while the request is still being read.
#include <algorithm>
#include <deque>

#include "gateway/api/answers.h"
#include "gateway/api/api.h"

namespace flora::api {
namespace {

constexpr std::size_t kLineBytes = 64 * 1024;
constexpr std::size_t kGroup = 256;      // Events that are submitted together.
constexpr std::size_t kUnderWay = 4096;  // Events of one stream between parser and answer.

// The same for all streams: half of what the store lets wait, so that single events find room. When
// it is used up each stream goes on with a group at a time: a stream is slowed, not refused.
constexpr std::size_t kAllUnderWay = 8192;

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

Problem line_too_long() {
  Problem problem{"content-too-large", "A line of a stream holds at most 65536 bytes.", {}};
  return problem;
}

// Cuts a stream of bytes into lines. A line that is too long is reported once and skipped.
class LineCutter {
 public:
  // Calls use(line, too_long) for each line that the bytes complete.
  template <typename Use>
  void feed(std::string_view bytes, Use use) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      append(part);
      if (end == bytes.npos) return;
      bytes.remove_prefix(end + 1);
      finish(use);
    }
  }

  // The last line needs no line feed.
  template <typename Use>
  void finish(Use use) {
    if (too_long_) {
      use(std::string_view(), true);
    } else if (!is_blank(line_)) {
      use(std::string_view(line_), false);
    }
    line_.clear();
    too_long_ = false;
  }

 private:
  void append(std::string_view part) {
    too_long_ = too_long_ || line_.size() + part.size() > kLineBytes;
    if (too_long_) {
      line_.clear();
    } else {
      line_ += part;
    }
  }

  std::string line_;
  bool too_long_ = false;
};

// One stream. Groups of events go through intake at the same time; their answers are written in
// order. Reading goes on while the window has room and the client takes its answers.
class StreamSession : public std::enable_shared_from_this<StreamSession> {
 public:
  StreamSession(const Parts& parts, Metrics& metrics, std::atomic<std::size_t>& all_under_way,
                policy::Caller caller, const Preferences& preferences, http::BodyReader body,
                Reply reply, http::ResponseWriter writer)
      : parts_(parts),
        metrics_(metrics),
        all_under_way_(all_under_way),
        caller_(std::move(caller)),
        preferences_(preferences),
        body_(std::move(body)),
        reply_(std::move(reply)),
        writer_(std::move(writer)) {}

  void start() { read(); }

 private:
  struct Group {
    std::size_t first = 0;
    std::size_t count = 0;
    std::optional<std::string> text;  // The answers, once they are there.
  };

  void read() {
    body_.read(
        [self = shared_from_this()](http::BodyChunk chunk) { self->received(std::move(chunk)); });
  }

  void received(http::BodyChunk chunk) {
    const auto line = [this](std::string_view text, bool too_long) {
      intake::Item item;
      if (too_long) {
        item.parsed = line_too_long();
      } else {
        item.parsed = parts_.parser->parse(text);
      }
      pending_.push_back(std::move(item));
      if (pending_.size() >= kGroup) submit();
    };
    const bool aborted = chunk.state == http::BodyChunk::State::aborted;
    if (!aborted) cutter_.feed(chunk.bytes, line);
    if (chunk.state == http::BodyChunk::State::end) cutter_.finish(line);
    if (!pending_.empty() && !aborted) submit();
    bool go_on = false;
    {
      const std::lock_guard lock(mutex_);
      if (aborted) gone_ = true;
      if (chunk.state == http::BodyChunk::State::end) ended_ = true;
      reading_ = may_read();
      go_on = reading_;
    }
    if (go_on) return read();
    flush();
  }

  void submit() {
    std::size_t number = 0;
    intake::Submission submission;
    submission.items = std::exchange(pending_, {});
    submission.answer_early = preferences_.answer_early();
    submission.with_receipts = !preferences_.minimal;
    {
      const std::lock_guard lock(mutex_);
      number = next_group_++;
      groups_.push_back({next_item_, submission.items.size(), std::nullopt});
      next_item_ += submission.items.size();
      under_way_ += submission.items.size();
      all_under_way_ += submission.items.size();
    }
    parts_.intake->submit(
        caller_, std::move(submission),
        [self = shared_from_this(), number](auto answers) { self->answered(number, answers); });
  }

  void answered(std::size_t number, const std::vector<intake::Answer>& answers) {
    std::size_t first = 0;
    {
      const std::lock_guard lock(mutex_);
      first = groups_[number - first_group_].first;
    }
    std::string text;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      metrics_.count_item(answers[i].status());
      JsonWriter json;
      write_item(json, first + i, answers[i], parts_.ledger->vkeys());
      text += json.take();
      text += '\n';
    }
    {
      const std::lock_guard lock(mutex_);
      groups_[number - first_group_].text = std::move(text);
    }
    flush();
  }

  // Writes what is complete at the front, and reads on where there is room.
  void flush() {
    std::string text;
    bool finished = false;
    bool go_on = false;
    {
      const std::lock_guard lock(mutex_);
      if (writable_ || gone_) {
        while (!groups_.empty() && groups_.front().text) {
          text += *groups_.front().text;
          under_way_ -= groups_.front().count;
          all_under_way_ -= groups_.front().count;
          groups_.pop_front();
          ++first_group_;
        }
      }
      if (!text.empty()) writable_ = false;
      // While a write is on its way the end waits for it.
      finished = ended_ && groups_.empty() && writable_ && !finished_;
      finished_ = finished_ || finished;
      if (!reading_ && may_read()) {
        reading_ = true;
        go_on = true;
      }
    }
    if (!text.empty()) {
      writer_.write(std::move(text),
                    [self = shared_from_this()](bool open) { self->written(open); });
    }
    if (finished) writer_.finish();
    if (go_on) read();
  }

  // With the mutex held.
  bool may_read() const {
    const bool room =
        under_way_ < kGroup || (under_way_ < kUnderWay && all_under_way_ < kAllUnderWay);
    return room && !ended_ && !gone_ && writable_;
  }

  void written(bool still_open) {
    {
      const std::lock_guard lock(mutex_);
      writable_ = still_open;
      if (!still_open) gone_ = true;
    }
    flush();
  }

  const Parts& parts_;
  Metrics& metrics_;
  std::atomic<std::size_t>& all_under_way_;
  const policy::Caller caller_;
  const Preferences preferences_;
  http::BodyReader body_;
  const Reply reply_;  // Keeps what the session works with alive.
  http::ResponseWriter writer_;

  // Used by one read at a time.
  LineCutter cutter_;
  std::vector<intake::Item> pending_;

  std::mutex mutex_;
  std::deque<Group> groups_;  // Under way, in order; the front is number first_group_.
  std::size_t first_group_ = 0;
  std::size_t next_group_ = 0;
  std::size_t next_item_ = 0;
  std::size_t under_way_ = 0;
  bool reading_ = true;   // A read is under way.
  bool writable_ = true;  // The client has taken the answers before.
  bool ended_ = false;    // The body is complete.
  bool gone_ = false;     // The client is gone.
  bool finished_ = false;
};

}  // namespace

void Api::submit_stream(http::RequestHead head, policy::Caller caller, http::BodyReader body,
                        Reply reply) {
  if (head.find("idempotency-key")) {
    return reply->send(problem_response({"idempotency-key-not-allowed", {}, {}}));
  }
  const Preferences preferences = preferences_of(head);
  std::vector<http::Header> headers = {{"content-type", "application/x-ndjson"},
                                       {"cache-control", "no-store"}};
  const std::string applied = preferences.applied();
  if (!applied.empty()) headers.push_back({"preference-applied", applied});
  http::ResponseWriter writer = reply->stream(200, std::move(headers));
  std::make_shared<StreamSession>(parts_, metrics_, streamed_, std::move(caller), preferences,
                                  std::move(body), reply, std::move(writer))
      ->start();
}

}  // namespace flora::api
