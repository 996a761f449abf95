#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "adapters/formats/record_scanner.h"

namespace flora::adapter {
namespace {

// One line for each record or fault: `[begin,end)line<record>`, or the code and its offset.
std::string scan(const std::string& message, std::size_t length, FixedForm form = FixedForm::lines,
                 Charset charset = Charset::iso_8859_1) {
  FixedScanner scanner;
  scanner.reset(message, charset, length, form);
  std::string report;
  for (RecordToken token = scanner.next(); token != RecordToken::done; token = scanner.next()) {
    report += '[' + std::to_string(scanner.begin_offset()) + ',' +
              std::to_string(scanner.end_offset()) + ')' + std::to_string(scanner.line());
    if (token == RecordToken::error) {
      report += ' ' + std::string(scanner.error().code) + '@' +
                std::to_string(scanner.error().offset) + '\n';
      if (scanner.error().reason.empty()) FAIL_CHECK("an error without a reason");
      if (!scanner.record().empty()) FAIL_CHECK("an error with a record");
    } else {
      report += '<' + std::string(scanner.record()) + ">\n";
    }
  }
  if (scanner.begin_offset() != message.size() || scanner.next() != RecordToken::done) {
    FAIL_CHECK("done, but not at the end");
  }
  return report;
}

}  // namespace

TEST_CASE("lines of the declared length are records") {
  CHECK(scan("abc\ndef\r\nghi", 3) == "[0,3)1<abc>\n[4,7)2<def>\n[9,12)3<ghi>\n");
  CHECK(scan("abc\n", 3) == "[0,3)1<abc>\n");
  CHECK(scan("", 3) == "");
  CHECK(scan("a b\n   \n", 3) == "[0,3)1<a b>\n[4,7)2<   >\n");
}

TEST_CASE("records may follow each other without line ends") {
  CHECK(scan("abcdef", 3, FixedForm::adjacent) == "[0,3)1<abc>\n[3,6)2<def>\n");
  CHECK(scan("", 3, FixedForm::adjacent) == "");
  CHECK(scan("abcde", 3, FixedForm::adjacent) == "[0,3)1<abc>\n[3,5)2 fixed-length@5\n");
  CHECK(scan("abc\nde", 3, FixedForm::adjacent) == "[0,3)1<abc>\n[3,6)2 fixed-control@3\n");
}

TEST_CASE("in UTF-8 the length is in characters") {
  const std::string umlauts = "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
  CHECK(scan(umlauts + "\nabc\n", 3, FixedForm::lines, Charset::utf_8) ==
        "[0,9)1<" + umlauts + ">\n[10,13)2<abc>\n");
  CHECK(scan(umlauts + "\n", 2, FixedForm::lines, Charset::utf_8) == "[0,9)1 fixed-length@5\n");
  CHECK(scan(umlauts + "\n", 4, FixedForm::lines, Charset::utf_8) == "[0,9)1 fixed-length@9\n");
  CHECK(scan("abcdefghi", 9, FixedForm::lines, Charset::utf_8) == "[0,9)1<abcdefghi>\n");
  CHECK(scan("\xC3\xA4", 2, FixedForm::lines, Charset::iso_8859_1) == "[0,2)1<\xC3\xA4>\n");
}

TEST_CASE("a record of other length is a fault, and the next one is read") {
  CHECK(scan("abc\nde\nfgh", 3) == "[0,3)1<abc>\n[4,6)2 fixed-length@6\n[7,10)3<fgh>\n");
  CHECK(scan("abc\ndefg\r\nhij", 3) == "[0,3)1<abc>\n[4,8)2 fixed-length@7\n[10,13)3<hij>\n");
  CHECK(scan("abc\n\ndef", 3) == "[0,3)1<abc>\n[4,4)2 fixed-length@4\n[5,8)3<def>\n");
}

TEST_CASE("a NUL or a part of a line end inside a record is a fault") {
  CHECK(scan("a\rb\ncde", 3) == "[0,3)1 fixed-control@1\n[4,7)2<cde>\n");
  CHECK(scan(std::string("ab\0\ncde", 7), 3) == "[0,3)1 fixed-control@2\n[4,7)2<cde>\n");
  CHECK(scan("ab\r\r\ncde", 3) == "[0,3)1 fixed-control@2\n[5,8)2<cde>\n");
}

TEST_CASE("empty lines and one end-of-file mark of DOS are passed over at the very end") {
  CHECK(scan("abc\r\n\x1A", 3) == "[0,3)1<abc>\n");
  CHECK(scan("abc\x1A", 3) == "[0,3)1<abc>\n");
  CHECK(scan("abc\n\r\n\n\x1A", 3) == "[0,3)1<abc>\n");
  CHECK(scan("abc\x1A", 3, FixedForm::adjacent) == "[0,3)1<abc>\n");
  CHECK(scan("\x1A", 3) == "");
  CHECK(scan("abc\n\x1A\n", 3) == "[0,3)1<abc>\n[4,5)2 fixed-length@5\n");
  CHECK(scan("abc\n\x1A\x1A", 3) == "[0,3)1<abc>\n[4,5)2 fixed-length@5\n");
}

TEST_CASE("a byte order mark is passed over in UTF-8 fixed records and a fault in other sets") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(scan(mark + "abc\n", 3, FixedForm::lines, Charset::utf_8) == "[3,6)1<abc>\n");
  CHECK(scan(mark, 3, FixedForm::lines, Charset::utf_8) == "");
  CHECK(scan(mark + "abc\ndef", 3) == "[0,6)1 fixed-unexpected-bom@0\n[7,10)2<def>\n");
  CHECK(scan(mark + "abcdef", 3, FixedForm::adjacent) ==
        "[0,6)1 fixed-unexpected-bom@0\n[6,9)2<def>\n");
  CHECK(scan(mark, 3) == "[0,3)1 fixed-unexpected-bom@0\n");
}

