#include "gateway/api/message_reader.h"

#include <memory>
#include <utility>

namespace flora::api {
namespace {

// After the grace a body must have come at this rate on average: 64 MiB take 17 minutes at most.
constexpr std::int64_t kGraceNs = 60'000'000'000;
constexpr std::int64_t kLeastBytesPerSecond = 64 << 10;

class Reader : public std::enable_shared_from_this<Reader> {
 public:
  using Done = std::function<void(std::variant<MessageBuffer, Problem>)>;

  Reader(http::BodyReader body, MessageBuffer buffer, Env& env, Done done)
      : done_(std::move(done)),
        env_(env),
        begin_ns_(env.steady_ns()),
        body_(std::move(body)),
        buffer_(std::move(buffer)) {}

  void read() {
    body_.read([self = shared_from_this()](const http::BodyChunk& chunk) { self->take(chunk); });
  }

 private:
  void take(const http::BodyChunk& chunk) {
    if (chunk.state == http::BodyChunk::State::aborted) return;
    switch (buffer_.append(chunk.bytes)) {
      case MessageBuffer::Append::done:
        break;
      case MessageBuffer::Append::too_long:
        return done_(
            Problem{"content-too-large", "The adapter takes no message of this size.", {}});
      case MessageBuffer::Append::no_memory:
        return done_(Problem{"temporary-reduced-capacity", {}, {}});
    }
    if (chunk.state == http::BodyChunk::State::end) {
      buffer_.trim();
      return done_(std::move(buffer_));
    }
    if (is_too_slow()) return done_(Problem{"request-timeout", {}, {}});
    read();
  }

  bool is_too_slow() const {
    const std::int64_t elapsed = env_.steady_ns() - begin_ns_;
    const auto bytes = static_cast<std::int64_t>(buffer_.text().size());
    return elapsed > kGraceNs && bytes < elapsed / 1'000'000'000 * kLeastBytesPerSecond;
  }

  const Done done_;  // Goes after the buffer: it may keep alive what the buffer belongs to.
  Env& env_;
  const std::int64_t begin_ns_;
  http::BodyReader body_;
  MessageBuffer buffer_;
};

}  // namespace

void read_message(http::BodyReader body, MessageBuffer buffer, Env& env,
                  std::function<void(std::variant<MessageBuffer, Problem>)> done) {
  std::make_shared<Reader>(std::move(body), std::move(buffer), env, std::move(done))->read();
}

}  // namespace flora::api
