// How many distinct identifiers a client may search for.
#include "gateway/policy/search_limiter.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace flora;
using namespace flora::policy;

namespace {

constexpr std::int64_t kMinute = 60'000'000'000;
constexpr SearchLimit kThree{3, 10};

Digest hash(unsigned char name) {
  Digest made{};
  made[0] = std::byte(name);
  return made;
}

bool goes_on(SearchLimiter& limiter, const std::string& client, const std::vector<Digest>& hashes,
             std::int64_t now = 0) {
  return limiter.take(client, hashes, kThree, now).wait_ns == 0;
}

}  // namespace

TEST_CASE("what was counted costs nothing more") {
  SearchLimiter limiter;
  for (int i = 0; i < 100; ++i) {
    CHECK(goes_on(limiter, "a", {hash('x')}));
    CHECK(goes_on(limiter, "a", {hash('y'), hash('z'), hash('y')}));
  }
  CHECK_FALSE(goes_on(limiter, "a", {hash('w')}));
  CHECK(goes_on(limiter, "a", {hash('x')}));
  CHECK(goes_on(limiter, "b", {hash('w')}));
}

TEST_CASE("a search counts as a whole or not at all, and the first refusal is the alarm") {
  SearchLimiter limiter;
  CHECK(goes_on(limiter, "a", {hash('x'), hash('y')}));
  CHECK(limiter.take("a", std::vector{hash('v'), hash('w')}, kThree, kMinute).first);
  CHECK_FALSE(limiter.take("a", std::vector{hash('v'), hash('w')}, kThree, kMinute).first);
  CHECK(goes_on(limiter, "a", {hash('v')}, kMinute));
  CHECK_FALSE(goes_on(limiter, "a", {hash('w')}, kMinute));
}

TEST_CASE("a window begins with the first search and ends after its time") {
  SearchLimiter limiter;
  CHECK(goes_on(limiter, "a", {hash('x'), hash('y'), hash('z')}, 5 * kMinute));
  const auto refused = limiter.take("a", std::vector{hash('w')}, kThree, 6 * kMinute);
  CHECK(refused.wait_ns == 9 * kMinute);
  CHECK_FALSE(goes_on(limiter, "a", {hash('w')}, 15 * kMinute - 1));
  CHECK(goes_on(limiter, "a", {hash('w')}, 15 * kMinute));
  CHECK(goes_on(limiter, "a", {hash('u'), hash('v')}, 15 * kMinute));
  CHECK(limiter.take("a", std::vector{hash('x')}, kThree, 15 * kMinute).first);
}

TEST_CASE("a lower limit takes effect at once") {
  SearchLimiter limiter;
  CHECK(goes_on(limiter, "a", {hash('x'), hash('y')}));
  CHECK(limiter.take("a", std::vector{hash('z')}, SearchLimit{1, 10}, 0).wait_ns > 0);
}

TEST_CASE("threads share one count") {
  SearchLimiter limiter;
  std::atomic<int> counted = 0;
  std::vector<std::thread> threads;
  for (unsigned char t = 0; t < 4; ++t) {
    threads.emplace_back([&limiter, &counted, t] {
      for (unsigned char i = 0; i < 50; ++i) {
        const auto name = static_cast<unsigned char>(t * 50 + i);
        if (limiter.take("a", std::vector{hash(name)}, SearchLimit{120, 10}, 0).wait_ns == 0) {
          ++counted;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counted == 120);
}
