// How fast an authority may be: tokens, their return, and who shares them.
#include "gateway/policy/rate_limiter.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "tests/fake_env.h"

using flora::FakeEnv;
using flora::policy::Gcra;
using flora::policy::Rate;
using flora::policy::RateLimiter;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 12'345'678'901;

/// How many tokens one by one are there at once.
int taken(Gcra& bucket, const Rate& rate, std::int64_t now) {
  int count = 0;
  while (bucket.take(rate, now, 1) == 0) ++count;
  return count;
}

}  // namespace

TEST_CASE("a full bucket gives its burst, exactly, while the clock is at rest") {
  for (const Rate rate : {Rate{1, 1}, Rate{3, 7}, Rate{7, 3}, Rate{999'999, 5000}, Rate{200, 2000},
                          Rate{1'000'000, 1000}}) {
    CAPTURE(rate.per_second);
    Gcra bucket;
    CHECK(bucket.tokens(rate, kStart) == rate.burst);
    CHECK(taken(bucket, rate, kStart) == rate.burst);
    CHECK(bucket.tokens(rate, kStart) == 0);
    CHECK(taken(bucket, rate, kStart) == 0);
    // One token comes after one interval, not a nanosecond earlier.
    CHECK(bucket.take(rate, kStart, 1) == rate.interval_ns());
    CHECK(bucket.take(rate, kStart + rate.interval_ns() - 1, 1) == 1);
    CHECK(taken(bucket, rate, kStart + rate.interval_ns()) == 1);
    // A long pause fills it, and no more.
    CHECK(taken(bucket, rate, kStart + 10 * rate.window_ns()) == rate.burst);
  }
}

TEST_CASE("over a long time no more comes than the rate allows") {
  const Rate rate{300, 20};  // Its interval is no whole number of nanoseconds.
  Gcra bucket;
  std::int64_t count = 0;
  const std::int64_t end = kStart + 100 * kSecond;
  for (std::int64_t now = kStart; now < end; now += 777'777) count += taken(bucket, rate, now);
  CHECK(count <= 100 * rate.per_second + rate.burst);
  CHECK(count >= 100 * rate.per_second + rate.burst - 2);
}

TEST_CASE("a cost is taken as a whole or not at all") {
  const Rate rate{10, 100};
  Gcra bucket;
  CHECK(bucket.take(rate, kStart, 60) == 0);
  CHECK(bucket.take(rate, kStart, 41) == kSecond / 10);
  CHECK(bucket.tokens(rate, kStart) == 40);
  CHECK(bucket.take(rate, kStart, 40) == 0);
  CHECK(bucket.full_after_ns(kStart) == 10 * kSecond);
  CHECK_FALSE(bucket.take(rate, kStart + 100 * kSecond, 101).has_value());
  CHECK(bucket.take(rate, kStart + 100 * kSecond, 100) == 0);
}

TEST_CASE("what is given back is there again") {
  const Rate rate{10, 100};
  Gcra bucket;
  CHECK(bucket.take(rate, kStart, 100) == 0);
  bucket.give_back(rate, 30);
  CHECK(bucket.tokens(rate, kStart) == 30);
}

TEST_CASE("who reserves waits for what is to come, and leaves some to others") {
  const Rate rate{10, 100};
  Gcra bucket;
  CHECK(bucket.reserve(rate, kStart, 75, 25) == 0);
  CHECK(bucket.tokens(rate, kStart) == 25);
  CHECK(bucket.reserve(rate, kStart, 20, 25) == 2 * kSecond);
  CHECK(bucket.tokens(rate, kStart) == 5);
  CHECK(bucket.take(rate, kStart, 5) == 0);
  CHECK(bucket.take(rate, kStart, 1) == kSecond / 10);
  // More than the bucket holds comes after a longer time.
  Gcra other;
  CHECK(other.reserve(rate, kStart, 1075, 25) == 100 * kSecond);
}

TEST_CASE("no arithmetic overflows") {
  const Rate rate{1, Rate::kMost};
  Gcra bucket;
  for (int i = 0; i < 3; ++i) CHECK(bucket.reserve(rate, kStart, INT64_MAX, 0) > 0);
  CHECK(bucket.tokens(rate, kStart) == 0);
  CHECK(bucket.take(rate, kStart, 1).value() > 0);
  CHECK(bucket.full_after_ns(kStart) > 0);
  Gcra late;
  CHECK(late.take(rate, INT64_MAX - 1, 1).has_value());
}

TEST_CASE("another rate holds from the next decision on") {
  const Rate slow{1, 10};
  const Rate fast{100, 1000};
  Gcra bucket;
  CHECK(taken(bucket, slow, kStart) == 10);
  CHECK(bucket.take(slow, kStart, 1).value() > 0);
  CHECK(bucket.take(fast, kStart + kSecond, 1).value() == 0);
}

TEST_CASE("threads together take the burst, and not one token more") {
  const Rate rate{1, 100'000};
  Gcra bucket;
  std::atomic<int> all = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { all += taken(bucket, rate, kStart); });
  for (std::thread& thread : threads) thread.join();
  CHECK(all == rate.burst);
}

TEST_CASE("each authority has its own buckets, and keeps them") {
  FakeEnv env;
  RateLimiter limiter(env);
  flora::policy::Buckets& first = limiter.of_authority("999901");
  CHECK(&first == &limiter.of_authority("999901"));
  CHECK(&first != &limiter.of_authority("999902"));
}

TEST_CASE("an IPv6 network shares a bucket, and addresses are spread over the buckets") {
  FakeEnv env;
  RateLimiter limiter(env);
  CHECK(&limiter.of_address("2001:db8:1:2::1") == &limiter.of_address("2001:db8:1:2:ffff::9"));
  CHECK(&limiter.of_address("2001:db8:1:2::1") != &limiter.of_address("2001:db8:1:3::1"));
  CHECK(&limiter.of_address("192.0.2.1") == &limiter.of_address("192.0.2.1"));
  std::set<Gcra*> buckets;
  for (int i = 0; i < 256; ++i) buckets.insert(&limiter.of_address("192.0.2." + std::to_string(i)));
  CHECK(buckets.size() > 200);
  RateLimiter other(env);  // Of another process: with another secret.
  int same = 0;
  const Gcra* const base = &limiter.of_address("192.0.2.0");
  const Gcra* const other_base = &other.of_address("192.0.2.0");
  for (int i = 1; i < 256; ++i) {
    const std::string address = "192.0.2." + std::to_string(i);
    same += (&limiter.of_address(address) - base) == (&other.of_address(address) - other_base);
  }
  CHECK(same < 10);
}
