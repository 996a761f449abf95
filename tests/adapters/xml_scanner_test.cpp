#include "adapters/formats/xml_scanner.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "adapters/formats/text_position.h"

namespace flora::adapter {
namespace {

XmlScanner::Error error_of(const std::string& document, const XmlLimits& limits = {}) {
  XmlScanner scanner;
  scanner.reset(document, {}, limits);
  for (;;) {
    const XmlScanner::Token token = scanner.next();
    if (token == XmlScanner::Token::done) return {};
    if (token == XmlScanner::Token::error) return scanner.error();
  }
}

}  // namespace

TEST_CASE("names carry the number of their namespace, whatever the prefix") {
  const std::string document =
      "<x:a xmlns:x='urn:1' xmlns:y='urn:2' y:b='1' c='2'><d xmlns='urn:3'/></x:a>";
  const std::vector<std::string> spaces = {"urn:2", "urn:1"};
  XmlScanner scanner;
  scanner.reset(document, spaces);
  REQUIRE(scanner.next() == XmlScanner::Token::start);
  CHECK(scanner.local() == "a");
  CHECK(scanner.space() == 2);
  REQUIRE(scanner.attributes().size() == 2);
  CHECK(scanner.attributes()[0].space == 1);
  CHECK(scanner.attributes()[1].space == 0);
  REQUIRE(scanner.next() == XmlScanner::Token::start);
  CHECK(scanner.space() == -1);
  CHECK(scanner.uri() == "urn:3");
  CHECK(scanner.next() == XmlScanner::Token::end);
  CHECK(scanner.next() == XmlScanner::Token::end);
  CHECK(scanner.next() == XmlScanner::Token::done);
  CHECK(scanner.next() == XmlScanner::Token::done);
}

TEST_CASE("text is a view into the message") {
  const std::string document = "<a>some text</a>";
  XmlScanner scanner;
  scanner.reset(document);
  REQUIRE(scanner.next() == XmlScanner::Token::start);
  REQUIRE(scanner.next() == XmlScanner::Token::text);
  CHECK(scanner.text().data() == document.data() + 3);
  CHECK(scanner.text() == "some text");
}

TEST_CASE("document types, entities and other encodings are refused by name") {
  CHECK(error_of("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>").code ==
        "xml-doctype");
  CHECK(error_of("<a>&x;</a>").code == "xml-entity");
  CHECK(error_of("<?xml version='1.0' encoding='ISO-8859-1'?><a/>").code == "xml-encoding");
  CHECK(error_of("<?xml version='1.1'?><a/>").code == "xml-malformed");
  CHECK(error_of(std::string("\xFF\xFE<\0a\0/\0>\0", 10)).code == "xml-malformed");
}

TEST_CASE("depth, attributes, declarations and names are bounded") {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  CHECK(error_of(deep).code == "xml-too-deep");
  CHECK(error_of("<a><a><a/></a></a>", {.depth = 3}).code.empty());
  CHECK(error_of("<a><a><a/></a></a>", {.depth = 2}).code == "xml-too-deep");
  CHECK(error_of("<a b='' c=''/>", {.attributes = 1}).code == "xml-limit");
  CHECK(error_of("<a xmlns:b='u' xmlns:c='v'/>", {.bindings = 1}).code == "xml-limit");
  CHECK(error_of("<abcd/>", {.name_bytes = 3}).code == "xml-limit");
}

TEST_CASE("errors know their line and column, in characters") {
  const std::string document = "<a>\r\n\xC3\xA4\r</b></a>";
  const XmlScanner::Error error = error_of(document);
  CHECK(error.code == "xml-malformed");
  CHECK(error.offset == 8);
  const TextPosition position = position_in(document, error.offset);
  CHECK(position.line == 3);
  CHECK(position.column == 1);
  CHECK(position_in("\xEF\xBB\xBF<a>", 4).column == 2);
  CHECK(position_in("a\xC3\xA4"
                    "b",
                    3)
            .column == 3);
}

TEST_CASE("line ends in text and CDATA become one line feed each") {
  const std::string document = "<a>1\r\n2\r3\n<![CDATA[4\r\r\n5\r]]></a>";
  XmlScanner scanner;
  scanner.reset(document);
  std::string text;
  for (XmlScanner::Token token = scanner.next(); token != XmlScanner::Token::done;
       token = scanner.next()) {
    REQUIRE(token != XmlScanner::Token::error);
    if (token == XmlScanner::Token::text) text += scanner.text();
  }
  CHECK(text == "1\n2\n3\n4\n\n5\n");
}

}  // namespace flora::adapter
