#include "adapters/engine/functions.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/base/bytes.h"
#include "gateway/model/time.h"

namespace flora::adapter {
namespace {

using enum Function;

constexpr std::array kFunctions = {
    Signature{"trim", trim, Type::text, Type::text, Argument::none, false},
    Signature{"nfc", nfc, Type::text, Type::text, Argument::none, false},
    Signature{"upper", upper, Type::text, Type::text, Argument::none, false},
    Signature{"lower", lower, Type::text, Type::text, Argument::none, false},
    Signature{"prefix", prefix, Type::text, Type::text, Argument::text, false},
    Signature{"strip_prefix", strip_prefix, Type::text, Type::text, Argument::text, false},
    Signature{"before", before, Type::text, Type::text, Argument::text, false},
    Signature{"after", after, Type::text, Type::text, Argument::text, false},
    Signature{"after_last", after_last, Type::text, Type::text, Argument::text, false},
    Signature{"strip_country_suffix", strip_country_suffix, Type::text, Type::text, Argument::none,
              false},
    Signature{"matches", matches, Type::text, Type::text, Argument::pattern, false},
    Signature{"max_length", max_length, Type::text, Type::text, Argument::number, false},
    Signature{"uuid", uuid, Type::text, Type::text, Argument::none, false},
    Signature{"boolean", boolean, Type::text, Type::boolean, Argument::none, false},
    Signature{"integer", integer, Type::text, Type::integer, Argument::none, false},
    Signature{"date", date, Type::text, Type::day, Argument::date, true},
    Signature{"time", Function::time, Type::text, Type::time, Argument::none, false},
    Signature{"instant", instant, Type::text, Type::instant, Argument::none, false},
    Signature{"map", Function::map, Type::text, Type::text, Argument::map, false},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Unicode Normalization Form C; false if ICU fails.
bool normalise(std::string_view& value, std::string& scratch) {
  if (is_ascii(value)) return true;
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* nfc_form = unorm2_getNFCInstance(&status);
  std::vector<UChar> in(value.size() + 1);
  std::int32_t size = 0;
  u_strFromUTF8(in.data(), static_cast<std::int32_t>(in.size()), &size, value.data(),
                static_cast<std::int32_t>(value.size()), &status);
  std::vector<UChar> out(static_cast<std::size_t>(size) * 3 + 1);
  const std::int32_t normal = unorm2_normalize(nfc_form, in.data(), size, out.data(),
                                               static_cast<std::int32_t>(out.size()), &status);
  if (U_FAILURE(status) != 0) return false;
  std::string utf8(static_cast<std::size_t>(normal) * 3 + 1, '\0');
  std::int32_t utf8_size = 0;
  u_strToUTF8(utf8.data(), static_cast<std::int32_t>(utf8.size()), &utf8_size, out.data(), normal,
              &status);
  if (U_FAILURE(status) != 0) return false;
  utf8.resize(static_cast<std::size_t>(utf8_size));
  scratch = std::move(utf8);
  value = scratch;
  return true;
}

// RFC 9562 §4, lower case.
bool lower_uuid(std::string_view& value, std::string& scratch) {
  value = trimmed(value);
  if (value.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = to_lower(value[i]);
    if (dash ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f'))) return false;
  }
  std::string lower_text(value);
  std::transform(lower_text.begin(), lower_text.end(), lower_text.begin(), to_lower);
  scratch = std::move(lower_text);
  value = scratch;
  return true;
}

// xs:boolean.
bool read_boolean(std::string_view& value) {
  value = trimmed(value);
  if (value == "true" || value == "1") {
    value = "true";
    return true;
  }
  if (value == "false" || value == "0") {
    value = "false";
    return true;
  }
  return false;
}

bool read_integer(std::string_view& value, std::string& scratch) {
  value = trimmed(value);
  if (!value.empty() && value[0] == '+') value.remove_prefix(1);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return false;
  scratch = std::to_string(number);
  value = scratch;
  return true;
}

// Reads a day by the parts of a pattern and writes it as YYYY-MM-DD.
bool read_date(const std::vector<DatePart>& parts, std::string_view& value, std::string& scratch) {
  std::string_view rest = trimmed(value);
  std::string year = "0000", month = "00", day = "00";
  for (const DatePart& part : parts) {
    if (part.letter == 0) {
      if (!rest.starts_with(part.text)) return false;
      rest.remove_prefix(part.text.size());
      continue;
    }
    // One letter takes one or two digits, more letters exactly as many.
    std::size_t digits = 0;
    const auto most = static_cast<std::size_t>(part.digits == 1 ? 2 : part.digits);
    while (digits < most && digits < rest.size() && is_digit(rest[digits])) ++digits;
    if (digits == 0 || (part.digits > 1 && digits != most)) return false;
    std::string& field = part.letter == 'y' ? year : part.letter == 'M' ? month : day;
    field = std::string(field.size() - digits, '0') + std::string(rest.substr(0, digits));
    rest.remove_prefix(digits);
  }
  if (!rest.empty()) return false;
  const std::optional<Day> found = parse_day(year + "-" + month + "-" + day);
  if (!found) return false;
  scratch = to_string(*found);
  value = scratch;
  return true;
}

// xs:time without a zone, to the minute: HH:MM.
bool read_time(std::string_view& value) {
  value = trimmed(value);
  const auto two = [&](std::size_t at, int limit) {
    return is_digit(value[at]) && is_digit(value[at + 1]) &&
           (value[at] - '0') * 10 + (value[at + 1] - '0') < limit;
  };
  if (value.size() < 8 || value[2] != ':' || value[5] != ':') return false;
  if (!two(0, 24) || !two(3, 60) || !two(6, 60)) return false;
  const std::string_view decimals = value.substr(8);
  const bool good =
      decimals.empty() || (decimals.size() > 1 && decimals[0] == '.' &&
                           std::all_of(decimals.begin() + 1, decimals.end(), is_digit));
  value = value.substr(0, 5);
  return good;
}

bool read_instant(std::string_view& value, std::string& scratch) {
  const std::optional<Instant> found = parse_instant(trimmed(value));
  if (!found) return false;
  scratch = to_string(*found);
  value = scratch;
  return true;
}

// A file number may be printed with the three digits of a country behind it: 1234567-475.
void without_country(std::string_view& value) {
  const std::size_t n = value.size();
  if (n > 4 && value[n - 4] == '-' && is_digit(value[n - 3]) && is_digit(value[n - 2]) &&
      is_digit(value[n - 1])) {
    value.remove_suffix(4);
  }
}

bool cut(const Call& call, std::string_view& value) {
  const std::size_t at =
      call.function == after_last ? value.rfind(call.argument) : value.find(call.argument);
  if (at == std::string_view::npos) return false;
  value = call.function == before ? value.substr(0, at) : value.substr(at + call.argument.size());
  return true;
}

void change_case(char (*change)(char), std::string_view& value, std::string& scratch) {
  std::string changed(value);
  std::transform(changed.begin(), changed.end(), changed.begin(), change);
  scratch = std::move(changed);
  value = scratch;
}

Trouble look_up(const Map& map, std::string_view& value) {
  const auto found = map.entries.find(value);
  if (found != map.entries.end()) {
    value = found->second;
    return Trouble::none;
  }
  return map.on_unmapped == Map::Unmapped::reject ? Trouble::unmapped : Trouble::unmapped_absent;
}

bool simple(const Call& call, std::string_view& value, std::string& scratch) {
  switch (call.function) {
    case trim:
      value = trimmed(value);
      return true;
    case nfc:
      return normalise(value, scratch);
    case upper:
      change_case(to_upper, value, scratch);
      return true;
    case lower:
      change_case(to_lower, value, scratch);
      return true;
    case prefix:
      scratch = call.argument + std::string(value);
      value = scratch;
      return true;
    case strip_prefix:
      if (!value.starts_with(call.argument)) return false;
      value.remove_prefix(call.argument.size());
      return true;
    case before:
    case after:
    case after_last:
      return cut(call, value);
    case strip_country_suffix:
      without_country(value);
      return true;
    case matches:
      return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *call.pattern);
    case max_length:
      return characters(value) <= call.number;
    case uuid:
      return lower_uuid(value, scratch);
    case boolean:
      return read_boolean(value);
    case integer:
      return read_integer(value, scratch);
    case date:
      return read_date(call.date, value, scratch);
    case Function::time:
      return read_time(value);
    case instant:
      return read_instant(value, scratch);
    case Function::map:
      return false;
  }
  return false;
}

}  // namespace

std::span<const Signature> functions() { return kFunctions; }

const Signature* find_function(std::string_view name) {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                  [&](const Signature& s) { return s.name == name; });
  return found == kFunctions.end() ? nullptr : &*found;
}

Result<std::vector<DatePart>> parse_date_pattern(std::string_view pattern) {
  std::vector<DatePart> parts;
  std::string seen;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    std::size_t n = 1;
    while (i + n < pattern.size() && pattern[i + n] == c) ++n;
    const bool letter = to_lower(c) >= 'a' && to_lower(c) <= 'z';
    if (!letter) {
      parts.push_back({0, 0, std::string(pattern.substr(i, n))});
    } else {
      const bool good = (c == 'y' && n == 4) || ((c == 'M' || c == 'd') && n <= 2);
      if (!good || seen.find(c) != std::string::npos) {
        return Error{Errc::invalid, "a date pattern has yyyy, M or MM, d or dd, once each"};
      }
      seen += c;
      parts.push_back({c, static_cast<int>(n), {}});
    }
    i += n;
  }
  if (seen.size() != 3) {
    return Error{Errc::invalid, "a date pattern has yyyy, M or MM, d or dd, once each"};
  }
  return parts;
}

