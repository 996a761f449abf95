// A collector for tests: takes spans over HTTP, and answers as it is told.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/http/server.h"

namespace flora::test {

/// A port of the system's choice on which nobody listens; connections to it are refused until a
/// TestCollector is made for it. It stays taken as long as this lives.
class ReservedPort {
 public:
  ReservedPort();
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  std::uint16_t number() const { return number_; }

 private:
  int fd_ = -1;
  std::uint16_t number_ = 0;
};

/// Thread-safe.
class TestCollector {
 public:
  explicit TestCollector(std::uint16_t port = 0);
  ~TestCollector();

  std::string endpoint() const;

  /// The next answers, in order; after them 200.
  void answer_with(std::vector<http::Response> answers);
  /// From now on requests get no answer, or again one.
  void fall_silent();
  void speak();

  /// Waits until so many requests have come, and returns their bodies.
  std::vector<std::string> wait_for_requests(std::size_t count);
  std::vector<http::RequestHead> heads();

 private:
  class Handler;
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<http::Server> server_;
};

/// Waits until `condition` is true, with a deadline.
template <typename Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace flora::test