TEST_CASE("fields are cut by the places of characters") {
  const std::string ascii = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
  std::vector<std::string> characters = {"\xC3\xA4", "\xC3\xB6", "\xE2\x82\xAC"};
  for (const char c : ascii) characters.emplace_back(1, c);
  characters.emplace_back("\xF0\x9F\x98\x80");
  std::string record;
  for (const std::string& c : characters) record += c;
  for (std::size_t at = 0; at <= characters.size() + 2; ++at) {
    for (std::size_t length = 0; length <= characters.size() + 2; ++length) {
      std::string expected;
      for (std::size_t i = at; i < at + length && i < characters.size(); ++i) {
        expected += characters[i];
      }
      CHECK(FixedScanner::cut(record, Charset::utf_8, at, length) == expected);
      CHECK(FixedScanner::cut(ascii, Charset::windows_1252, at, length) ==
            ascii.substr(std::min(at, ascii.size()), length));
    }
  }
}

TEST_CASE("fields of ill-formed UTF-8 are the record, if put together") {
  const std::string record = "\x80\x80z\xC3\xC3\xA4\xBFy";
  std::string joined;
  for (std::size_t at = 0; at < 5; ++at) {
    joined += FixedScanner::cut(record, Charset::utf_8, at, 1);
    CHECK(FixedScanner::cut(record, Charset::utf_8, at, 0).empty());
  }
  CHECK(joined == record);
}

TEST_CASE("a fixed file that is cut at any byte loses its last record only") {
  const std::string file = "abcdefghij\r\nklmnopqrst\nuvwxyz0123\r\n";
  const std::string whole = scan(file, 10);
  for (std::size_t n = 0; n < file.size(); ++n) {
    const std::string part = scan(file.substr(0, n), 10);
    const std::size_t last = part.empty() ? 0 : part.rfind('\n', part.size() - 2) + 1;
    CHECK(whole.starts_with(part.substr(0, last)));
    const bool good = whole.starts_with(part);
    CHECK(good == (part.find("fixed-") == std::string::npos));
  }
}

}  // namespace flora::adapter
