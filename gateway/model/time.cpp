#include "gateway/model/time.h"

#include <charconv>
#include <chrono>

namespace flora {
namespace {

namespace chrono = std::chrono;

// `count` digits at the start of `text`, which are then removed; nothing if there are fewer.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const chrono::year_month_day date{chrono::year(*year),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return chrono::sys_days(date);
}

// `hh:mm`, as minutes.
std::optional<int> take_minutes(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return *hour * 60 + *minute;
}

std::optional<int> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  int ms = 0;
  std::size_t n = 0;
  for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n) {
    if (n < 3) ms = ms * 10 + (text[n] - '0');
  }
  if (n == 0) return std::nullopt;
  for (std::size_t i = n; i < 3; ++i) ms *= 10;
  text.remove_prefix(n);
  return ms;
}

// Minutes east of UTC.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return 0;
  const bool east = take(text, '+');
  if (!east && !take(text, '-')) return std::nullopt;
  const auto minutes = take_minutes(text);
  if (!minutes) return std::nullopt;
  return east ? *minutes : -*minutes;
}

// At least `width` digits.
void append_number(std::string& out, std::int64_t value, std::size_t width) {
  char digits[24];
  const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const auto size = static_cast<std::size_t>(end - digits);
  if (size < width) out.append(width - size, '0');
  out.append(digits, size);
}

// The last Sunday of a month, at 01:00 UTC: when summer time begins and ends.
std::int64_t change_of_clocks(chrono::year year, chrono::month month) {
  const chrono::sys_days sunday{year / month / chrono::Sunday[chrono::last]};
  return chrono::duration_cast<chrono::milliseconds>(sunday.time_since_epoch() + chrono::hours(1))
      .count();
}

}  // namespace

Instant start_of(Day day) {
  const chrono::sys_days date{chrono::days(day.days)};
  const chrono::year year = chrono::year_month_day(date).year();
  const std::int64_t midnight =
      chrono::duration_cast<chrono::milliseconds>(date.time_since_epoch()).count();
  const std::int64_t winter = midnight - 3'600'000;
  const bool summer = winter >= change_of_clocks(year, chrono::March) &&
                      winter - 3'600'000 < change_of_clocks(year, chrono::October);
  return {summer ? winter - 3'600'000 : winter};
}

Day day_of(Instant instant) {
  const auto days = chrono::floor<chrono::days>(chrono::milliseconds(instant.ms)).count();
  const Day next{static_cast<std::int32_t>(days) + 1};  // Berlin is ahead of UTC.
  return start_of(next) <= instant ? next : Day{next.days - 1};
}

std::optional<Instant> parse_instant(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, 'T')) return std::nullopt;
  const auto minutes = take_minutes(text);
  if (!minutes || !take(text, ':')) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  const auto ms = take_fraction(text);
  if (!ms) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const std::int64_t days = date->time_since_epoch().count();
  const std::int64_t total = (days * 1440 + *minutes - *offset) * 60 + *seconds;
  return Instant{total * 1000 + *ms};
}

std::optional<Day> parse_day(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !text.empty()) return std::nullopt;
  return Day{static_cast<std::int32_t>(date->time_since_epoch().count())};
}

std::string to_string(Day day) {
  std::string out;
  append(out, day);
  return out;
}

std::string to_string(Instant instant) {
  std::string out;
  append(out, instant);
  return out;
}

void append(std::string& out, Day day) {
  const chrono::year_month_day date{chrono::sys_days(chrono::days(day.days))};
  append_number(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_number(out, static_cast<unsigned>(date.day()), 2);
}

void append(std::string& out, Instant instant) {
  constexpr std::int64_t kDay = 86'400'000;
  std::int64_t days = instant.ms / kDay;
  std::int64_t rest = instant.ms % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  append(out, Day{static_cast<std::int32_t>(days)});
  out += 'T';
  append_number(out, rest / 3'600'000, 2);
  out += ':';
  append_number(out, rest / 60'000 % 60, 2);
  out += ':';
  append_number(out, rest / 1000 % 60, 2);
  out += '.';
  append_number(out, rest % 1000, 3);
  out += 'Z';
}

}  // namespace flora
