// An environment for tests: a clock that the test moves, and random bytes that repeat from run to
// run. Files are those of the system.
#pragma once

#include <atomic>
#include <mutex>

#include "gateway/base/env.h"

namespace flora {

class FakeEnv final : public Env {
 public:
  explicit FakeEnv(std::int64_t now_ms = 1'793'690'130'123) : now_ms_(now_ms) {}

  std::int64_t now_ms() override { return now_ms_; }
  std::int64_t steady_ns() override { return now_ms_ * 1'000'000; }
  void set_now_ms(std::int64_t ms) { now_ms_ = ms; }
  void advance_ms(std::int64_t ms) { now_ms_ += ms; }
  /// Other random bytes than those of the other environments of a test.
  void set_seed(std::uint64_t seed) { state_ = seed; }

  void random(std::span<std::byte> out) override {
    const std::lock_guard lock(mutex_);
    for (std::byte& b : out) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      b = static_cast<std::byte>(state_ >> 56);
    }
  }

  Result<std::string> read_file(const std::string& path, std::size_t max_bytes) override {
    return Env::system().read_file(path, max_bytes);
  }
  Result<void> replace_file(const std::string& path, std::string_view bytes,
                            unsigned mode) override {
    return Env::system().replace_file(path, bytes, mode);
  }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::mutex mutex_;
  std::uint64_t state_ = 42;
};

}  // namespace flora
