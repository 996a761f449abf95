// Patterns of days and times of day in the letters of LDML (Unicode TR 35), such as
// `dd.MM.yyyy HH:mm`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/time.h"

namespace flora::adapter {

/// A run of one letter, or a literal.
struct TimePart {
  char letter = 0;  ///< y, M, d, H, m, s or S; 0: the literal `text`.
  std::size_t digits = 0;
  std::string text;
};

struct TimePattern {
  std::vector<TimePart> parts;
  int pivot = 0;  ///< With yy: years below it are 20yy, the others 19yy.

  bool has_short_year() const;
};

/// Which fields a pattern has. A time of day has hour and minute, and may have more.
enum class Fields : std::uint8_t { day, time, day_and_time };

/// One letter takes one or two digits, more letters exactly as many. Literal letters stand in
/// single quotes, a quote is two of them. Errors: invalid.
Result<TimePattern> parse_time_pattern(std::string_view pattern, Fields fields);

/// What a calendar and a clock show, without a zone.
struct ClockTime {
  Day day;
  std::int64_t ms = 0;  ///< Since midnight, below 86 400 000.
};

/// Nothing unless the whole text, without white space at both ends, fits the pattern, and the day
/// (if the pattern has one) and the time exist.
std::optional<ClockTime> read_time(const TimePattern& pattern, std::string_view text);

}  // namespace flora::adapter
