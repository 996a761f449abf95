#include "adapters/formats/json_scanner.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace flora::adapter {
namespace {

using Token = JsonScanner::Token;

struct Case {
  std::string message;
  std::size_t offset;
};

JsonScanner::Error error_of(std::string_view message, const JsonLimits& limits = {}) {
  JsonScanner scanner;
  scanner.reset(message, limits);
  for (;;) {
    const Token token = scanner.next();
    if (token == Token::done) return {};
    if (token != Token::error) continue;
    if (scanner.next() != Token::error) FAIL_CHECK("an error that does not last");
    if (scanner.begin_offset() != scanner.error().offset) FAIL_CHECK("an error elsewhere");
    return scanner.error();
  }
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (; times > 0; --times) out += text;
  return out;
}

// An object of so many members, each name of 21 bytes.
std::string object_of(std::size_t members) {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) {
    const std::string number = std::to_string(1000000 + i);
    text += (i == 0 ? "\"" : ",\"") + ("angaben" + number + "-xyz123") + "\":" + number;
  }
  return text + "}";
}

// One line for each token: its place and text.
std::string scan(std::string_view message) {
  static constexpr const char* kNames[] = {"{",      "}",       "[",    "]",    "name", "string",
                                           "number", "boolean", "null", "done", "error"};
  JsonScanner scanner;
  scanner.reset(message);
  std::string report;
  for (;;) {
    const Token token = scanner.next();
    report += '[' + std::to_string(scanner.begin_offset()) + ',' +
              std::to_string(scanner.end_offset()) + ')' + kNames[static_cast<std::size_t>(token)] +
              '<' + std::string(scanner.text()) + ">\n";
    if (token == Token::done || token == Token::error) return report;
  }
}

}  // namespace

TEST_CASE("tokens come in the order of the text, each with its place") {
  CHECK(scan(R"( {"a" : [1, "x", {}], "b":true,"c":null} )") ==
        "[1,2){<>\n"
        "[2,5)name<a>\n"
        "[8,9)[<>\n"
        "[9,10)number<1>\n"
        "[12,15)string<x>\n"
        "[17,18){<>\n"
        "[18,19)}<>\n"
        "[19,20)]<>\n"
        "[22,25)name<b>\n"
        "[26,30)boolean<true>\n"
        "[31,34)name<c>\n"
        "[35,39)null<null>\n"
        "[39,40)}<>\n"
        "[41,41)done<>\n");
  CHECK(scan("\xEF\xBB\xBF-1.5e+7") == "[3,10)number<-1.5e+7>\n[10,10)done<>\n");
  CHECK(scan("[]\n") == "[0,1)[<>\n[1,2)]<>\n[3,3)done<>\n");
}

TEST_CASE("strings are decoded, and are views into the message where there is nothing to decode") {
  const std::string message =
      R"(["plain \/ \" \\ \b\f\n\r\t", "\u00e4\u20AC\ud83d\uDE00x", "ä€😀"])";
  JsonScanner scanner;
  scanner.reset(message);
  REQUIRE(scanner.next() == Token::begin_array);
  REQUIRE(scanner.next() == Token::string);
  CHECK(scanner.text() == "plain / \" \\ \b\f\n\r\t");
  REQUIRE(scanner.next() == Token::string);
  CHECK(scanner.text() == "ä€😀x");
  REQUIRE(scanner.next() == Token::string);
  CHECK(scanner.text() == "ä€😀");
  CHECK(scanner.text().data() == message.data() + scanner.begin_offset() + 1);
}

TEST_CASE("surrogate pairs are read from the first to the last") {
  CHECK(scan(R"("\ud800\udc00\uDBFF\uDFFF\ud7ff\ue000")")
            .find("<\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\xED\x9F\xBF\xEE\x80\x80>") !=
        std::string::npos);
  CHECK(error_of(R"("\ud800\udbff")").offset == 1);
  CHECK(error_of(R"("\ud800\ue000")").offset == 1);
}

