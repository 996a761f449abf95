// Functions from text to text. Characters are Unicode code points; texts are UTF-8.
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <array>
#include <optional>

#include "adapters/engine/function_kinds.h"
#include "gateway/base/bytes.h"

namespace flora::adapter::texts {
namespace {

constexpr std::size_t kMostReplaced = 4096;
constexpr int kMostGroups = 10;  // \0 to \9.

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// Where the character with this number (from 0) begins; the size of the text if it has just as
// many.
std::optional<std::size_t> offset_of(std::size_t number, std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (begins_character(utf8[i]) && number-- == 0) return i;
  }
  return number == 0 ? std::optional(utf8.size()) : std::nullopt;
}

std::string_view first_character(std::string_view utf8) {
  std::size_t n = 1;
  while (n < utf8.size() && !begins_character(utf8[n])) ++n;
  return utf8.substr(0, n);
}

Trouble unless(bool good) { return good ? Trouble::none : Trouble::malformed; }

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const re2::StringPiece& text) { return {text.data(), text.size()}; }

Trouble change_case(char (*change)(char), std::string_view& value, Scratch& scratch) {
  std::string& out = scratch.next();
  out = value;
  std::transform(out.begin(), out.end(), out.begin(), change);
  value = out;
  return Trouble::none;
}

// What stands before the separator at `at`, and behind it; malformed if there is none (npos).
Trouble keep_before(std::size_t at, std::string_view& value) {
  if (at == std::string_view::npos) return Trouble::malformed;
  value = value.substr(0, at);
  return Trouble::none;
}

Trouble keep_after(std::size_t at, std::size_t size, std::string_view& value) {
  if (at == std::string_view::npos) return Trouble::malformed;
  value.remove_prefix(at + size);
  return Trouble::none;
}

// The part with this number, counted from 1.
std::optional<std::string_view> part_from_start(std::string_view text, std::string_view by,
                                                std::int64_t number) {
  for (; number > 1; --number) {
    const std::size_t at = text.find(by);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + by.size());
  }
  return text.substr(0, text.find(by));
}

std::optional<std::string_view> part_from_end(std::string_view text, std::string_view by,
                                              std::int64_t number) {
  for (; number > 1; --number) {
    const std::size_t at = text.rfind(by);
    if (at == std::string_view::npos) return std::nullopt;
    text = text.substr(0, at);
  }
  const std::size_t at = text.rfind(by);
  return at == std::string_view::npos ? text : text.substr(at + by.size());
}

// One match from `from` on, with as many groups as the replacement names. The place is looked for
// first and the groups in it: so RE2 needs no memory for what it can match in one pass.
bool find(const re2::RE2& pattern, std::string_view text, std::size_t from, int groups,
          std::array<re2::StringPiece, kMostGroups>& found) {
  if (!pattern.Match(piece(text), from, text.size(), re2::RE2::UNANCHORED, found.data(), 1)) {
    return false;
  }
  if (groups == 1) return true;
  const auto begin = static_cast<std::size_t>(found[0].data() - text.data());
  return pattern.Match(piece(text), begin, begin + found[0].size(), re2::RE2::ANCHOR_BOTH,
                       found.data(), groups);
}

}  // namespace

Trouble trim(const Call&, std::string_view& value, Scratch&) {
  value = trimmed(value);
  return Trouble::none;
}

