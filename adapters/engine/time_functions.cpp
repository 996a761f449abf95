// Days, times of day and instants. None is ever made from less than it says.
#include <algorithm>

#include "adapters/engine/function_kinds.h"

namespace flora::adapter::times {
namespace {

constexpr std::int64_t kDay = 86'400'000;

// xs:time without a zone, to the minute: HH:MM.
Trouble standard_time(std::string_view& value) {
  const std::string_view text = trimmed(value);
  const auto two = [&](std::size_t at, int limit) {
    return is_digit(text[at]) && is_digit(text[at + 1]) &&
           (text[at] - '0') * 10 + (text[at + 1] - '0') < limit;
  };
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return Trouble::malformed;
  if (!two(0, 24) || !two(3, 60) || !two(6, 60)) return Trouble::malformed;
  const std::string_view decimals = text.substr(8);
  const bool good =
      decimals.empty() || (decimals.size() > 1 && decimals[0] == '.' &&
                           std::all_of(decimals.begin() + 1, decimals.end(), is_digit));
  value = text.substr(0, 5);
  return good ? Trouble::none : Trouble::malformed;
}

template <typename Time>
Trouble write(const Time& time, std::string_view& value, Scratch& scratch) {
  std::string& out = scratch.next();
  append(out, time);
  value = out;
  return Trouble::none;
}

void append_two(std::string& out, std::int64_t number) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

}  // namespace

Trouble date(const Call& call, std::string_view& value, Scratch& scratch) {
  const std::optional<ClockTime> found = read_time(call.time, value);
  return found ? write(found->day, value, scratch) : Trouble::malformed;
}

Trouble time(const Call& call, std::string_view& value, Scratch& scratch) {
  if (call.time.parts.empty()) return standard_time(value);
  const std::optional<ClockTime> found = read_time(call.time, value);
  if (!found) return Trouble::malformed;
  const std::int64_t minutes = found->ms / 60'000;
  std::string& out = scratch.next();
  append_two(out, minutes / 60);
  out += ':';
  append_two(out, minutes % 60);
  value = out;
  return Trouble::none;
}

Trouble local(const Call& call, std::string_view& value, Scratch& scratch) {
  const std::optional<ClockTime> found = read_time(call.time, value);
  if (!found) return Trouble::malformed;
  const std::optional<Instant> instant =
      call.zone->instant_of(found->day.days * kDay + found->ms, call.gap, call.overlap);
  return instant ? write(*instant, value, scratch) : Trouble::malformed;
}

Trouble instant(const Call&, std::string_view& value, Scratch& scratch) {
  const std::optional<Instant> found = parse_instant(trimmed(value));
  return found ? write(*found, value, scratch) : Trouble::malformed;
}

}  // namespace flora::adapter::times
