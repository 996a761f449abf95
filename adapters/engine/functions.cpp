#include "adapters/engine/functions.h"

#include <algorithm>
#include <array>

#include "adapters/engine/function_kinds.h"

namespace flora::adapter {
namespace {

constexpr Signature text_function(std::string_view name, Function function, Run* run,
                                  Argument argument = Argument::none,
                                  std::string_view refusal = "malformed") {
  return {name, function, Type::text, Type::text, argument, false, refusal, run};
}

constexpr std::string_view kNoSeparator = "without the separator that the rule looks for";
constexpr std::string_view kOtherForm = "not of the form that the rule asks for";
constexpr std::string_view kNoInteger = "no integer of the form that the rule asks for";

constexpr std::array kFunctions = {
    text_function("trim", Function::trim, texts::trim),
    text_function("collapse_space", Function::collapse_space, texts::collapse_space),
    text_function("nfc", Function::nfc, texts::nfc),
    text_function("upper", Function::upper, texts::upper),
    text_function("lower", Function::lower, texts::lower),
    text_function("remove", Function::remove, texts::remove, Argument::text),
    text_function("prefix", Function::prefix, texts::prefix, Argument::text),
    text_function("suffix", Function::suffix, texts::suffix, Argument::text),
    text_function("strip_prefix", Function::strip_prefix, texts::strip_prefix, Argument::text,
                  "without the prefix that the rule takes away"),
    text_function("strip_suffix", Function::strip_suffix, texts::strip_suffix, Argument::text,
                  "without the suffix that the rule takes away"),
    text_function("before", Function::before, texts::before, Argument::text, kNoSeparator),
    text_function("after", Function::after, texts::after, Argument::text, kNoSeparator),
    text_function("after_last", Function::after_last, texts::after_last, Argument::text,
                  kNoSeparator),
    text_function("part", Function::part, texts::part, Argument::part,
                  "of fewer parts than the rule looks for"),
    text_function("substr", Function::substr, texts::substr, Argument::substring,
                  "too short for what the rule cuts out"),
    text_function("truncate", Function::truncate, texts::truncate, Argument::length),
    text_function("replace", Function::replace, texts::replace, Argument::replacement,
                  "too long after what the rule puts in"),
    text_function("capture", Function::capture, texts::capture, Argument::capture, kOtherForm),
    text_function("strip_country_suffix", Function::strip_country_suffix,
                  texts::strip_country_suffix),
    text_function("matches", Function::matches, texts::matches, Argument::pattern, kOtherForm),
    text_function("max_length", Function::max_length, texts::max_length, Argument::length,
                  "too long"),
    text_function("digits", Function::digits, texts::digits, Argument::digits,
                  "not of as many digits as the rule asks for, and of nothing else"),
    text_function("one_of", Function::one_of, texts::one_of, Argument::texts,
                  "none of those that the rule lists"),
    text_function("absent_if", Function::absent_if, texts::absent_if, Argument::texts),
    text_function("uuid", Function::uuid, identifiers::uuid, Argument::none, "no UUID"),
    text_function("uuid5", Function::uuid5, identifiers::uuid5, Argument::uuid),
    text_function("ags", Function::ags, identifiers::ags, Argument::land,
                  "no municipality key (AGS) of the Land"),
    Signature{"boolean", Function::boolean, Type::text, Type::boolean, Argument::none, false,
              "none of true, false, 1 and 0", numbers::boolean},
    Signature{"integer", Function::integer, Type::text, Type::integer, Argument::none, false,
              "no integer", numbers::integer},
    Signature{"integer_de", Function::integer_de, Type::text, Type::integer, Argument::none, false,
              kNoInteger, numbers::integer_de},
    Signature{"integer_en", Function::integer_en, Type::text, Type::integer, Argument::none, false,
              kNoInteger, numbers::integer_en},
    Signature{"between", Function::between, Type::integer, Type::integer, Argument::range, false,
              "out of the range of the rule", numbers::between},
    Signature{"date", Function::date, Type::text, Type::day, Argument::date, true,
              "no calendar day of the form that the rule asks for", times::date},
    Signature{"time", Function::time, Type::text, Type::time, Argument::time, true,
              "no time of day of the form that the rule asks for, without a zone", times::time},
    Signature{"local", Function::local, Type::text, Type::instant, Argument::local, false,
              "no local time of the form that the rule asks for, or one that the clocks skip or "
              "show twice",
              times::local},
    Signature{"instant", Function::instant, Type::text, Type::instant, Argument::none, false,
              "no instant: a date, a time and a zone", times::instant},
    text_function("map", Function::map, nullptr, Argument::map),
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kFunctions.size(); ++i) {
    if (static_cast<std::size_t>(kFunctions[i].function) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const Signature> functions() { return kFunctions; }

const Signature& signature(Function function) {
  return kFunctions[static_cast<std::size_t>(function)];
}

const Signature* find_function(std::string_view name) {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                  [&](const Signature& s) { return s.name == name; });
  return found == kFunctions.end() ? nullptr : &*found;
}

Trouble apply(const Call& call, std::string_view& value, Scratch& scratch) {
  return signature(call.function).run(call, value, scratch);
}

Trouble look_up(const Map& map, Day day, std::string_view& value) {
  auto row = std::lower_bound(
      map.rows.begin(), map.rows.end(), value,
      [](const Map::Row& known, std::string_view source) { return known.source < source; });
  const bool known = row != map.rows.end() && row->source == value;
  for (; row != map.rows.end() && row->source == value; ++row) {
    if (map.dated && (day < row->first || day > row->last)) continue;
    value = row->target;
    return Trouble::none;
  }
  if (map.on_unmapped == Map::Unmapped::absent) return Trouble::absent;
  return known ? Trouble::invalid_then : Trouble::unmapped;
}

std::string shape(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::string out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    if (out.size() == kMost) return out + "...";
    if (is_digit(c)) {
      out += '9';
    } else if (is_upper(c)) {
      out += 'A';
    } else if (is_lower(c)) {
      out += 'a';
    } else {
      out += std::string_view(".:-+/_").find(c) != std::string_view::npos ? c : '?';
    }
  }
  return out;
}

}  // namespace flora::adapter
