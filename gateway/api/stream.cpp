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

// The lines of a request body, each an event.
class LineSource final : public ItemSource {
 public:
  LineSource(http::BodyReader body, const intake::EventParser& parser)
      : body_(std::move(body)), parser_(parser) {}

  void read(std::function<void(ItemChunk)> done) override {
    body_.read(
        [this, done = std::move(done)](const http::BodyChunk& bytes) { done(items_of(bytes)); });
  }

 private:
  ItemChunk items_of(const http::BodyChunk& bytes) {
    ItemChunk chunk;
    if (bytes.state == http::BodyChunk::State::aborted) {
      chunk.state = ItemChunk::State::aborted;
      return chunk;
    }
    const auto line = [this, &chunk](std::string_view text, bool too_long) {
      intake::Item& item = chunk.group().events.emplace_back();
      if (too_long) {
        item.parsed = line_too_long();
      } else {
        item.parsed = parser_.parse(text);
      }
    };
    cutter_.feed(bytes.bytes, line);
    if (bytes.state == http::BodyChunk::State::end) {
      cutter_.finish(line);
      chunk.state = ItemChunk::State::end;
    }
    return chunk;
  }

  http::BodyReader body_;
  const intake::EventParser& parser_;
  LineCutter cutter_;
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
  const std::string applied = preferences.applied();
  if (!applied.empty()) headers.push_back({"preference-applied", applied});
  http::ResponseWriter writer = reply->stream(200, std::move(headers));
  std::make_shared<ItemStream>(streams_, caller, preferences, std::move(reply), std::move(ticket),
                               std::move(source), std::move(writer))
      ->start();
}

}  // namespace flora::api
