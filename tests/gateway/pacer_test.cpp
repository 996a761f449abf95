// Streams that wait for tokens, by a clock that the test moves.
#include "gateway/api/pacer.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "tests/fake_env.h"

using flora::FakeEnv;
using flora::api::Pacer;
using flora::api::Toll;
using flora::policy::Gcra;
using flora::policy::Rate;

namespace {

constexpr Rate kRate{10, 1000};  // 750 for streams, 250 for others.

struct Fixture {
  FakeEnv env;
  Gcra bucket;
  Gcra other;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> order;
  int stopped = 0;
  Pacer pacer{env};

  bool pass(Gcra& of, std::int64_t cost, int number) {
    return pacer.pass(Toll{&of, kRate, cost}, [this, number](bool taken) {
      const std::lock_guard lock(mutex);
      if (taken) {
        order.push_back(number);
      } else {
        ++stopped;
      }
      changed.notify_all();
    });
  }

  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60), [&] { return order.size() >= count; });
  }
  std::vector<int> passed() {
    const std::lock_guard lock(mutex);
    return order;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "who finds tokens passes, the others follow one by one as they come") {
  CHECK(pass(bucket, 750, 0));
  CHECK_FALSE(pass(bucket, 10, 1));
  CHECK_FALSE(pass(bucket, 20, 2));
  CHECK_FALSE(pass(bucket, 10, 3));
  CHECK(pass(other, 750, 9));  // Another authority is not concerned.
  env.advance_ms(1'000);
  REQUIRE(wait_for(1));
  CHECK(passed() == std::vector{1});
  env.advance_ms(1'999);
  CHECK(bucket.tokens(kRate, env.steady_ns()) >= 249);  // Single events find theirs.
  env.advance_ms(1'001);
  REQUIRE(wait_for(3));
  CHECK(passed() == std::vector{1, 2, 3});
  CHECK(pass(bucket, 1, 4) == false);
}

TEST_CASE_FIXTURE(Fixture, "a stop sends all away, and nobody waits any more") {
  CHECK(pass(bucket, 750, 0));
  for (int i = 1; i <= 3; ++i) CHECK_FALSE(pass(bucket, 100, i));
  pacer.stop();
  CHECK(stopped == 3);
  CHECK(passed().empty());
  CHECK(pass(bucket, 100, 4));
}
