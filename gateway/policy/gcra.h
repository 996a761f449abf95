// How fast something may happen: the generic cell rate algorithm (ITU-T I.371), a token bucket in
// one number. A bucket of `burst` tokens fills by `per_second` tokens; what happens takes tokens
// out.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace flora::policy {

/// On average, and at once after a pause. Both from 1 to kMost.
struct Rate {
  static constexpr std::int64_t kMost = 1'000'000;

  std::int64_t per_second = 1;
  std::int64_t burst = 1;

  /// Nanoseconds in which one token comes, rounded up: the rate is never exceeded.
  std::int64_t interval_ns() const { return (1'000'000'000 + per_second - 1) / per_second; }
  /// Nanoseconds in which an empty bucket fills.
  std::int64_t window_ns() const { return interval_ns() * burst; }
  /// The same in whole seconds, rounded up.
  std::int64_t window_seconds() const { return (window_ns() + 999'999'999) / 1'000'000'000; }

  bool operator==(const Rate&) const = default;
};

/// One bucket, full at first. The rate comes with each call, so that it may change at any time:
/// what is owed stays owed in time. Thread-safe, one compare-and-swap for each decision. `now_ns`
/// is of a clock that does not go back; times are those of Env::steady_ns().
class Gcra {
 public:
  /// Takes `cost` tokens (at least 1) if they are there. Returns 0 if they were; else nothing is
  /// taken, and the nanoseconds until they would be there. Nothing: never, the bucket is smaller.
  std::optional<std::int64_t> take(const Rate& rate, std::int64_t now_ns, std::int64_t cost);

  /// Takes `cost` tokens, those of the future too. Returns the nanoseconds until they have come and
  /// `keep` tokens more, which are for others.
  std::int64_t reserve(const Rate& rate, std::int64_t now_ns, std::int64_t cost, std::int64_t keep);

  /// Gives back what take() took at the same rate.
  void give_back(const Rate& rate, std::int64_t cost);

  /// Whole tokens that are there.
  std::int64_t tokens(const Rate& rate, std::int64_t now_ns) const;

  /// Nanoseconds until the bucket is full.
  std::int64_t full_after_ns(std::int64_t now_ns) const;

 private:
  std::atomic<std::int64_t> full_at_ns_ = INT64_MIN;
};

}  // namespace flora::policy