Trouble collapse_space(const Call&, std::string_view& value, Scratch& scratch) {
  std::string& out = scratch.next();
  for (const char c : trimmed(value)) {
    if (!is_space(c)) {
      out += c;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  value = out;
  return Trouble::none;
}

// Most texts are in normal form already, which is found out without writing.
Trouble nfc(const Call&, std::string_view& value, Scratch& scratch) {
  const bool ascii = std::all_of(value.begin(), value.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return Trouble::none;
  if (!is_utf8(value)) return Trouble::malformed;
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status) != 0) return Trouble::malformed;
  const icu::StringPiece text(value.data(), static_cast<std::int32_t>(value.size()));
  if (form->isNormalizedUTF8(text, status) != 0) return Trouble::none;
  std::string& out = scratch.next();
  icu::StringByteSink<std::string> sink(&out);
  form->normalizeUTF8(0, text, sink, nullptr, status);
  value = out;
  return unless(U_FAILURE(status) == 0);
}

Trouble upper(const Call&, std::string_view& value, Scratch& scratch) {
  return change_case(to_upper, value, scratch);
}

Trouble lower(const Call&, std::string_view& value, Scratch& scratch) {
  return change_case(to_lower, value, scratch);
}

Trouble remove(const Call& call, std::string_view& value, Scratch& scratch) {
  std::string& out = scratch.next();
  for (std::string_view rest = value; !rest.empty();) {
    const std::string_view character = first_character(rest);
    if (call.argument.find(character) == std::string::npos) out += character;
    rest.remove_prefix(character.size());
  }
  value = out;
  return Trouble::none;
}

Trouble prefix(const Call& call, std::string_view& value, Scratch& scratch) {
  value = scratch.next().append(call.argument).append(value);
  return Trouble::none;
}

Trouble suffix(const Call& call, std::string_view& value, Scratch& scratch) {
  value = scratch.next().append(value).append(call.argument);
  return Trouble::none;
}

Trouble strip_prefix(const Call& call, std::string_view& value, Scratch&) {
  if (!value.starts_with(call.argument)) return Trouble::malformed;
  value.remove_prefix(call.argument.size());
  return Trouble::none;
}

Trouble strip_suffix(const Call& call, std::string_view& value, Scratch&) {
  if (!value.ends_with(call.argument)) return Trouble::malformed;
  value.remove_suffix(call.argument.size());
  return Trouble::none;
}

Trouble before(const Call& call, std::string_view& value, Scratch&) {
  return keep_before(value.find(call.argument), value);
}

Trouble after(const Call& call, std::string_view& value, Scratch&) {
  return keep_after(value.find(call.argument), call.argument.size(), value);
}

Trouble after_last(const Call& call, std::string_view& value, Scratch&) {
  return keep_after(value.rfind(call.argument), call.argument.size(), value);
}

Trouble part(const Call& call, std::string_view& value, Scratch&) {
  const std::optional<std::string_view> found =
      call.position > 0 ? part_from_start(value, call.argument, call.position)
                        : part_from_end(value, call.argument, -call.position);
  if (found) value = *found;
  return unless(found.has_value());
}

Trouble substr(const Call& call, std::string_view& value, Scratch&) {
  const std::optional<std::size_t> begin = offset_of(call.number - 1, value);
  if (!begin || *begin == value.size()) return Trouble::malformed;
  value.remove_prefix(*begin);
  const auto end = offset_of(static_cast<std::size_t>(call.most), value);
  if (call.most != 0 && end) value = value.substr(0, *end);
  return Trouble::none;
}

Trouble truncate(const Call& call, std::string_view& value, Scratch&) {
  if (const auto end = offset_of(call.number, value)) value = value.substr(0, *end);
  return Trouble::none;
}

// All matches from left to right, as RE2::GlobalReplace finds them: an empty match counts, but not
// right behind another match.
Trouble replace(const Call& call, std::string_view& value, Scratch& scratch) {
  const int groups = static_cast<int>(call.number);
  std::array<re2::StringPiece, kMostGroups> found;
  std::string& out = scratch.next();
  std::size_t done = 0;
  std::optional<std::size_t> last_end;
  for (std::size_t from = 0;
       from <= value.size() && find(*call.pattern, value, from, groups, found);) {
    const auto begin = static_cast<std::size_t>(found[0].data() - value.data());
    const std::size_t end = begin + found[0].size();
    if (begin != end || last_end != begin) {
      out.append(value.substr(done, begin - done));
      call.pattern->Rewrite(&out, call.argument, found.data(), groups);
      done = end;
    }
    last_end = end;
    from = begin != end ? end
                        : end + std::max<std::size_t>(1, first_character(value.substr(end)).size());
    if (out.size() > kMostReplaced) return Trouble::malformed;
  }
  out.append(value.substr(done));
  value = out;
  return unless(out.size() <= kMostReplaced);
}

Trouble capture(const Call& call, std::string_view& value, Scratch&) {
  std::array<re2::StringPiece, 2> found;
  if (!call.pattern->Match(piece(value), 0, value.size(), re2::RE2::ANCHOR_BOTH, found.data(), 2)) {
    return Trouble::malformed;
  }
  value = found[1].data() == nullptr ? std::string_view() : view(found[1]);
  return unless(found[1].data() != nullptr);
}

// A file number may be printed with the three digits of a country behind it: 1234567-475.
Trouble strip_country_suffix(const Call&, std::string_view& value, Scratch&) {
  const std::size_t n = value.size();
  if (n > 4 && value[n - 4] == '-' && is_digit(value[n - 3]) && is_digit(value[n - 2]) &&
      is_digit(value[n - 1])) {
    value.remove_suffix(4);
  }
  return Trouble::none;
}

Trouble matches(const Call& call, std::string_view& value, Scratch&) {
  return unless(re2::RE2::FullMatch(piece(value), *call.pattern));
}

Trouble max_length(const Call& call, std::string_view& value, Scratch&) {
  const std::optional<std::size_t> end = offset_of(call.number, value);
  return unless(!end || *end == value.size());
}

Trouble digits(const Call& call, std::string_view& value, Scratch&) {
  const auto size = static_cast<std::int64_t>(value.size());
  return unless(size >= call.least && size <= call.most &&
                std::all_of(value.begin(), value.end(), is_digit));
}

Trouble one_of(const Call& call, std::string_view& value, Scratch&) {
  return unless(std::binary_search(call.words.begin(), call.words.end(), value));
}

Trouble absent_if(const Call& call, std::string_view& value, Scratch&) {
  const bool found = std::binary_search(call.words.begin(), call.words.end(), value);
  return found ? Trouble::absent : Trouble::none;
}

}  // namespace flora::adapter::texts
