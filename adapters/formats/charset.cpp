#include "adapters/formats/charset.h"

#include <array>
#include <bit>

#include "adapters/formats/block16.h"
#include "adapters/formats/utf8.h"

namespace flora::adapter {

namespace {

// What the bytes from 0x80 mean; 0 is no text.
using HighHalf = std::array<char16_t, 128>;

constexpr HighHalf make_iso_8859_1() {
  HighHalf half{};
  for (std::size_t byte = 0xA0; byte <= 0xFF; ++byte) {
    half[byte - 0x80] = static_cast<char16_t>(byte);
  }
  return half;
}

constexpr HighHalf make_iso_8859_15() {
  HighHalf half = make_iso_8859_1();
  half[0xA4 - 0x80] = u'\u20AC';
  half[0xA6 - 0x80] = u'\u0160';
  half[0xA8 - 0x80] = u'\u0161';
  half[0xB4 - 0x80] = u'\u017D';
  half[0xB8 - 0x80] = u'\u017E';
  half[0xBC - 0x80] = u'\u0152';
  half[0xBD - 0x80] = u'\u0153';
  half[0xBE - 0x80] = u'\u0178';
  return half;
}

constexpr HighHalf make_windows_1252() {
  HighHalf half = make_iso_8859_1();
  constexpr std::array<char16_t, 32> kFirst = {
      0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
  for (std::size_t i = 0; i < kFirst.size(); ++i) half[i] = kFirst[i];
  return half;
}

constexpr HighHalf kIso88591 = make_iso_8859_1();
constexpr HighHalf kIso885915 = make_iso_8859_15();
constexpr HighHalf kWindows1252 = make_windows_1252();

// How many bytes at the beginning are plain ASCII.
std::size_t plain_prefix(std::string_view bytes) {
  std::size_t at = 0;
  for (; bytes.size() - at >= Block16::kSize; at += Block16::kSize) {
    const Block16 block(bytes.data() + at);
    const std::uint32_t other = block.below(' ').bits() & ~block.equal('\t').bits();
    if (other != 0) return at + static_cast<std::size_t>(std::countr_zero(other));
  }
  while (at < bytes.size()) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (byte >= 0x80 || (byte < ' ' && byte != '\t')) break;
    ++at;
  }
  return at;
}

std::optional<std::size_t> decode_utf8(std::string_view bytes, std::string& out) {
  for (std::size_t at = plain_prefix(bytes); at < bytes.size();) {
    const Utf8Character c = read_utf8(bytes.data() + at, bytes.data() + bytes.size());
    if (c.size < 2 || c.code == 0xFFFE || c.code == 0xFFFF) return at;
    at += c.size;
    at += plain_prefix(bytes.substr(at));
  }
  out += bytes;
  return std::nullopt;
}

std::optional<std::size_t> decode_single(const HighHalf& half, std::string_view bytes,
                                         std::string& out) {
  const std::size_t before = out.size();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const std::size_t plain = plain_prefix(bytes.substr(at));
    out.append(bytes, at, plain);
    at += plain;
    if (at == bytes.size()) break;
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const char16_t code = byte < 0x80 ? u'\0' : half[byte - 0x80U];
    if (code == 0) {
      out.resize(before);
      return at;
    }
    append_utf8(out, code);
  }
  return std::nullopt;
}

// Which byte of a single-byte set a character is.
std::optional<char> byte_of(Charset charset, std::string_view character) {
  std::string meaning;
  for (int byte = 1; byte <= 0xFF; ++byte) {
    const char one = static_cast<char>(byte);
    meaning.clear();
    if (!decode(charset, {&one, 1}, meaning) && meaning == character) return one;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Charset> find_charset(std::string_view name) {
  if (name == "utf-8") return Charset::utf_8;
  if (name == "iso-8859-1") return Charset::iso_8859_1;
  if (name == "iso-8859-15") return Charset::iso_8859_15;
  if (name == "windows-1252") return Charset::windows_1252;
  return std::nullopt;
}

std::optional<std::size_t> decode(Charset charset, std::string_view bytes, std::string& out) {
  switch (charset) {
    case Charset::iso_8859_1:
      return decode_single(kIso88591, bytes, out);
    case Charset::iso_8859_15:
      return decode_single(kIso885915, bytes, out);
    case Charset::windows_1252:
      return decode_single(kWindows1252, bytes, out);
    case Charset::utf_8:
      break;
  }
  return decode_utf8(bytes, out);
}

std::optional<std::string> encode(Charset charset, std::string_view utf8) {
  std::string out;
  if (charset == Charset::utf_8)
    return decode(charset, utf8, out) ? std::nullopt : std::optional(out);
  for (std::size_t at = 0; at < utf8.size();) {
    const Utf8Character c = read_utf8(utf8.data() + at, utf8.data() + utf8.size());
    const std::optional<char> byte = byte_of(charset, utf8.substr(at, c.size));
    if (!byte) return std::nullopt;
    out += *byte;
    at += c.size;
  }
  return out;
}

bool is_plain_ascii(std::string_view bytes) { return plain_prefix(bytes) == bytes.size(); }

}  // namespace flora::adapter
