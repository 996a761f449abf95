// Any bytes as hex, Base 64, UTF-8, UUID, instant, day and identifiers: what is taken is written
// back the same, and a normal form is its own.
#include <string>

#include "gateway/base/bytes.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"
#include "gateway/model/transaction.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using fuzz::require;

// RFC 3629 §4, byte by byte: the length of the first character, or 0 if it is ill-formed.
std::size_t character(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

bool is_utf8_by_the_book(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void check_bytes(std::string_view text) {
  require(is_utf8(text) == is_utf8_by_the_book(text));
  require(from_hex(to_hex(as_bytes(text))) == text);
  require(from_base64(to_base64(as_bytes(text))) == text);
  if (const auto bytes = from_hex(text)) require(bytes->size() * 2 == text.size());
  if (const auto bytes = from_base64(text)) require(to_base64(as_bytes(*bytes)) == text);
}

void check_values(std::string_view text) {
  if (const auto id = parse_uuid(text)) require(parse_uuid(to_string(*id)) == id);
  if (const auto instant = parse_instant(text)) {
    require(parse_instant(to_string(*instant)) == instant);
  }
  if (const auto day = parse_day(text)) require(to_string(*day) == text);
}

void check_identifiers(std::string_view text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const auto type = parse_identifier_type(text.substr(0, end));
  if (!type) return;
  const auto normal = normal_form(*type, text.substr(std::min(end + 1, text.size())));
  if (!normal) return;
  const auto again = normal_form(*type, *normal);
  require(again.has_value() && *again == *normal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_bytes(text);
  check_values(text);
  if (is_utf8(text)) check_identifiers(text);
  (void)parse_transaction(text);
  return 0;
}
