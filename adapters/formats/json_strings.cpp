// The part of JsonScanner that reads strings (RFC 8259 §7).
#include <bit>

#include "adapters/formats/block16.h"
#include "adapters/formats/json_scanner.h"
#include "adapters/formats/utf8.h"

namespace flora::adapter {

namespace {

constexpr std::size_t kFourDigits = 4;

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// 16 for what is no hexadecimal digit.
char32_t digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<char32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<char32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<char32_t>(c - 'A' + 10);
  return 16;
}

// The first quote, backslash, control character or byte beyond ASCII.
const char* end_of_plain(const char* p, const char* end) {
  for (; end - p >= std::ptrdiff_t{Block16::kSize}; p += Block16::kSize) {
    const Block16 block(p);
    const std::uint32_t stop = (block.equal('"') | block.equal('\\') | block.below(' ')).bits();
    if (stop != 0) return p + std::countr_zero(stop);
  }
  while (p != end && *p != '"' && *p != '\\' && static_cast<signed char>(*p) >= ' ') ++p;
  return p;
}

}  // namespace

// From the opening quote behind the closing one; text_ is what stands between them.
bool JsonScanner::string() {
  const char* from = ++p_;
  for (;;) {
    p_ = end_of_plain(p_, end_);
    if (p_ == end_) return fail(p_, "The message ends inside a string.");
    if (*p_ == '"') break;
    if (*p_ == '\\') return escaped_string(from);
    if (!multibyte()) return false;
  }
  decoded_ = false;
  text_ = {from, static_cast<std::size_t>(p_ - from)};
  ++p_;
  return true;
}

// The same for a string that is read up to its first escape.
bool JsonScanner::escaped_string(const char* from) {
  buffer_.clear();
  for (;;) {
    if (p_ == end_) return fail(p_, "The message ends inside a string.");
    if (*p_ == '"') break;
    if (*p_ == '\\') {
      buffer_.append(from, p_);
      if (!escape()) return false;
      from = p_;
    } else if (!multibyte()) {
      return false;
    }
    p_ = end_of_plain(p_, end_);
  }
  buffer_.append(from, p_);
  ++p_;
  decoded_ = true;
  text_ = buffer_;
  return true;
}

// A run of characters beyond ASCII; a control character is a fault.
bool JsonScanner::multibyte() {
  if (!is_beyond_ascii(*p_)) return fail(p_, "A control character stands inside a string.");
  do {
    const std::size_t size = read_utf8(p_, end_).size;
    if (size == 0) return fail(p_, "The message is not well-formed UTF-8.", "json-encoding");
    p_ += size;
  } while (p_ != end_ && is_beyond_ascii(*p_));
  return true;
}

bool JsonScanner::escape() {
  if (p_ + 1 == end_) return fail(end_, "The message ends inside a string.");
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (const std::size_t i = kNames.find(p_[1]); i != std::string_view::npos) {
    buffer_ += kValues[i];
    p_ += 2;
    return true;
  }
  return p_[1] == 'u' ? unicode_escape() : fail(p_ + 1, "An escape is unknown.");
}

bool JsonScanner::unicode_escape() {
  constexpr std::string_view kLone = "An escape is one half of a surrogate pair only.";
  char32_t code = 0;
  if (!four_digits(p_ + 2, code)) return false;
  const char* behind = p_ + 2 + kFourDigits;
  if (code == 0) return fail(p_, "The character U+0000 is not accepted.", "json-encoding");
  if (code >= 0xDC00 && code <= 0xDFFF) return fail(p_, kLone, "json-encoding");
  if (code >= 0xD800 && code <= 0xDBFF) {
    char32_t low = 0;
    if (end_ - behind < 2 || behind[0] != '\\' || behind[1] != 'u') {
      return fail(p_, kLone, "json-encoding");
    }
    if (!four_digits(behind + 2, low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return fail(p_, kLone, "json-encoding");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    behind += 2 + kFourDigits;
  }
  append_utf8(buffer_, code);
  p_ = behind;
  return true;
}

bool JsonScanner::four_digits(const char* from, char32_t& code) {
  for (std::size_t i = 0; i < kFourDigits; ++i) {
    if (from + i == end_) return fail(end_, "The message ends inside a string.");
    const char32_t digit = digit_of(from[i]);
    if (digit > 15) return fail(from + i, "An escape needs four hexadecimal digits.");
    code = code << 4 | digit;
  }
  return true;
}

}  // namespace flora::adapter
