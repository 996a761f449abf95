// The two kinds of time, which are never made from each other: an instant, and a calendar day in
// the Europe/Berlin calendar (legal periods count local days).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flora {

/// Milliseconds since the Unix epoch, UTC; years 0000 to 9999.
struct Instant {
  std::int64_t ms = 0;
  auto operator<=>(const Instant&) const = default;
};

/// A calendar day, as days since 1970-01-01 in the proleptic Gregorian calendar.
struct Day {
  std::int32_t days = 0;
  auto operator<=>(const Day&) const = default;
};

/// RFC 3339 with any offset and any number of decimals (cut after the third). Nothing for a leap
/// second, a missing offset, a date that does not exist, or lower-case `t` or `z`.
std::optional<Instant> parse_instant(std::string_view text);

/// `YYYY-MM-DD` and a date that exists.
std::optional<Day> parse_day(std::string_view text);

/// Always UTC, with `Z` and exactly three decimals.
std::string to_string(Instant instant);
std::string to_string(Day day);

/// The first instant of a day in Europe/Berlin; summer time as it is in force since 1996 (Directive
/// 2000/84/EC).
Instant start_of(Day day);

/// The day in Europe/Berlin that an instant belongs to.
Day day_of(Instant instant);

/// The same text, put behind what `out` holds.
void append(std::string& out, Instant instant);
void append(std::string& out, Day day);

}  // namespace flora
