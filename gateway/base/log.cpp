#include "gateway/base/log.h"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/base/env.h"
#include "gateway/base/json.h"

namespace flora::log {
namespace {

using Seconds = std::chrono::seconds;

// POSIX: a pipe that poll() calls writable takes so many bytes at once (PIPE_BUF).
constexpr std::size_t kPiece = 4096;
constexpr std::size_t kBatch = 16 * kPiece;
constexpr int kPollMs = 50;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "unknown";
}

// The date and time up to the second, which changes rarely.
const std::string& second_text(std::time_t second) {
  thread_local std::time_t last = -1;
  thread_local std::string text;
  if (second == last) return text;
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  char buffer[40];
  text.assign(buffer, std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%S", &parts));
  last = second;
  return text;
}

void append_time(std::string& out, std::int64_t ms) {
  out += second_text(static_cast<std::time_t>(ms / 1000));
  const auto rest = static_cast<int>(ms % 1000);
  const char digits[] = {'.', static_cast<char>('0' + rest / 100),
                         static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10), 'Z'};
  out.append(digits, sizeof digits);
}

// Without its line feed.
void append_line(std::string& out, Level level, std::string_view event,
                 std::span<const Field> fields) {
  out += "{\"time\":\"";
  append_time(out, Env::system().now_ms());
  out += "\",\"level\":\"";
  out += name_of(level);
  out += "\",\"event\":";
  json::append_string(out, event);
  for (const Field& field : fields) {
    out += ',';
    json::append_string(out, field.name);
    out += ':';
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      out += std::to_string(*number);
    } else {
      json::append_string(out, std::get<std::string_view>(field.value));
    }
  }
  out += '}';
}

// Writes lines to stderr. A log that cannot be written is no reason to stop.
class Stderr {
 public:
  // In one piece, so that lines of several processes and threads do not mix.
  static void write_blocking(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(STDERR_FILENO, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // Waits for room before each piece, so that the thread is never caught in write(). A piece is
  // whole lines, unless one is longer.
  void write(std::string_view bytes) {
    while (!bytes.empty() && wait_for_room()) {
      std::string_view piece = bytes.substr(0, kPiece);
      piece = piece.substr(0, piece.find_last_of('\n') + 1);
      if (piece.empty()) piece = bytes.substr(0, kPiece);
      const ssize_t n = ::write(STDERR_FILENO, piece.data(), piece.size());
      if (n < 0 && errno != EINTR && errno != EAGAIN) return;
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // From now on a stalled stderr is waited for so long in all.
  void end_within(Seconds wait) {
    give_up_ns_ = Env::system().steady_ns() + std::chrono::nanoseconds(wait).count();
  }

 private:
  bool wait_for_room() const {
    while (true) {
      const std::int64_t end = give_up_ns_;
      const bool over = end != 0 && Env::system().steady_ns() >= end;
      pollfd poll{STDERR_FILENO, POLLOUT, 0};
      if (::poll(&poll, 1, over ? 0 : kPollMs) > 0) return true;
      if (over) return false;
    }
  }

  std::atomic<std::int64_t> give_up_ns_{0};  // 0: never.
};

// The end of the queue, called by spdlog's thread only.
class Sink final : public spdlog::sinks::sink {
 public:
  explicit Sink(spdlog::details::thread_pool& queue) : queue_(queue) {}

  // Lines are joined while others wait behind them.
  void log(const spdlog::details::log_msg& message) override {
    tell_dropped();
    batch_.append(message.payload.data(), message.payload.size());
    batch_ += '\n';
    if (queue_.queue_size() == 0 || batch_.size() >= kBatch) write_batch();
  }

  void flush() override {
    write_batch();
    const std::lock_guard lock(mutex_);
    ++flushes_;
    flushed_.notify_all();
  }

  // Any thread. `ask` makes the queue call flush() behind what is in it now.
  template <typename Ask>
  void wait_for_flush(Ask ask, Seconds most) {
    std::unique_lock lock(mutex_);
    const std::uint64_t before = flushes_;
    lock.unlock();
    ask();
    lock.lock();
    flushed_.wait_for(lock, most, [this, before] { return flushes_ > before; });
  }

  // After spdlog's thread has ended.
  void write_batch() {
    stderr_.write(batch_);
    batch_.clear();
  }

  Stderr& out() { return stderr_; }

  void set_pattern(const std::string&) override {}  // A line is complete as it comes.
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  void tell_dropped() {
    const std::uint64_t dropped = queue_.overrun_counter();
    if (dropped == told_) return;
    const Field field{"lines", static_cast<std::int64_t>(dropped - told_)};
    append_line(batch_, Level::warning, "log lines were dropped", {&field, 1});
    batch_ += '\n';
    told_ = dropped;
  }

  spdlog::details::thread_pool& queue_;
  Stderr stderr_;
  std::string batch_;
  std::uint64_t told_ = 0;
  std::mutex mutex_;
  std::condition_variable flushed_;
  std::uint64_t flushes_ = 0;
};

// Queue, its thread and what stands behind it.
struct Pipeline {
  explicit Pipeline(std::size_t lines)
      : queue(std::make_shared<spdlog::details::thread_pool>(lines, 1)),
        sink(std::make_shared<Sink>(*queue)),
        logger(std::make_shared<spdlog::async_logger>(
            "flora", sink, queue, spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_level(spdlog::level::trace);
  }

  // Ends the thread when all that is queued was written or given up.
  ~Pipeline() {
    sink->out().end_within(Background::kLastWait);
    queue.reset();
    sink->write_batch();
  }

  std::shared_ptr<spdlog::details::thread_pool> queue;
  std::shared_ptr<Sink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
};

std::atomic<Level> minimum{Level::info};
std::atomic<Pipeline*> background{nullptr};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::off;
}

}  // namespace

void set_level(Level level) { minimum = level; }

bool is_on(Level level) { return level >= minimum.load(std::memory_order_relaxed); }

std::optional<Level> level_of(std::string_view name) {
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    if (name == name_of(level)) return level;
  }
  return std::nullopt;
}

void write(Level level, std::string_view event, std::span<const Field> fields) {
  if (!is_on(level)) return;
  thread_local std::string line;
  line.clear();
  append_line(line, level, event, fields);
  if (Pipeline* const pipeline = background) {
    pipeline->logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  } else {
    line += '\n';
    Stderr::write_blocking(line);
  }
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  write(level, event, std::span(fields.begin(), fields.size()));
}

Background::Background(std::size_t lines) { background = new Pipeline(lines); }

Background::~Background() { delete background.exchange(nullptr); }

void flush() {
  Pipeline* const pipeline = background;
  if (pipeline == nullptr) return;
  pipeline->sink->wait_for_flush([pipeline] { pipeline->logger->flush(); }, Background::kLastWait);
}

std::uint64_t dropped() {
  Pipeline* const pipeline = background;
  return pipeline == nullptr ? 0 : pipeline->queue->overrun_counter();
}

}  // namespace flora::log