TEST_CASE("what the grammar allows is taken") {
  for (const std::string_view good :
       {"0",
        "-0",
        "0.0",
        "-0.5E-3",
        "1e5",
        "1E+5",
        "123456789012345678901234567890",
        "1e999",
        "\"\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "{\"\":0}",
        " [ ] ",
        "\r\n\t {\t\"a\"\n:\r1 ,\n\n\n                             \"b\":2}",
        "\"\x7F\"",
        "\"\\u0001\"",
        "\"\xEF\xBF\xBF\"",
        "\"\\ufffe\"",
        "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
        "[{\"a\":1},{\"a\":1}]"}) {
    CAPTURE(good);
    CHECK(error_of(good).code == "");
  }
}

TEST_CASE("what is not JSON is refused, with the place of the first byte that cannot be") {
  const std::vector<Case> cases = {
      {"", 0},
      {" ", 1},
      {"\xEF\xBB\xBF", 3},
      {"\xEF\xBB\xBF\xEF\xBB\xBF 1", 3},
      {" \xEF\xBB\xBF 1", 1},
      {"{", 1},
      {"[", 1},
      {"[1", 2},
      {"[1,", 3},
      {"[1,]", 3},
      {"[,1]", 1},
      {"[1,,2]", 3},
      {"[1 2]", 3},
      {"[1}", 2},
      {"{]", 1},
      {"]", 0},
      {"{\"a\"", 4},
      {"{\"a\":", 5},
      {"{\"a\":}", 5},
      {"{\"a\" 1}", 5},
      {"{\"a\",1}", 4},
      {"{\"a\"::1}", 5},
      {"{\"a\":1", 6},
      {"{\"a\":1,", 7},
      {"{\"a\":1,}", 7},
      {"{\"a\":1 \"b\":2}", 7},
      {"{\"a\":1]", 6},
      {"{,}", 1},
      {"{a:1}", 1},
      {"{'a':1}", 1},
      {"{1:1}", 1},
      {"{null:1}", 1},
      {"01", 1},
      {"-01", 2},
      {"00", 1},
      {"+1", 0},
      {"-", 1},
      {"- 1", 1},
      {"--1", 1},
      {"1.", 2},
      {"1.x", 2},
      {"1.e5", 2},
      {".5", 0},
      {"-.5", 1},
      {"1e", 2},
      {"1e+", 3},
      {"1e+-1", 3},
      {"1.5.5", 3},
      {"0x1", 1},
      {"1_000", 1},
      {"NaN", 0},
      {"Infinity", 0},
      {"-Infinity", 1},
      {"nul", 0},
      {"nulL", 0},
      {"True", 0},
      {"truex", 4},
      {"[true false]", 6},
      {"// x\n1", 0},
      {"/* x */1", 0},
      {"[1/* x */]", 2},
      {"1#", 1},
      {"1 2", 2},
      {"{} {}", 3},
      {"{}}", 2},
      {"\"a\"b", 3},
      {"\"", 1},
      {"\"a", 2},
      {"'a'", 0},
      {"\"a\nb\"", 2},
      {"\"a\tb\"", 2},
      {"\"\x1F\"", 1},
      {std::string("\"\0\"", 3), 1},
      {"{\"a\rb\":1}", 3},
      {"\"\\", 2},
      {"\"\\\"", 3},
      {"\"\\x\"", 2},
      {"\"\\U0041\"", 2},
      {std::string("\"\\\0\"", 4), 2},
      {"\"\\u", 3},
      {"\"\\u12", 5},
      {"\"\\u12\"", 5},
      {"\"\\u12g4\"", 5},
      {"\"\\u-123\"", 3},
      {"\"\\ud800\\u00", 11},
      {"\"\\ud800\\u00zz\"", 11},
      {"\"\\u0041\nb\"", 7},
      {"\v1", 0},
      {"\f1", 0},
      {"\xC2\xA0"
       "1",
       0},
      {"[1\xE2\x80\xA8]", 2},
      {std::string("[1\0]", 4), 2},
      {std::string("1 \0", 3), 2},
  };
  for (const Case& c : cases) {
    CAPTURE(c.message);
    const JsonScanner::Error error = error_of(c.message);
    CHECK(error.code == "json-malformed");
    CHECK(error.offset == c.offset);
    CHECK(error.reason.ends_with('.'));
  }
}

TEST_CASE("what is no text is refused, with the place of its first byte") {
  const std::vector<Case> cases = {
      {"\"\xFF\"", 1},
      {"\"a\x80\"", 2},
      {"\"\xC0\x80\"", 1},
      {"\"\xC3\"", 1},
      {"\"\xC3", 1},
      {"\"\xE2\x82\"", 1},
      {"\"\xC3\xA4\xE0\x80\x80\"", 3},
      {"\"\xED\xA0\x80\"", 1},
      {"\"\xF4\x90\x80\x80\"", 1},
      {"\"\xF8\x88\x80\x80\x80\"", 1},
      {"\"\\n\xFF\"", 3},
      {"{\"a\xFF\":1}", 3},
      {"\"\\u0000\"", 1},
      {"\"ab\\u0000\"", 3},
      {"{\"\\u0000\":1}", 2},
      {"\"\\ud800\"", 1},
      {"\"\\udc00\"", 1},
      {"\"\\udc00\\ud800\"", 1},
      {"\"\\ud800x\"", 1},
      {"\"\\ud800\\n\"", 1},
      {"\"\\ud800\\u0041\"", 1},
      {"\"\\ud800\\ud800\"", 1},
      {"\"\\ud83d\\ude00\\ud83d\"", 13},
      {"\xFF\xFE[\0]\0", 0},
      {"\xFE\xFF", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.message);
    const JsonScanner::Error error = error_of(c.message);
    CHECK(error.code == "json-encoding");
    CHECK(error.offset == c.offset);
  }
}

TEST_CASE("a fault has its place wherever it stands in a long string or long white space") {
  for (std::size_t before = 0; before < 70; ++before) {
    const std::string text = "\"" + std::string(before, 'x');
    CHECK(error_of(text + "\x01 and more text behind it\"").offset == before + 1);
    CHECK(error_of(text + "\xFF and more text behind it\"").offset == before + 1);
    CHECK(error_of(text + "\\q and more text behind it\"").offset == before + 2);
    CHECK(error_of(text).offset == before + 1);
    CHECK(error_of(text + "\"").code == "");
    const std::string space = repeated(" \n", before);
    CHECK(error_of(space + "? and more text behind it").offset == 2 * before);
    CHECK(error_of(space + "1" + space + "?").offset == 4 * before + 1);
    CHECK(error_of(space + "1" + space).code == "");
  }
}

TEST_CASE("a name that occurs twice in one object is refused, however it is written") {
  for (const Case& c : std::vector<Case>{
           {R"({"a":1,"a":2})", 7},
           {R"({"a":1,"b":2,"a":3})", 13},
           {R"({"a":1,"\u0061":2})", 7},
           {R"({"\u0061":1,"a":2})", 12},
           {R"({"\u0061":1,"\u0061":2})", 12},
           {R"({"":1,"":2})", 6},
           {R"({"a":{"b":1,"c":{},"b":1}})", 19},
           {R"({"a":{"b":1},"b":{"a":1},"a":1})", 25},
           {R"([{"ä":1,"\u00e4":2}])", 9},
           {R"({"x\ny":{"x\ny":1,"\t":2},"\t":3,"x\ny":4})", 33},
       }) {
    CAPTURE(c.message);
    const JsonScanner::Error error = error_of(c.message);
    CHECK(error.code == "json-duplicate-name");
    CHECK(error.offset == c.offset);
  }
  CHECK(error_of(R"({"a":{"a":{"a":1},"b":1},"b":{"a":1},"c":1,"\u00e4":1,"e":1})").code == "");
}

TEST_CASE("a name that occurs twice is found among many names too") {
  for (const std::size_t members : {2U, 15U, 16U, 17U, 18U, 31U, 32U, 33U, 64U, 65U, 200U, 1000U}) {
    std::string object = object_of(members);
    CHECK(error_of(object).code == "");
    object.pop_back();
    for (const std::size_t twice : {std::size_t{0}, members / 2, members - 1}) {
      const std::string name = "\"angaben" + std::to_string(1000000 + twice) + "-xyz123\"";
      // Objects inside, small and large, do not disturb it.
      const std::string inside = object + ",\"x\":[" + object + "}," + object + "}],\"y\":{},";
      const JsonScanner::Error error = error_of(inside + name + ":0}");
      CHECK(error.code == "json-duplicate-name");
      CHECK(error.offset == inside.size());
    }
  }
}

TEST_CASE("names that differ in one byte are told apart at every length") {
  std::string text = "{\"\":0";
  for (std::size_t size = 1; size <= 30; ++size) {
    text += ",\"" + std::string(size, 'a') + "\":0";
    for (std::size_t at = 0; at < size; ++at) {
      std::string name(size, 'a');
      name[at] = 'b';
      text += ",\"" + name + "\":0";
    }
  }
  CHECK(error_of(text + "}").code == "");
}

TEST_CASE("depth and members are bounded") {
  CHECK(error_of("[[[1]]]", {.depth = 3}).code == "");
  CHECK(error_of("[[[[1]]]]", {.depth = 3}).code == "json-too-deep");
  CHECK(error_of("[[[[1]]]]", {.depth = 3}).offset == 3);
  CHECK(error_of("{\"a\":[{}]}", {.depth = 2}).offset == 6);
  CHECK(error_of("1", {.depth = 0}).code == "");
  CHECK(error_of("[]", {.depth = 0}).code == "json-too-deep");
  CHECK(error_of(repeated("[", 100000)).offset == 64);
  CHECK(error_of(object_of(1024)).code == "");
  CHECK(error_of(object_of(1025)).code == "json-limit");
  CHECK(error_of("{\"a\":1,\"b\":{\"c\":1,\"d\":2},\"e\":3}", {.members = 3}).code == "");
  CHECK(error_of("{\"a\":1,\"b\":{\"c\":1,\"d\":2},\"e\":3}", {.members = 2}).offset == 25);
}

TEST_CASE("a value is passed over whole, also in an array, where its end is told") {
  const std::string message = R"({"a":{"b":[1,{}],"c":2},"d":[3,[4],"x",null],"e":5})";
  JsonScanner scanner;
  scanner.reset(message);
  REQUIRE(scanner.next() == Token::begin_object);
  REQUIRE(scanner.next() == Token::name);
  REQUIRE(scanner.skip_value() == Token::begin_object);
  CHECK(scanner.begin_offset() == 5);
  CHECK(scanner.end_offset() == 23);
  REQUIRE(scanner.next() == Token::name);
  CHECK(scanner.text() == "d");
  REQUIRE(scanner.next() == Token::begin_array);
  CHECK(scanner.skip_value() == Token::number);
  CHECK(scanner.skip_value() == Token::begin_array);
  CHECK(scanner.begin_offset() == 31);
  CHECK(scanner.end_offset() == 34);
  CHECK(scanner.next() == Token::string);
  CHECK(scanner.skip_value() == Token::null);
  CHECK(scanner.skip_value() == Token::end_array);
  REQUIRE(scanner.next() == Token::name);
  CHECK(scanner.skip_value() == Token::number);
  CHECK(scanner.text() == "5");
  CHECK(scanner.next() == Token::end_object);
  CHECK(scanner.next() == Token::done);
  CHECK(scanner.skip_value() == Token::done);
}

TEST_CASE("what is passed over is checked") {
  for (const std::string_view bad :
       {"[1,]", "[{\"a\":1,\"a\":2}]", "[\"\\ud800\"]", "[\"\xFF\"]", "[01]", "[1", "{\"a\":[}"}) {
    CAPTURE(bad);
    JsonScanner scanner;
    scanner.reset(bad);
    CHECK(scanner.skip_value() == Token::error);
    CHECK(scanner.error().offset == error_of(bad).offset);
    CHECK(scanner.error().code == error_of(bad).code);
    CHECK(scanner.next() == Token::error);
  }
}

TEST_CASE("a JSON scanner is as new after reset") {
  JsonScanner scanner;
  scanner.reset("{\"a\":[{\"a\":[\"");
  while (scanner.next() != Token::error) {
  }
  scanner.reset("{\"a\":1}");
  CHECK(scanner.next() == Token::begin_object);
  CHECK(scanner.next() == Token::name);
  CHECK(scanner.next() == Token::number);
  CHECK(scanner.next() == Token::end_object);
  CHECK(scanner.next() == Token::done);
  CHECK(scanner.error().code == "");
}

}  // namespace flora::adapter
