// Bounds how many log lines can be caused by who is not known to us.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace flora::api {

/// Lets some lines of each kind through in each window of time, and counts the others. Thread-safe.
class LineLimit {
 public:
  static constexpr std::uint64_t kLines = 10;
  static constexpr std::int64_t kWindowNs = 60LL * 1'000'000'000;

  explicit LineLimit(std::size_t kinds) : kinds_(kinds) {}

  /// Nothing: the line is left out. Otherwise how many of its kind were left out since the last one
  /// that was not. `kind` is below the number of kinds.
  std::optional<std::uint64_t> pass(std::size_t kind, std::int64_t now_ns) {
    const std::lock_guard lock(mutex_);
    Kind& at = kinds_[kind];
    if (at.lines == 0 || now_ns - at.begun_ns >= kWindowNs) {
      at.begun_ns = now_ns;
      at.lines = 0;
    }
    if (at.lines >= kLines) {
      ++at.left_out;
      return std::nullopt;
    }
    ++at.lines;
    const std::uint64_t left_out = at.left_out;
    at.left_out = 0;
    return left_out;
  }

 private:
  struct Kind {
    std::int64_t begun_ns = 0;
    std::uint64_t lines = 0;
    std::uint64_t left_out = 0;
  };
  std::mutex mutex_;
  std::vector<Kind> kinds_;
};

}  // namespace flora::api
