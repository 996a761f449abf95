// POST /v1/status-events as a stream (NDJSON): any number of events in bounded memory, answered
// line by line in the same order while the request is still being read.
#include "gateway/api/api.h"
#include "gateway/api/item_stream.h"

namespace flora::api {
namespace {

constexpr std::size_t kLineBytes = 64 * 1024;

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

Problem line_too_long() {
  Problem problem{"content-too-large", "A line of a stream holds at most 65536 bytes.", {}};
  return problem;
}

// Cuts a stream of bytes into lines. A line that is too long is reported once and skipped.
class LineCutter {
 public:
  // Takes the bytes up to the first line feed and calls use(line, too_long) for the line that it
  // completes. Returns what comes behind it.
  template <typename Use>
  std::string_view feed(std::string_view bytes, Use use) {
    const std::size_t end = bytes.find('\n');
    append(bytes.substr(0, end));
    if (end == bytes.npos) return {};
    finish(use);
    return bytes.substr(end + 1);
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

// The lines of a request body, each an event. Bytes wait as they came: an event that is read takes
// many times the memory of a short line.
class LineSource final : public ItemSource {
 public:
  LineSource(http::BodyReader body, const intake::EventParser& parser)
      : body_(std::move(body)), parser_(parser) {}

  void read(std::function<void(ItemChunk)> done) override {
    if (!rest_.empty()) return done(next_items());
    body_.read([this, done = std::move(done)](http::BodyChunk bytes) {
      state_ = bytes.state;
      bytes_ = std::move(bytes.bytes);
      rest_ = bytes_;
      done(next_items());
    });
  }

 private:
  // A group of them at most.
  ItemChunk next_items() {
    ItemChunk chunk;
    if (state_ == http::BodyChunk::State::aborted) {
      chunk.state = ItemChunk::State::aborted;
      return chunk;
    }
    std::size_t items = 0;
    const auto line = [this, &chunk, &items](std::string_view text, bool too_long) {
      ++items;
      intake::Item& item = chunk.group().events.emplace_back();
      if (too_long) {
        item.parsed = line_too_long();
      } else {
        item.parsed = parser_.parse(text);
      }
    };
    while (!rest_.empty() && items < ItemGroup::kMost) rest_ = cutter_.feed(rest_, line);
    if (rest_.empty() && state_ == http::BodyChunk::State::end) {
      cutter_.finish(line);
      chunk.state = ItemChunk::State::end;
    }
    return chunk;
  }

  http::BodyReader body_;
  const intake::EventParser& parser_;
  LineCutter cutter_;
  std::string bytes_;
  std::string_view rest_;  // Of bytes_.
  http::BodyChunk::State state_ = http::BodyChunk::State::more;
};

}  // namespace

void Api::submit_stream(Call call, http::BodyReader body, Reply reply) {
  if (call.head.find("idempotency-key")) {
    return reply->send(problem_response({"idempotency-key-not-allowed", {}, {}}));
  }
  answer_by_lines(*call.caller, preferences_of(call.head),
                  std::make_unique<LineSource>(std::move(body), *parts_.parser), std::move(reply));
}

void Api::answer_by_lines(const policy::Caller& caller, const Preferences& preferences,
                          std::unique_ptr<ItemSource> source, Reply reply) {
  auto ticket = throttle_.open_stream(caller);
  if (ticket == nullptr) return reply->send(throttle_.too_many_streams());
  std::vector<http::Header> headers = {{"content-type", "application/x-ndjson"},
                                       {"cache-control", "no-store"}};
  const std::string applied = preferences.applied(parts_.forwarder->heeds_patience());
  if (!applied.empty()) headers.push_back({"preference-applied", applied});
  http::ResponseWriter writer = reply->stream(200, std::move(headers));
  std::make_shared<ItemStream>(streams_, caller, preferences, std::move(reply), std::move(ticket),
                               std::move(source), std::move(writer))
      ->start();
}

}  // namespace flora::api
