#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "adapters/formats/record_scanner.h"

namespace flora::adapter {
namespace {

struct Settings {
  Charset charset = Charset::utf_8;
  CsvDialect dialect = {};
  CsvLimits limits = {};
};

// What a scan reports, one line each: `[begin,end)line` and the fields, or the code and its offset.
std::string scan(const std::string& message, const Settings& settings = {}) {
  CsvScanner scanner;
  scanner.reset(message, settings.charset, settings.dialect, settings.limits);
  std::string report;
  for (RecordToken token = scanner.next(); token != RecordToken::done; token = scanner.next()) {
    report += '[' + std::to_string(scanner.begin_offset()) + ',' +
              std::to_string(scanner.end_offset()) + ')' + std::to_string(scanner.line());
    if (token == RecordToken::error) {
      report += ' ' + std::string(scanner.error().code) + '@' +
                std::to_string(scanner.error().offset) + (scanner.fatal() ? " fatal\n" : "\n");
      if (scanner.error().reason.empty()) FAIL_CHECK("an error without a reason");
      if (!scanner.fields().empty()) FAIL_CHECK("an error with fields");
      continue;
    }
    for (const CsvScanner::Field& field : scanner.fields()) {
      report += (field.quoted ? " Q" : " ") + std::to_string(field.offset) + '<' +
                std::string(field.text) + '>';
    }
    report += '\n';
  }
  if (scanner.begin_offset() != message.size() || scanner.next() != RecordToken::done) {
    FAIL_CHECK("done, but not at the end");
  }
  return report;
}

}  // namespace

TEST_CASE("records are cut at delimiters and at both line ends") {
  CHECK(scan("a;b\nc;d\r\ne;f") ==
        "[0,3)1 0<a> 2<b>\n"
        "[4,7)2 4<c> 6<d>\n"
        "[9,12)3 9<e> 11<f>\n");
  CHECK(scan("a") == "[0,1)1 0<a>\n");
  CHECK(scan(";") == "[0,1)1 0<> 1<>\n");
  CHECK(scan(";;\n;") == "[0,2)1 0<> 1<> 2<>\n[3,4)2 3<> 4<>\n");
  CHECK(scan("a\tb;c\n", {.dialect = {.delimiter = '\t'}}) == "[0,5)1 0<a> 2<b;c>\n");
  CHECK(scan(" a ; b \n") == "[0,7)1 0< a > 4< b >\n");
}

TEST_CASE("fields without doubled quotes are views into the message") {
  const std::string message = "a;\"b\"\n";
  CsvScanner scanner;
  scanner.reset(message, Charset::utf_8);
  REQUIRE(scanner.next() == RecordToken::record);
  REQUIRE(scanner.fields().size() == 2);
  CHECK(scanner.fields()[0].text.data() == message.data());
  CHECK(scanner.fields()[1].text.data() == message.data() + 3);
}

TEST_CASE("quoted fields hold delimiters, line ends and doubled quotes") {
  CHECK(scan("\"a;b\";\"c\nd\r\ne\"\nf") ==
        "[0,14)1 Q1<a;b> Q7<c\nd\r\ne>\n"
        "[15,16)4 15<f>\n");
  CHECK(scan("\"\"\"\";\"\";\"a\"\"b\"\"\"\"c\"\r\n") == "[0,19)1 Q1<\"> Q6<> Q9<a\"b\"\"c>\n");
  CHECK(scan("'it''s';\"x\"\n", {.dialect = {.quote = '\''}}) == "[0,11)1 Q1<it's> 8<\"x\">\n");
  CHECK(scan("a;\"b\"") == "[0,5)1 0<a> Q3<b>\n");
  CHECK(scan("\"a\";\n") == "[0,4)1 Q1<a> 4<>\n");
}

TEST_CASE("without quoting a quote is a character like others") {
  const CsvDialect dialect = {.quote = std::nullopt};
  CHECK(scan("\"a;b\"c\n\";\"", {.dialect = dialect}) ==
        "[0,6)1 0<\"a> 3<b\"c>\n"
        "[7,10)2 7<\"> 9<\">\n");
}

TEST_CASE("empty lines are faults in the middle, and nothing at the end") {
  CHECK(scan("") == "");
  CHECK(scan("\n") == "");
  CHECK(scan("\r\n\n\r\n") == "");
  CHECK(scan("a\n\n\r\n\n") == "[0,1)1 0<a>\n");
  CHECK(scan("a\n\n\r\nb") ==
        "[0,1)1 0<a>\n"
        "[2,2)2 csv-empty-record@2\n"
        "[3,3)3 csv-empty-record@3\n"
        "[5,6)4 5<b>\n");
  CHECK(scan("\"\"\n\"\"\n") == "[0,2)1 Q1<>\n[3,5)2 Q4<>\n");
}

TEST_CASE("a faulty record is reported with its place, and the next one is read") {
  struct Case {
    std::string faulty;
    std::string code;
    std::size_t offset;
  };
  const std::vector<Case> cases = {
      {"x\"y;z", "csv-stray-quote", 1},
      {"x;yz\"", "csv-stray-quote", 4},
      {"x; \"y\"", "csv-stray-quote", 3},
      {"x;y\"z\"", "csv-stray-quote", 3},
      {"\"x\"y;z", "csv-text-after-quote", 3},
      {"\"x\" ;z", "csv-text-after-quote", 3},
      {"\"x\"\"\" ", "csv-text-after-quote", 5},
      {std::string("\"x\"\0", 4), "csv-text-after-quote", 3},
      {"x\ry", "csv-bare-cr", 1},
      {"\rx", "csv-bare-cr", 0},
      {"x\r", "csv-bare-cr", 1},
      {"x\r\r", "csv-bare-cr", 1},
      {"\"x\ry\"", "csv-bare-cr", 2},
      {"\"x\"\ry", "csv-bare-cr", 3},
      {"\"x\r\";y", "csv-bare-cr", 2},
      {std::string("x\0y", 3), "csv-nul", 1},
      {std::string("\0", 1), "csv-nul", 0},
      {std::string("\"x\n\0\";y", 7), "csv-nul", 3},
      {"1;2;3;4;5", "csv-too-many-columns", 8},
      {"1;2;3;4;\"5\n\"", "csv-too-many-columns", 9},
      {"1;2;3;4;", "csv-too-many-columns", 8},
      {std::string(41, 'x'), "csv-record-too-long", 40},
      {"\"" + std::string(40, 'x') + "\"", "csv-record-too-long", 40},
      {"\"\n" + std::string(40, 'x') + "\";y", "csv-record-too-long", 40},
      {"1;2;3;4;5" + std::string(40, 'x'), "csv-too-many-columns", 8},
  };
  const Settings settings = {.limits = {.record_bytes = 40, .columns = 4}};
  for (const Case& c : cases) {
    for (const std::string line_end : {"\n", "\r\n"}) {
      if (c.faulty.ends_with("\r") && line_end == "\n") continue;  // That is a line end.
      CAPTURE(c.faulty);
      const auto lines =
          static_cast<std::size_t>(std::count(c.faulty.begin(), c.faulty.end(), '\n'));
      const std::size_t end = 3 + line_end.size() + c.faulty.size();
      const std::size_t next = end + line_end.size();
      const std::string first = "[0,3)1 0<a> 2<b>\n";
      const std::string fault = "[" + std::to_string(3 + line_end.size()) + "," +
                                std::to_string(end) + ")2 " + c.code + "@" +
                                std::to_string(3 + line_end.size() + c.offset) + "\n";
      const std::string last = "[" + std::to_string(next) + "," + std::to_string(next + 1) + ")" +
                               std::to_string(3 + lines) + " " + std::to_string(next) + "<c>\n";
      CHECK(scan("a;b" + line_end + c.faulty + line_end + "c", settings) == first + fault + last);
      CHECK(scan("a;b" + line_end + c.faulty, settings) == first + fault);
    }
  }
}

TEST_CASE("behind a quote that cannot be trusted the next line is read as a record") {
  CHECK(scan("a\"b;\"c\nd\";e\nf\n") ==
        "[0,6)1 csv-stray-quote@1\n"
        "[7,11)2 csv-stray-quote@8\n"
        "[12,13)3 12<f>\n");
  CHECK(scan("\"a\nb\"c;\"d\ne;f\n") ==
        "[0,9)1 csv-text-after-quote@5\n"
        "[10,13)3 10<e> 12<f>\n");
}

TEST_CASE("where the quotes can be trusted a fault ends with its record") {
  CHECK(scan("a\rb;\"c\nd\";e\nf\n") ==
        "[0,11)1 csv-bare-cr@1\n"
        "[12,13)3 12<f>\n");
  CHECK(scan("1;2;\"3\n3\"\nf\n", {.limits = {.columns = 2}}) ==
        "[0,9)1 csv-too-many-columns@5\n"
        "[10,11)3 10<f>\n");
}

TEST_CASE("of several faults in a record the first is reported") {
  CHECK(scan("a\rb\"c\n") == "[0,5)1 csv-bare-cr@1\n");
  CHECK(scan("\"a\r\"b;c\rd\ne") == "[0,9)1 csv-bare-cr@2\n[10,11)2 10<e>\n");
}

TEST_CASE("a quote that is never closed ends the scan") {
  CHECK(scan("a;b\nc;\"d\ne;f\ng\n\n") ==
        "[0,3)1 0<a> 2<b>\n"
        "[4,16)2 csv-unclosed-quote@6 fatal\n");
  CHECK(scan("\"") == "[0,1)1 csv-unclosed-quote@0 fatal\n");
  CHECK(scan("\"\"\"") == "[0,3)1 csv-unclosed-quote@0 fatal\n");
  CHECK(scan("\"a\n\n") == "[0,4)1 csv-unclosed-quote@0 fatal\n");
}

TEST_CASE("a quoted field that runs over lines for longer than a record may be is not closed") {
  const std::string eight = "1234567\n";
  CHECK(scan("\"" + eight + eight + "\"\na\n", {.limits = {.record_bytes = 16}}) ==
        "[0,18)1 csv-record-too-long@16\n[19,20)4 19<a>\n");
  CHECK(scan("\"" + eight + eight + "\n\"\na\n", {.limits = {.record_bytes = 16}}) ==
        "[0,22)1 csv-unclosed-quote@0 fatal\n");
}

TEST_CASE("a byte order mark is passed over in UTF-8 and a fault in other sets") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(scan(mark + "a;b\nc") == "[3,6)1 3<a> 5<b>\n[7,8)2 7<c>\n");
  CHECK(scan(mark + "\"a\"") == "[3,6)1 Q4<a>\n");
  CHECK(scan(mark) == "");
  CHECK(scan(mark + "\r\n\n") == "");
  CHECK(scan("a\n" + mark + "b") == "[0,1)1 0<a>\n[2,6)2 2<" + mark + "b>\n");
  for (const Charset charset : {Charset::iso_8859_1, Charset::iso_8859_15, Charset::windows_1252}) {
    CHECK(scan(mark + "a;\"b\n\"\nc", {.charset = charset}) ==
          "[0,9)1 csv-unexpected-bom@0\n[10,11)3 10<c>\n");
    CHECK(scan(mark, {.charset = charset}) == "[0,3)1 csv-unexpected-bom@0\n");
    CHECK(scan(mark + "\n", {.charset = charset}) == "[0,3)1 csv-unexpected-bom@0\n");
  }
}

TEST_CASE("a scanner is as new after reset, also after a fatal error") {
  CsvScanner scanner;
  scanner.reset("a;\"", Charset::utf_8);
  REQUIRE(scanner.next() == RecordToken::error);
  REQUIRE(scanner.fatal());
  const std::string message = "\nb";
  scanner.reset(message, Charset::utf_8);
  CHECK_FALSE(scanner.fatal());
  CHECK(scanner.next() == RecordToken::error);
  REQUIRE(scanner.next() == RecordToken::record);
  CHECK(scanner.fields()[0].text == "b");
  CHECK(scanner.line() == 2);
}

}  // namespace flora::adapter
