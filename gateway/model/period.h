// A length of time as laws and settings give it, and when it ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/model/time.h"

namespace flora {

/// Of one unit only; never nothing.
struct Period {
  enum class Unit : std::uint8_t { years, months, days, seconds };
  Unit unit = Unit::days;
  std::int32_t count = 1;  ///< 1 to 9999.
  bool operator==(const Period&) const = default;
};

/// ISO 8601 with one unit: `P10Y`, `P18M`, `P90D`, `PT2S`. Nothing for all else, zero included.
std::optional<Period> parse_period(std::string_view text);
std::string to_string(const Period& period);

/// When a period that begins with an event is over. Days count as §§ 187 (1) and 188 BGB have it,
/// in Europe/Berlin: the day of the event does not count, and the period ends with the end of the
/// day that has its number, or with the last day of a month that has none. Seconds are added.
Instant end_of(Instant begin, const Period& period);

/// How long is kept what leads to persons.
struct RetentionPeriods {
  std::optional<Period> mapping;  ///< From the end of a procedure; nothing: until it is ordered.
  Period copies{Period::Unit::days, 90};  ///< Backups of the mapping, from when they were made.
};

}  // namespace flora