Trouble apply(const Call& call, const std::vector<Map>& maps, std::string_view& value,
              std::string& scratch) {
  if (call.function == Function::map) return look_up(maps[call.number], value);
  return simple(call, value, scratch) ? Trouble::none : Trouble::malformed;
}

std::string_view expectation(Function function) {
  switch (function) {
    case strip_prefix:
    case before:
    case after:
    case after_last:
      return "without the separator or prefix that the rule looks for";
    case matches:
      return "not of the form that the rule asks for";
    case max_length:
      return "too long";
    case uuid:
      return "no UUID";
    case boolean:
      return "none of true, false, 1 and 0";
    case integer:
      return "no integer";
    case date:
      return "no calendar day of the form that the rule asks for";
    case Function::time:
      return "no time of day without a zone";
    case instant:
      return "no instant: a date, a time and a zone";
    default:
      return "malformed";
  }
}

std::string shape(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::string out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    if (out.size() == kMost) return out + "...";
    if (is_digit(c)) {
      out += '9';
    } else if (c >= 'A' && c <= 'Z') {
      out += 'A';
    } else if (c >= 'a' && c <= 'z') {
      out += 'a';
    } else {
      out += std::string_view(".:-+/_").find(c) != std::string_view::npos ? c : '?';
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace flora::adapter
