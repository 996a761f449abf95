// Numbers and truth values. A number is written as the canonical event has it: decimal digits
// without leading zeros, with a minus if need be.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "adapters/engine/function_kinds.h"

namespace flora::adapter::numbers {
namespace {

std::optional<std::int32_t> parse(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Trouble write(std::optional<std::int32_t> number, std::string_view& value, Scratch& scratch) {
  if (!number) return Trouble::malformed;
  std::array<char, 16> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr;
  value = scratch.next().append(digits.data(), end);
  return Trouble::none;
}

std::string_view without_plus(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  return text;
}

// A number whose digits may stand in groups of three: all of them, or none. A first group that
// begins with 0 is refused, it is rather a fraction as another language writes it.
Trouble grouped(char separator, std::string_view& value, Scratch& scratch) {
  std::string_view rest = without_plus(trimmed(value));
  std::array<char, 16> plain;  // More digits than 32 bits have.
  std::size_t size = 0;
  if (rest.starts_with('-')) {
    plain[size++] = '-';
    rest.remove_prefix(1);
  }
  const std::size_t first = std::min(rest.find(separator), rest.size());
  const bool groups = first < rest.size();
  if (groups && (first == 0 || first > 3 || rest[0] == '0')) return Trouble::malformed;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool between_groups = i >= first && (i - first) % 4 == 0;
    if (between_groups ? rest[i] != separator : !is_digit(rest[i])) return Trouble::malformed;
    if (between_groups) continue;
    if (size == plain.size()) return Trouble::malformed;
    plain[size++] = rest[i];
  }
  if (groups && (rest.size() - first) % 4 != 0) return Trouble::malformed;
  return write(parse({plain.data(), size}), value, scratch);
}

}  // namespace

// xs:boolean.
Trouble boolean(const Call&, std::string_view& value, Scratch&) {
  const std::string_view text = trimmed(value);
  const bool yes = text == "true" || text == "1";
  if (!yes && text != "false" && text != "0") return Trouble::malformed;
  value = yes ? "true" : "false";
  return Trouble::none;
}

Trouble integer(const Call&, std::string_view& value, Scratch& scratch) {
  return write(parse(without_plus(trimmed(value))), value, scratch);
}

Trouble integer_de(const Call&, std::string_view& value, Scratch& scratch) {
  return grouped('.', value, scratch);
}

Trouble integer_en(const Call&, std::string_view& value, Scratch& scratch) {
  return grouped(',', value, scratch);
}

Trouble between(const Call& call, std::string_view& value, Scratch&) {
  const std::optional<std::int32_t> number = parse(value);
  return number && *number >= call.least && *number <= call.most ? Trouble::none
                                                                 : Trouble::malformed;
}

}  // namespace flora::adapter::numbers
