#include "gateway/policy/gcra.h"

#include <algorithm>
#include <limits>

namespace flora::policy {
namespace {

// Of values that are not negative; stays at the largest one.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? std::numeric_limits<std::int64_t>::max() : out;
}

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? std::numeric_limits<std::int64_t>::max() : out;
}

}  // namespace

std::optional<std::int64_t> Gcra::take(const Rate& rate, std::int64_t now_ns, std::int64_t cost) {
  if (cost > rate.burst) return std::nullopt;
  const std::int64_t added = product(rate.interval_ns(), cost);
  std::int64_t full_at = full_at_ns_.load(std::memory_order_relaxed);
  while (true) {
    const std::int64_t next = sum(std::max(full_at, now_ns), added);
    const std::int64_t wait = next - now_ns - rate.window_ns();
    if (wait > 0) return wait;
    if (full_at_ns_.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return 0;
  }
}

std::int64_t Gcra::reserve(const Rate& rate, std::int64_t now_ns, std::int64_t cost,
                           std::int64_t keep) {
  const std::int64_t added = product(rate.interval_ns(), cost);
  std::int64_t full_at = full_at_ns_.load(std::memory_order_relaxed);
  std::int64_t next = 0;
  do {
    next = sum(std::max(full_at, now_ns), added);
  } while (!full_at_ns_.compare_exchange_weak(full_at, next, std::memory_order_relaxed));
  const std::int64_t usable = rate.interval_ns() * std::max<std::int64_t>(rate.burst - keep, 0);
  return std::max<std::int64_t>(next - now_ns - usable, 0);
}

void Gcra::give_back(const Rate& rate, std::int64_t cost) {
  full_at_ns_.fetch_sub(product(rate.interval_ns(), cost), std::memory_order_relaxed);
}

std::int64_t Gcra::tokens(const Rate& rate, std::int64_t now_ns) const {
  return std::max<std::int64_t>(rate.window_ns() - full_after_ns(now_ns), 0) / rate.interval_ns();
}

std::int64_t Gcra::full_after_ns(std::int64_t now_ns) const {
  const std::int64_t full_at = full_at_ns_.load(std::memory_order_relaxed);
  return full_at > now_ns ? full_at - now_ns : 0;
}

}  // namespace flora::policy
