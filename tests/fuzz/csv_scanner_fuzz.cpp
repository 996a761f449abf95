// Any bytes: records and faults follow each other and cover the file, with line ends between them;
// what is decoded is UTF-8. The first two bytes choose charset, dialect and limits.
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

bool is_line_end(std::string_view text) { return text == "\n" || text == "\r\n"; }

bool is_line_ends(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = text.starts_with("\r\n") ? 2 : 1;
    if (!is_line_end(text.substr(0, size))) return false;
    text.remove_prefix(size);
  }
  return true;
}

void check_fields(const CsvScanner& scanner, std::string_view message, Charset charset) {
  static std::string decoded;
  std::size_t behind = scanner.begin_offset();
  require(!scanner.fields().empty());
  for (const CsvScanner::Field& field : scanner.fields()) {
    require(field.offset >= behind && field.offset + field.text.size() <= scanner.end_offset());
    behind = field.offset + field.text.size();
    if (!field.quoted) require(field.text.data() == message.data() + field.offset);
    decoded.clear();
    if (const auto fault = decode(charset, field.text, decoded)) {
      require(*fault < field.text.size() && decoded.empty());
    } else {
      require(flora::is_utf8(decoded));
      if (is_plain_ascii(field.text)) require(decoded == field.text);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto charset = static_cast<Charset>(data[0] & 3U);
  CsvDialect dialect;
  dialect.delimiter = ";,\t|"[data[0] >> 2 & 3U];
  if ((data[0] & 16U) != 0) dialect.quote = std::nullopt;
  if ((data[0] & 32U) != 0) dialect.quote = '\'';
  const CsvLimits limits = {.record_bytes = std::size_t{1} << (data[1] & 15U),
                            .columns = 1 + std::size_t{data[1]} / 16};
  const std::string_view message(reinterpret_cast<const char*>(data) + 2, size - 2);

  static CsvScanner scanner;
  scanner.reset(message, charset, dialect, limits);
  std::size_t behind = 0;
  std::size_t line = 1;
  bool fatal = false;
  for (bool first = true;; first = false) {
    const RecordToken token = scanner.next();
    require(scanner.begin_offset() >= behind && scanner.end_offset() >= scanner.begin_offset() &&
            scanner.end_offset() <= message.size());
    const std::string_view between = message.substr(behind, scanner.begin_offset() - behind);
    if (token == RecordToken::done) {
      require(is_line_ends(first && charset == Charset::utf_8 && between.starts_with("\xEF\xBB\xBF")
                               ? between.substr(3)
                               : between));
      require(scanner.begin_offset() == message.size());
      break;
    }
    require(!fatal);
    require(first ? between.empty() || (charset == Charset::utf_8 && between == "\xEF\xBB\xBF")
                  : is_line_end(between));
    require(scanner.line() >= line);
    line = scanner.line();
    behind = scanner.end_offset();
    if (token == RecordToken::record) {
      require(scanner.fields().size() <= limits.columns);
      require(behind - scanner.begin_offset() <= limits.record_bytes);
      check_fields(scanner, message, charset);
    } else {
      require(!scanner.error().code.empty() && scanner.fields().empty());
      require(scanner.error().offset >= scanner.begin_offset() && scanner.error().offset <= behind);
      fatal = scanner.fatal();
      if (fatal) require(behind == message.size());
    }
  }
  return 0;
}
