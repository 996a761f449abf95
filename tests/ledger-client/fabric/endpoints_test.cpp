// Which endpoint is called, and how many calls are under way.
#include "ledger-client/fabric/endpoints.h"

#include <doctest/doctest.h>

#include "ledger-client/fabric/turns.h"
#include "tests/fake_env.h"

using namespace flora;
using namespace flora::fabric;
using namespace std::chrono_literals;

TEST_CASE("the first endpoint that is well is called, and one that fails is passed over") {
  FakeEnv env;
  Endpoints endpoints({"a", "b"}, {100ms, 400ms}, env);
  const std::vector<bool> none = {false, false};
  CHECK(endpoints.pick(none) == 0);
  CHECK(endpoints.pick({true, false}) == 1);
  CHECK_FALSE(endpoints.pick({true, true}));
  endpoints.failed(0);
  CHECK(endpoints.pick(none) == 1);
  CHECK_FALSE(endpoints.pick({false, true}));
  env.advance_ms(99);
  CHECK(endpoints.pick(none) == 1);
  env.advance_ms(1);
  CHECK(endpoints.pick(none) == 0);
}

TEST_CASE("the pause grows up to its bound, once for all calls that fail meanwhile, and ends") {
  FakeEnv env;
  Endpoints endpoints({"a", "b"}, {100ms, 400ms}, env);
  const std::vector<bool> none = {false, false};
  for (const int pause : {100, 200, 400, 400}) {
    endpoints.failed(0);
    endpoints.failed(0);
    env.advance_ms(pause - 1);
    CHECK(endpoints.pick(none) == 1);
    env.advance_ms(1);
    CHECK(endpoints.pick(none) == 0);
  }
  endpoints.failed(0);
  endpoints.answered(0);
  CHECK(endpoints.pick(none) == 0);
  endpoints.failed(0);
  env.advance_ms(100);
  CHECK(endpoints.pick(none) == 0);
}

TEST_CASE("where all are passed over, the one whose time is up first is asked") {
  FakeEnv env;
  Endpoints endpoints({"a", "b"}, {100ms, 400ms}, env);
  endpoints.failed(0);
  env.advance_ms(10);
  endpoints.failed(1);
  CHECK(endpoints.pick({false, false}) == 0);
  CHECK_FALSE(endpoints.pick({true, false}));
}

TEST_CASE(
    "no more than so many are under way, the others wait in order, and beyond that is refused") {
  Turns turns(2, 2);
  std::vector<int> started;
  std::vector<Turns::Turn> held;
  const auto start = [&](int number) {
    return turns.take([&, number](Turns::Turn turn) {
      started.push_back(number);
      held.push_back(std::move(turn));
    });
  };
  for (int i = 0; i < 4; ++i) CHECK(start(i));
  CHECK_FALSE(start(4));
  CHECK(started == std::vector<int>{0, 1});
  held[0].reset();
  CHECK(started == std::vector<int>{0, 1, 2});
  CHECK(start(5));
  held[1].reset();
  held[2].reset();
  CHECK(started == std::vector<int>{0, 1, 2, 3, 5});
  CHECK(start(6));
  CHECK(started.size() == 5);
  Turns::Turn(std::move(held[3])).reset();
  CHECK(started.back() == 6);
}
