// Documents by small bundles: what of XML, SOAP and JSON is a value, what is a row, and what is
// neither.
#include <doctest/doctest.h>

#include <string>

#include "tests/adapters/translator.h"

namespace flora::adapter {
namespace {

const std::string kXmlRules =
    "namespaces: { a: [\"urn:a\"] }\nmessages: [ { root: \"a:m\", events: [ { name: one } ] } ]\n";
const std::string kNoValue = "0 value-missing 1:1 identifier-missing 1:1";

// What becomes of a message with this content.
std::string xml(const std::string& azr, const std::string& content, const std::string& input = "") {
  const Translator t(bundle("input: { format: xml" + input + " }\n", azr, kXmlRules));
  return t("<m xmlns='urn:a' xmlns:o='urn:o' xmlns:p='urn:a'>" + content + "</m>");
}

std::string json(const std::string& azr, const std::string& message,
                 const std::string& input = "") {
  return Translator(bundle("input: { format: json" + input + " }\n", azr, kAnyEvents))(message);
}

std::string json_rows(const std::string& place, const std::string& message) {
  return Translator(bundle("input: { format: json }\n", "./n",
                           "events: [ { for_each: \"" + place + "\" } ]\n"))(message);
}

const std::string kSoap11 = "http://schemas.xmlsoap.org/soap/envelope/";
const std::string kSoap12 = "http://www.w3.org/2003/05/soap-envelope";

std::string envelope(const std::string& content, const std::string& uri = kSoap11) {
  return "<s:Envelope xmlns:s='" + uri + "' xmlns:q='urn:a'>" + content + "</s:Envelope>";
}

const std::string kPayload = "<q:m><q:x n='990101000001'/></q:m>";
const std::string kBody = "<s:Body>" + kPayload + "</s:Body>";

std::string soap(const std::string& message, const std::string& input = "") {
  return Translator(bundle("input: { format: soap" + input + " }\n", "a:x/@n", kXmlRules))(message);
}

}  // namespace

TEST_CASE("a text of XML is one value, whatever parts it") {
  CHECK(xml("a:n", "<n>990101<!-- - -->00<?p i?>00<![CDATA[01]]></n>") == "1");
  CHECK(xml("a:n", "<n>&#57;&#x39;0101000001</n>") == "1");
  CHECK(xml("a:n", "<n/>").starts_with("0 value-malformed 1:50"));
  CHECK(xml("a:n", "<n>990101000001<x/></n>").starts_with("0 value-structured 1:50"));
  CHECK(xml("a:n", "<n><x/>990101000001</n>").starts_with("0 value-structured 1:50"));
  CHECK(xml("a:n", "<n>990101000001</n><o:x y='1' y='2'/>").starts_with("0 xml-malformed"));
}

TEST_CASE("elements and attributes of XML are told by their namespace") {
  CHECK(xml("a:n", "<o:n>1</o:n><n xmlns=''>2</n><p:n>990101000001</p:n>") == "1");
  CHECK(xml("a:n", "<n>990101000001</n><p:n>990101000001</p:n>").starts_with("0 value-repeated"));
  CHECK(xml("a:x/a:n", "<x><n>990101000001</n></x><x><n>990101000001</n></x>")
            .starts_with("0 value-repeated 1:53"));
  CHECK(xml("a:x/@n", "<x n='990101000001' p:n='1' o:n='2'/>") == "1");
  CHECK(xml("a:x/@a:n", "<x n='1' p:n='990101000001' o:n='2'/>") == "1");
  CHECK(xml("a:x/@n", "<x n=''/>").starts_with("0 value-malformed 1:53"));
}

TEST_CASE("a filter of XML takes the first row that fits, wherever its key stands") {
  const std::string place = "a:i[a:k=\"A\"]/a:v";
  CHECK(xml(place, "<i><k>B</k><v>1</v></i><i><v>990101000001</v><k>A</k></i>") == "1");
  CHECK(xml(place, "<i><k>A</k></i><i><k>A</k><v>990101000001</v></i>") == kNoValue);
  CHECK(xml(place, "<i><v>990101000001</v></i>") == kNoValue);
  CHECK(xml("a:i[@k=\"\u00E4\"]/a:v", "<i k='a\u0308'><v>990101000001</v></i>") == "1");
}

TEST_CASE("a value has at most value_bytes, also in parts or with escapes") {
  const std::string input = ", limits: { value_bytes: 12 }";
  CHECK(xml("a:n", "<n>990101<!-- -->000001</n>", input) == "1");
  CHECK(xml("a:n", "<n>990101<!-- -->0000011</n>", input).starts_with("0 value-too-long 1:50"));
  CHECK(xml("a:x/@n", "<x n='9901010000011'/>", input).starts_with("0 value-too-long 1:53"));
  CHECK(json("/n", R"({"n":"99010100000\u0031"})", input) == "1");
  CHECK(json("/n", R"({"n":9901010000011})", input).starts_with("0 value-too-long 1:6"));
  CHECK(json("/x/n", R"({"n":"longer than that, but not read","x":{"n":"990101000001"}})", input) ==
        "1");
}

TEST_CASE("a header block must be understood if the envelope's own attribute says so") {
  for (const std::string& uri : {kSoap11, kSoap12}) {
    const std::string& other = uri == kSoap11 ? kSoap12 : kSoap11;
    const auto with = [&](const std::string& block) {
      return soap(envelope("<s:Header><first/>" + block + "</s:Header>" + kBody, uri));
    };
    CHECK(with("<b mustUnderstand='1'/>") == "1");
    CHECK(with("<b xmlns:o='" + other + "' o:mustUnderstand='1'/>") == "1");
    CHECK(with("<b><c s:mustUnderstand='1'/></b>") == "1");
    for (const char* no : {"0", "false"})
      CHECK(with(std::string("<b s:mustUnderstand='") + no + "'/>") == "1");
    for (const char* yes : {"1", "true", "", "yes"}) {
      CHECK(with(std::string("<b s:mustUnderstand='") + yes + "'/>")
                .starts_with("0 soap-must-understand 1:"));
    }
  }
}

TEST_CASE("around the one message of an envelope stand blanks, comments and nothing else") {
  CHECK(soap(envelope("<!-- c --><?p i?> <s:Body s:encodingStyle='e'>\n<!-- c -->" + kPayload +
                      "<![CDATA[ ]]></s:Body><!-- c -->\n")) == "1");
  CHECK(soap(envelope("<s:Header>text</s:Header>" + kBody)) == "1");
  CHECK(soap(envelope("text" + kBody)) == "0 soap-envelope 1:81");
  CHECK(soap(envelope(kBody + "text")) == "0 soap-envelope 1:132");
  CHECK(soap(envelope(kBody + "<x/>")) == "0 soap-envelope 1:132");
  CHECK(soap(envelope("<s:Body>" + kPayload + "<![CDATA[x]]></s:Body>")) == "0 soap-body 1:132");
  CHECK(soap(envelope("<s:Header/><s:Header/>" + kBody)) == "0 soap-envelope 1:92");
  CHECK(soap(envelope("<s:Header>" + kBody + "</s:Header>")).starts_with("0 soap-envelope"));
  CHECK(soap(envelope("<s:Body>" + envelope(kBody) + "</s:Body>")) == "0 message-unknown 1:89");
  CHECK(soap("<s:envelope xmlns:s='" + kSoap11 + "'/>") == "0 soap-envelope 1:1");
}

TEST_CASE("an envelope is a document like others") {
  CHECK(soap("") == "0 xml-malformed 1:1");
  CHECK(soap("<!DOCTYPE x>" + envelope(kBody)) == "0 xml-doctype 1:1");
  CHECK(soap(envelope(kBody).substr(0, 140)).starts_with("0 xml-malformed"));
  CHECK(soap(envelope(kBody), ", limits: { depth: 4 }") == "1");
  CHECK(soap(envelope(kBody), ", limits: { depth: 3 }").starts_with("0 xml-too-deep"));
  const std::string short_number = "<s:Body>\n <q:m>\n  <q:x n='99'/></q:m></s:Body>";
  CHECK(soap(envelope(short_number)) == "0 value-malformed 3:8");
}

TEST_CASE("the text of a number is its value, no other number is it") {
  CHECK(json("/n", R"({"n":990101000001})") == "1");
  CHECK(json("/n", R"({"n":990101000001.0})") == "0 value-malformed 1:6");
  CHECK(json("/n", R"({"n":9.90101000001e11})") == "0 value-malformed 1:6");
  const std::string place = "/l/*[a=\"1\"]/n";
  CHECK(json(place, R"({"l":[{"a":1.0,"n":"1"},{"a":1,"n":"990101000001"},{"a":"1"}]})") == "1");
  CHECK(json(place, R"({"l":[{"a":null,"n":"1"},{"n":"2"},null,5,[],{"a":2,"n":"3"}]})") ==
        kNoValue);
  CHECK(json(place, R"({"l":[{"a":["1"],"n":"1"}]})").starts_with("0 value-structured 1:12"));
}

TEST_CASE("names of JSON are compared as texts, and * means items only") {
  CHECK(json("/N", R"({"n":"990101000001"})") == kNoValue);
  CHECK(json("/l/0", R"({"l":["990101000001"]})") == kNoValue);
  CHECK(json("/l/0", R"({"l":{"0":"990101000001"}})") == "1");
  CHECK(json("/l/*[a=\"1\"]/n", R"({"l":{"*":{"a":"1","n":"990101000001"}}})") ==
        "0 json-array-expected 1:6");
  CHECK(json("/l/*[a=\"\u00E4\"]/n", R"({"l":[{"a":"a\u0308","n":"990101000001"}]})") == "1");
  CHECK(json("/n", R"({"x":{"a":1,"\u0061":2},"n":"990101000001"})") ==
        "0 json-duplicate-name 1:13");
}

TEST_CASE("any JSON value may be the message, and null is one of which all is absent") {
  for (const char* message : {"null", " null", " \"x\"", "5", "true", "{}", "[]", "[null]"}) {
    const std::string at = message[0] == ' ' ? "1:2" : "1:1";
    CHECK(json("/n", message) == "0 value-missing " + at + " identifier-missing " + at);
  }
  CHECK(json("/n", "") == "0 json-malformed 1:1");
  CHECK(json("/n", "  ") == "0 json-malformed 1:3");
  CHECK(json("/n", "\xEF\xBB\xBF{\"n\":\"99\"}") == "0 value-malformed 1:6");
  CHECK(json("/n", "{\"\u00E4\":1,\n\"\u00E4\u00F6\":2,\"n\":\"99\"}") == "0 value-malformed 2:12");
}

TEST_CASE("rows are the items of an array that are not null") {
  CHECK(json_rows("/l/*", R"({"l":[{"n":"990101000001"},null,{"n":"990101000002"}]})") == "2");
  for (const char* none : {R"({"l":null})", "{}", R"({"l":[]})", R"({"l":[null]})"}) {
    CHECK(json_rows("/l/*", none) == "0 no-event 1:1");
  }
  for (const char* single : {R"({"l":"x"})", R"({"l":{"n":"990101000001"}})", R"({"l":{}})"}) {
    CHECK(json_rows("/l/*", single) == "0 json-array-expected 1:6");
  }
  CHECK(json_rows("/l/*", R"({"l":["x",[{"n":"990101000001"}]]})") ==
        "0 value-missing 1:7 identifier-missing 1:7 value-missing 1:11 identifier-missing 1:11");
  CHECK(json_rows("/l/*/*", R"({"l":[[{"n":"990101000001"}],[],[{"n":"1"}]]})") ==
        "1 value-malformed 1:39");
  CHECK(json_rows("/*", R"([{"n":"990101000001"}])") == "1");
}

TEST_CASE("depth counts objects and arrays, read or not") {
  const std::string input = ", limits: { depth: 3 }";
  CHECK(json("/a/b/n", R"({"a":{"b":{"n":"990101000001"}}})", input) == "1");
  CHECK(json("/n", R"({"n":"990101000001","x":[[[]]]})", input) == "0 json-too-deep 1:27");
  CHECK(xml("a:n", "<o:x><o:y/></o:x><n>990101000001</n>", input) == "1");
  CHECK(xml("a:n", "<o:x><o:y><o:z/></o:y></o:x><n>990101000001</n>", input) ==
        "0 xml-too-deep 1:60");
}

}  // namespace flora::adapter
