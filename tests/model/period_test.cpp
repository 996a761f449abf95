// Periods: their text, and the day on which they are over.
#include "gateway/model/period.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flora;

namespace {

Instant at(std::string_view text) {
  const auto instant = parse_instant(text);
  REQUIRE(instant.has_value());
  return *instant;
}

struct Ending {
  std::string begin;
  std::string period;
  std::string end;
};

}  // namespace

TEST_CASE("a period has one unit and is never nothing") {
  for (const std::string good : {"P10Y", "P1Y", "P18M", "P90D", "P9999D", "PT2S"}) {
    CAPTURE(good);
    const auto period = parse_period(good);
    REQUIRE(period.has_value());
    CHECK(to_string(*period) == good);
  }
  for (const std::string bad :
       {"",     "P",    "P0D", "P0Y",  "P00D",  "P010D", "PT0S",    "P-1D",
        "P+1D", "P 1D", "P1",  "1D",   "P1Y6M", "P1.5Y", "P10000D", "P99999999999D",
        "PT",   "PTS",  "P2S", "PT2D", "p1D",   "P1d",   "P1W",     "P1D "}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_period(bad).has_value());
  }
}

TEST_CASE("a period ends with the end of the day that has the number of the event's, in Berlin") {
  const std::vector<Ending> endings = {
      // The hour does not count; midnight in Berlin is 23:00 or 22:00 UTC.
      {"2026-03-15T00:00:00Z", "P10Y", "2036-03-15T23:00:00.000Z"},
      {"2026-03-15T22:59:59.999Z", "P10Y", "2036-03-15T23:00:00.000Z"},
      {"2026-03-15T23:00:00Z", "P10Y", "2036-03-16T23:00:00.000Z"},
      {"2026-07-01T12:00:00Z", "P10Y", "2036-07-01T22:00:00.000Z"},
      // A leap day has no counterpart: the month's last day (§ 188 (3) BGB).
      {"2028-02-29T12:00:00Z", "P10Y", "2038-02-28T23:00:00.000Z"},
      {"2028-02-29T12:00:00Z", "P4Y", "2032-02-29T23:00:00.000Z"},
      {"2027-02-28T12:00:00Z", "P1Y", "2028-02-28T23:00:00.000Z"},
      {"2026-08-31T12:00:00Z", "P1M", "2026-09-30T22:00:00.000Z"},
      {"2026-11-30T12:00:00Z", "P3M", "2027-02-28T23:00:00.000Z"},
      {"2026-01-31T12:00:00Z", "P18M", "2027-07-31T22:00:00.000Z"},
      // Over the changes of the clocks.
      {"2026-03-28T12:00:00Z", "P1D", "2026-03-29T22:00:00.000Z"},
      {"2026-10-24T12:00:00Z", "P1D", "2026-10-25T23:00:00.000Z"},
      {"2026-11-26T12:00:00Z", "P90D", "2027-02-24T23:00:00.000Z"},
      {"1969-12-31T12:00:00Z", "P1D", "1970-01-01T23:00:00.000Z"},
      {"2026-11-26T12:00:00.500Z", "PT2S", "2026-11-26T12:00:02.500Z"}};
  for (const Ending& one : endings) {
    CAPTURE(one.begin);
    CAPTURE(one.period);
    CHECK(to_string(end_of(at(one.begin), *parse_period(one.period))) == one.end);
  }
}

TEST_CASE("each instant belongs to the day that begins before it") {
  for (std::int32_t day = 20'500; day < 21'300; ++day) {
    const Instant begin = start_of(Day{day});
    CHECK(day_of(begin) == Day{day});
    CHECK(day_of(Instant{begin.ms - 1}) == Day{day - 1});
  }
}
