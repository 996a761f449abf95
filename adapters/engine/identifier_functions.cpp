// Identifiers and keys of a fixed form.
#include <algorithm>
#include <array>

#include "adapters/engine/function_kinds.h"
#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"

namespace flora::adapter::identifiers {
namespace {

constexpr std::size_t kUuidText = 36;

bool is_dash_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

// RFC 9562 §4, lower case.
Trouble uuid(const Call&, std::string_view& value, Scratch& scratch) {
  const std::string_view text = trimmed(value);
  if (text.size() != kUuidText) return Trouble::malformed;
  std::string& out = scratch.next();
  for (std::size_t i = 0; i < kUuidText; ++i) {
    const char c = to_lower(text[i]);
    const bool good = is_dash_place(i) ? c == '-' : is_digit(c) || (c >= 'a' && c <= 'f');
    if (!good) return Trouble::malformed;
    out += c;
  }
  value = out;
  return Trouble::none;
}

// RFC 9562 §5.5.
Trouble uuid5(const Call& call, std::string_view& value, Scratch& scratch) {
  std::array<std::byte, 20> digest = crypto::sha1({as_bytes(call.argument), as_bytes(value)});
  digest[6] = (digest[6] & std::byte{0x0F}) | std::byte{0x50};
  digest[8] = (digest[8] & std::byte{0x3F}) | std::byte{0x80};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string& out = scratch.next();
  for (std::size_t i = 0; i < 16; ++i) {
    if (is_dash_place(out.size())) out += '-';
    const auto byte = std::to_integer<unsigned>(digest[i]);
    out += kHex[byte >> 4];
    out += kHex[byte & 0xF];
  }
  value = out;
  return Trouble::none;
}

// Land 2 digits, Regierungsbezirk 3, Kreis 5, Gemeinde 8. A key of another length has lost digits,
// which nobody can put back.
Trouble ags(const Call& call, std::string_view& value, Scratch&) {
  const std::string_view text = trimmed(value);
  const std::size_t n = text.size();
  if (n != 2 && n != 3 && n != 5 && n != 8) return Trouble::malformed;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return Trouble::malformed;
  if (!text.starts_with(call.argument)) return Trouble::malformed;
  value = text;
  return Trouble::none;
}

}  // namespace flora::adapter::identifiers
