#include "gateway/model/time.h"

#include <doctest/doctest.h>

namespace flora {
namespace {

TEST_CASE("instants of any offset become UTC with three decimals") {
  for (const auto& [written, utc] :
       {std::pair{"2026-11-03T09:15:30.123+01:00", "2026-11-03T08:15:30.123Z"},
        std::pair{"2026-11-03T09:15:30Z", "2026-11-03T09:15:30.000Z"},
        std::pair{"2026-01-01T00:30:00.5+01:00", "2025-12-31T23:30:00.500Z"},
        std::pair{"2024-02-29T23:59:59.999999999-00:30", "2024-03-01T00:29:59.999Z"},
        std::pair{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
        std::pair{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"}}) {
    const std::string text = written;
    CAPTURE(text);
    const auto instant = parse_instant(text);
    REQUIRE(instant);
    CHECK(to_string(*instant) == utc);
    CHECK(parse_instant(utc) == instant);
  }
}

TEST_CASE("what is no instant is refused") {
  for (const char* bad :
       {"", "2026-11-03", "2026-11-03T09:15:30", "2026-11-03t09:15:30Z", "2026-11-03T09:15:30z",
        "2026-11-03 09:15:30Z", "2026-11-03T24:00:00Z", "2026-11-03T09:60:00Z",
        "2026-11-03T09:15:60Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-03T09:15:30.Z", "2026-11-03T09:15:30+1:00", "2026-11-03T09:15:30+24:00",
        "2026-11-03T09:15:30ZZ", "26-11-03T09:15:30Z", "2026-11-03T09:15Z",
        "+026-11-03T09:15:30Z"}) {
    CAPTURE(bad);
    CHECK(!parse_instant(bad).has_value());
  }
}

TEST_CASE("days exist or are refused") {
  CHECK(to_string(*parse_day("2024-02-29")) == "2024-02-29");
  CHECK(to_string(*parse_day("1969-12-31")) == "1969-12-31");
  CHECK(*parse_day("2026-03-01") > *parse_day("2026-02-28"));
  for (const char* bad :
       {"2025-02-29", "2026-00-10", "2026-01-00", "2026-1-01", "2026-01-01Z", "20260101"}) {
    CHECK(!parse_day(bad).has_value());
  }
}

}  // namespace
}  // namespace flora
