// How many log lines strangers can cause.
#include "gateway/api/line_limit.h"

#include <doctest/doctest.h>

using flora::api::LineLimit;

TEST_CASE("some lines of a kind pass in each window, and the next one tells how many did not") {
  LineLimit limit(2);
  std::int64_t now = 5;
  for (std::uint64_t i = 0; i < LineLimit::kLines; ++i) CHECK(limit.pass(0, now) == 0);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(limit.pass(0, now).has_value());
  now += LineLimit::kWindowNs - 1;
  CHECK_FALSE(limit.pass(0, now).has_value());
  now += 1;
  CHECK(limit.pass(0, now) == 1001);
  CHECK(limit.pass(0, now) == 0);
}

TEST_CASE("each kind has its own bound") {
  LineLimit limit(2);
  for (std::uint64_t i = 0; i < LineLimit::kLines; ++i) CHECK(limit.pass(0, 1).has_value());
  CHECK_FALSE(limit.pass(0, 1).has_value());
  CHECK(limit.pass(1, 1) == 0);
}
