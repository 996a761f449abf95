#include "adapters/engine/time_pattern.h"

#include <algorithm>
#include <chrono>

#include "adapters/engine/ascii.h"

namespace flora::adapter {
namespace {

std::string_view rule_of(Fields fields) {
  switch (fields) {
    case Fields::day:
      return "a date pattern has yyyy or yy, M or MM, d or dd, once each";
    case Fields::time:
      return "a time pattern has H or HH, mm, and maybe ss and SSS behind it, once each";
    case Fields::day_and_time:
      return "a pattern of a local time has yyyy or yy, M or MM, d or dd, H or HH, mm, and maybe "
             "ss "
             "and SSS, once each";
  }
  return {};
}

bool is_field(char letter, std::size_t digits) {
  switch (letter) {
    case 'y':
      return digits == 4 || digits == 2;
    case 'M':
    case 'd':
    case 'H':
      return digits <= 2;
    case 'm':
    case 's':
      return digits == 2;
    case 'S':
      return digits == 3;
    default:
      return false;
  }
}

// The letters of all fields, each once, as `fields` asks for.
bool complete(std::string seen, Fields fields) {
  const bool seconds = seen.find('s') != std::string::npos;
  if (seen.find('S') != std::string::npos && !seconds) return false;
  std::erase(seen, 's');
  std::erase(seen, 'S');
  std::sort(seen.begin(), seen.end());
  switch (fields) {
    case Fields::day:
      return seen == "Mdy" && !seconds;
    case Fields::time:
      return seen == "Hm";
    case Fields::day_and_time:
      return seen == "HMdmy";
  }
  return false;
}

void add_literal(std::vector<TimePart>& parts, char c) {
  if (parts.empty() || parts.back().letter != 0) parts.emplace_back();
  parts.back().text += c;
}

// Takes the quoted literal that `rest` begins with. False if its end is missing.
bool take_quoted(std::string_view& rest, std::vector<TimePart>& parts) {
  rest.remove_prefix(1);
  if (rest.starts_with('\'')) {
    add_literal(parts, '\'');
    rest.remove_prefix(1);
    return true;
  }
  while (!rest.empty()) {
    const bool quote = rest.starts_with('\'');
    if (quote && !rest.starts_with("''")) {
      rest.remove_prefix(1);
      return true;
    }
    add_literal(parts, rest.front());
    rest.remove_prefix(quote ? 2 : 1);
  }
  return false;
}

// True if a field of one letter could take a digit of what follows it.
bool runs_on(const std::vector<TimePart>& parts) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const TimePart& next = parts[i + 1];
    const bool digit = next.letter != 0 || is_digit(next.text.front());
    if (parts[i].letter != 0 && parts[i].digits == 1 && digit) return true;
  }
  return false;
}

// The fields as they are read, before it is known that they exist.
struct Reading {
  int year = 1970, month = 1, day = 1;
  int hour = 0, minute = 0, second = 0, ms = 0;

  int& field(char letter) {
    switch (letter) {
      case 'y':
        return year;
      case 'M':
        return month;
      case 'd':
        return day;
      case 'H':
        return hour;
      case 'm':
        return minute;
      case 's':
        return second;
      default:
        return ms;
    }
  }
};

bool take_field(const TimePart& part, int pivot, std::string_view& rest, Reading& out) {
  const std::size_t most = part.digits == 1 ? 2 : part.digits;
  std::size_t n = 0;
  int value = 0;
  for (; n < most && n < rest.size() && is_digit(rest[n]); ++n)
    value = value * 10 + (rest[n] - '0');
  if (n == 0 || (part.digits > 1 && n != most)) return false;
  if (part.letter == 'y' && part.digits == 2) value += value < pivot ? 2000 : 1900;
  out.field(part.letter) = value;
  rest.remove_prefix(n);
  return true;
}

}  // namespace

bool TimePattern::has_short_year() const {
  return std::any_of(parts.begin(), parts.end(),
                     [](const TimePart& part) { return part.letter == 'y' && part.digits == 2; });
}

Result<TimePattern> parse_time_pattern(std::string_view pattern, Fields fields) {
  TimePattern out;
  std::string seen;
  while (!pattern.empty()) {
    const char c = pattern.front();
    if (c == '\'') {
      if (!take_quoted(pattern, out.parts)) {
        return Error{Errc::invalid, "a quoted text in the pattern has no end"};
      }
      continue;
    }
    const std::size_t run = std::min(pattern.find_first_not_of(c), pattern.size());
    if (!is_letter(c)) {
      add_literal(out.parts, c);
      pattern.remove_prefix(1);
      continue;
    }
    if (!is_field(c, run) || seen.find(c) != std::string::npos) {
      return Error{Errc::invalid, std::string(rule_of(fields))};
    }
    seen += c;
    out.parts.push_back({c, run, {}});
    pattern.remove_prefix(run);
  }
  if (!complete(seen, fields)) return Error{Errc::invalid, std::string(rule_of(fields))};
  if (runs_on(out.parts)) {
    return Error{Errc::invalid, "behind a field of one letter stands a text that is no digit"};
  }
  return out;
}

std::optional<ClockTime> read_time(const TimePattern& pattern, std::string_view text) {
  namespace chrono = std::chrono;
  std::string_view rest = trimmed(text);
  Reading read;
  for (const TimePart& part : pattern.parts) {
    if (part.letter == 0) {
      if (!rest.starts_with(part.text)) return std::nullopt;
      rest.remove_prefix(part.text.size());
    } else if (!take_field(part, pattern.pivot, rest, read)) {
      return std::nullopt;
    }
  }
  if (!rest.empty() || read.hour > 23 || read.minute > 59 || read.second > 59) return std::nullopt;
  const chrono::year_month_day date{chrono::year(read.year),
                                    chrono::month(static_cast<unsigned>(read.month)),
                                    chrono::day(static_cast<unsigned>(read.day))};
  if (!date.ok()) return std::nullopt;
  ClockTime out;
  out.day.days = static_cast<std::int32_t>(chrono::sys_days(date).time_since_epoch().count());
  out.ms = ((read.hour * 60 + read.minute) * 60 + read.second) * std::int64_t{1000} + read.ms;
  return out;
}

}  // namespace flora::adapter
