// Lines on stderr, as an operator's log collector reads them.
#include "gateway/base/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/json.h"

using namespace flora;

namespace {

// Stderr as a pipe that nobody reads until the test does.
class CapturedStderr {
 public:
  CapturedStderr() : saved_(::dup(STDERR_FILENO)) {
    REQUIRE(::pipe2(pipe_, O_CLOEXEC) == 0);
    ::dup2(pipe_[1], STDERR_FILENO);
    ::close(pipe_[1]);
  }
  ~CapturedStderr() {
    restore();
    ::close(pipe_[0]);
  }

  // Begins to read, in a thread.
  void read() {
    reader_ = std::thread([this] {
      char buffer[65536];
      for (ssize_t n = 0; (n = ::read(pipe_[0], buffer, sizeof buffer)) > 0;) {
        text_.append(buffer, static_cast<std::size_t>(n));
      }
    });
  }

  // The lines until now; stderr is what it was before.
  std::vector<std::string> lines() {
    restore();
    if (!reader_.joinable()) read();
    reader_.join();
    std::vector<std::string> out;
    while (!text_.empty()) {
      const std::size_t end = text_.find('\n');
      REQUIRE(end != text_.npos);
      out.push_back(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
    return out;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    saved_ = -1;
  }

  int saved_;
  int pipe_[2] = {-1, -1};
  std::string text_;
  std::thread reader_;
};

std::int64_t number_in(const std::string& line, std::string_view name) {
  json::Document document;
  REQUIRE(document.parse(line));
  const auto value = document.root().find(name);
  return value ? value->integer() : -1;
}

std::string text_in(const std::string& line, std::string_view name) {
  json::Document document;
  REQUIRE(document.parse(line));
  const auto value = document.root().find(name);
  REQUIRE(value.has_value());
  return std::string(value->string());
}

const std::string kLong(400, 'x');

void write_numbered(std::int64_t from, std::int64_t to) {
  for (std::int64_t i = from; i < to; ++i) {
    log::write(log::Level::info, "numbered", {{"number", i}, {"text", std::string_view(kLong)}});
  }
}

}  // namespace

TEST_CASE("a line is one JSON object with time, level, event and its fields") {
  CapturedStderr captured;
  log::write(log::Level::warning, "a \"quoted\" event",
             {{"number", std::int64_t{-7}}, {"text", std::string_view("two\nlines")}});
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(text_in(lines[0], "level") == "warning");
  CHECK(text_in(lines[0], "event") == "a \"quoted\" event");
  CHECK(text_in(lines[0], "text") == "two\nlines");
  CHECK(number_in(lines[0], "number") == -7);
  const std::string time = text_in(lines[0], "time");
  CHECK(time.size() == std::string_view("2026-11-26T08:15:30.123Z").size());
  CHECK(time.back() == 'Z');
}

TEST_CASE("lines below the level are not written") {
  CapturedStderr captured;
  log::set_level(log::Level::warning);
  CHECK_FALSE(log::is_on(log::Level::info));
  log::write(log::Level::info, "not told");
  log::write(log::Level::error, "told");
  log::set_level(log::Level::info);
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(text_in(lines[0], "event") == "told");
}

TEST_CASE("each level is found by its name") {
  CHECK(log::level_of("debug") == log::Level::debug);
  CHECK(log::level_of("info") == log::Level::info);
  CHECK(log::level_of("warning") == log::Level::warning);
  CHECK(log::level_of("error") == log::Level::error);
  CHECK_FALSE(log::level_of("INFO").has_value());
}

TEST_CASE("lines of many threads come whole, those of one thread in order") {
  constexpr std::int64_t kEach = 300;
  CapturedStderr captured;
  captured.read();
  {
    const log::Background background;
    std::vector<std::thread> threads;
    for (std::int64_t t = 0; t < 4; ++t) {
      threads.emplace_back([t] { write_numbered(t * kEach, (t + 1) * kEach); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<std::int64_t> next = {0, kEach, 2 * kEach, 3 * kEach};
  for (const std::string& line : captured.lines()) {
    const std::int64_t number = number_in(line, "number");
    REQUIRE(number >= 0);
    CHECK(next[static_cast<std::size_t>(number / kEach)]++ == number);
  }
  CHECK(next == std::vector<std::int64_t>{kEach, 2 * kEach, 3 * kEach, 4 * kEach});
}

TEST_CASE("a stalled stderr holds nobody up; what gives way is counted, and told when it flows") {
  constexpr std::int64_t kMany = 5000;
  CapturedStderr captured;
  std::uint64_t dropped = 0;
  {
    const log::Background background(64);
    write_numbered(0, kMany);  // Much more than pipe and queue hold, and nobody reads.
    dropped = log::dropped();
    captured.read();
  }
  CHECK(dropped > 0);
  std::int64_t told = 0;
  std::int64_t written = 0;
  std::int64_t last = -1;
  for (const std::string& line : captured.lines()) {
    if (text_in(line, "event") == "log lines were dropped") {
      told += number_in(line, "lines");
      continue;
    }
    ++written;
    CHECK(number_in(line, "number") > last);
    last = number_in(line, "number");
  }
  CHECK(told == static_cast<std::int64_t>(dropped));
  CHECK(written + told == kMany);
  CHECK(last == kMany - 1);
}

TEST_CASE("a stderr that stays stalled does not keep the process from ending") {
  CapturedStderr captured;
  {
    const log::Background background(64);
    write_numbered(0, 5000);
    log::flush();
  }
  CHECK_FALSE(captured.lines().empty());
}

TEST_CASE("a stderr that nobody reads any more is no reason to stop") {
  std::signal(SIGPIPE, SIG_IGN);
  const int saved = ::dup(STDERR_FILENO);
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  ::dup2(pipe[1], STDERR_FILENO);
  ::close(pipe[0]);
  ::close(pipe[1]);
  {
    const log::Background background;
    write_numbered(0, 100);
  }
  write_numbered(0, 1);
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
}

TEST_CASE("what was written before flush() is out behind it") {
  CapturedStderr captured;
  const log::Background background;
  write_numbered(0, 20);
  log::flush();
  CHECK(captured.lines().size() == 20);
}
