#include "openapi/formats.h"

#include <array>
#include <cstddef>
#include <optional>

namespace flora::openapi {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number that `count` digits at `begin` make, or nothing.
std::optional<int> digits(std::string_view text, std::size_t begin, std::size_t count) {
  if (text.size() < begin + count) return std::nullopt;
  int number = 0;
  for (std::size_t i = begin; i < begin + count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

bool in_range(std::optional<int> number, int from, int to) {
  return number && *number >= from && *number <= to;
}

int days_in(int year, int month) {
  static constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month)];
}

bool is_clock(std::string_view text) {
  return text.size() >= 8 && in_range(digits(text, 0, 2), 0, 23) && text[2] == ':' &&
         in_range(digits(text, 3, 2), 0, 59) && text[5] == ':' &&
         in_range(digits(text, 6, 2), 0, 59);
}

bool is_offset(std::string_view text) {
  if (text == "Z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') &&
         in_range(digits(text, 1, 2), 0, 23) && text[3] == ':' &&
         in_range(digits(text, 4, 2), 0, 59);
}

}  // namespace

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  if (!year || !in_range(month, 1, 12)) return false;
  return in_range(digits(text, 8, 2), 1, days_in(*year, *month));
}

bool is_date_time(std::string_view text) {
  if (text.size() < 20 || !is_date(text.substr(0, 10)) || text[10] != 'T') return false;
  text.remove_prefix(11);
  if (!is_clock(text)) return false;
  text.remove_prefix(8);
  if (text.starts_with('.')) {
    std::size_t end = 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == 1 || end > 10) return false;
    text.remove_prefix(end);
  }
  return is_offset(text);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

}  // namespace flora::openapi
