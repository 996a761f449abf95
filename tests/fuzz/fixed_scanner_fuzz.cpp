// Any bytes: records and faults follow each other and cover the file; a record has the declared
// length, and its fields, cut one by one, are the record. The first two bytes choose charset, form
// and length.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "adapters/formats/record_scanner.h"
#include "gateway/base/bytes.h"

namespace {

using namespace flora::adapter;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_record(std::string_view record, Charset charset, std::size_t length) {
  std::string joined;
  for (std::size_t at = 0; at < length; at += 3) {
    joined += FixedScanner::cut(record, charset, at, at + 3 <= length ? 3 : length - at);
  }
  require(joined == record);
  require(FixedScanner::cut(record, charset, length, 1).empty());
  std::string decoded;
  if (decode(charset, record, decoded)) {
    require(decoded.empty());
    return;
  }
  require(flora::is_utf8(decoded));
  std::size_t characters = 0;
  for (const char c : decoded) characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  require(characters == length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto charset = static_cast<Charset>(data[0] & 3U);
  const bool adjacent = (data[0] & 4U) != 0 && charset != Charset::utf_8;
  const std::size_t length = 1 + std::size_t{data[1]};
  const std::string_view message(reinterpret_cast<const char*>(data) + 2, size - 2);

  FixedScanner scanner;
  scanner.reset(message, charset, length, adjacent ? FixedForm::adjacent : FixedForm::lines);
  std::size_t behind = 0;
  std::size_t line = 0;
  for (;;) {
    const RecordToken token = scanner.next();
    require(scanner.begin_offset() >= behind && scanner.end_offset() >= scanner.begin_offset() &&
            scanner.end_offset() <= message.size());
    const std::string_view between = message.substr(behind, scanner.begin_offset() - behind);
    if (token == RecordToken::done) {
      require(scanner.begin_offset() == message.size());
      require(between.find_first_not_of("\r\n\x1A\xEF\xBB\xBF") == std::string_view::npos);
      break;
    }
    require(scanner.line() == ++line);
    if (line == 1) {
      require(between.empty() || (charset == Charset::utf_8 && between == "\xEF\xBB\xBF"));
    } else {
      require(adjacent ? between.empty() : between == "\n" || between == "\r\n");
    }
    behind = scanner.end_offset();
    if (token == RecordToken::record) {
      require(scanner.record() ==
              message.substr(scanner.begin_offset(), behind - scanner.begin_offset()));
      check_record(scanner.record(), charset, length);
    } else {
      require(!scanner.error().code.empty() && scanner.record().empty());
      require(scanner.error().offset >= scanner.begin_offset() && scanner.error().offset <= behind);
    }
  }
  return 0;
}
