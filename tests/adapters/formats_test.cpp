// Files and envelopes by small bundles: what each format takes, and where it says that it does not.
#include <doctest/doctest.h>

#include <string>

#include "tests/adapters/translator.h"

namespace flora::adapter {
namespace {

std::string csv_bundle(const std::string& csv, const std::string& more = "") {
  return bundle(
      "input: { format: csv, charset: utf-8, csv: { delimiter: \";\", columns: [\"N\", "
      "\"Gr\u00F6\u00DFe\"]" +
          csv + " } }\n" + more,
      "N", kAnyEvents);
}

const std::string kHead = "N;Gr\u00F6\u00DFe\n";
const std::string kOne = "990101000001;x\n";
const std::string kTwo = "990101000002;\"a;b\"\n";

}  // namespace

TEST_CASE("a csv file is told from others by its header") {
  const Translator t(csv_bundle(""));
  CHECK(t(kHead + kOne + kTwo) == "2");
  CHECK(t("Gr\u00F6\u00DFe;N\nx;990101000001\n") == "1");
  CHECK(t("N;Gro\u0308\u00DFe\n" + kOne) == "1");  // Another normal form of the same name.
  CHECK(t("\xEF\xBB\xBF" + kHead + kOne) == "1");
  CHECK(t("N\n990101000001\n") == "0 csv-column-missing 1:1");
  CHECK(t("N;N;Gr\u00F6\u00DFe\n" + kOne) == "0 csv-column-repeated 1:3");
  CHECK(t("N;Gr\u00F6\u00DFe;Neu\n990101000001;x;y\n") == "0 csv-column-unknown 1:9");
  CHECK(t("") == "0 csv-column-missing 1:1");
  CHECK(t(kOne) == "0 csv-column-unknown 1:1");
  const Translator lenient(csv_bundle(", other_columns: true"));
  CHECK(lenient("Neu;N;Gr\u00F6\u00DFe;Noch\n?;990101000001;x;\n") == "1");
}

TEST_CASE("a csv file without a header has its columns in order") {
  const Translator t(csv_bundle(", header: false"));
  CHECK(t(kOne + kTwo) == "2");
  CHECK(t("990101000001\n" + kTwo) == "1 csv-columns 1:1");
}

TEST_CASE("a file of no record says so in a last record, or is refused") {
  CHECK(Translator(csv_bundle(""))(kHead) == "0 record-missing 1:8");
  CHECK(Translator(csv_bundle(", header: false"))("") == "0 record-missing 1:1");
  const Translator t(
      csv_bundle(", footer: { column: \"N\", text: \"ENDE\", count: \"Gr\u00F6\u00DFe\" }"));
  CHECK(t(kHead + "ENDE;0\n") == "0");
  CHECK(t(kHead) == "0 footer-missing 1:8");
  CHECK(t(kHead + kOne + kTwo + "ENDE; 2 \n") == "2");
  CHECK(t(kHead + kOne + kTwo + "ENDE;3\n") == "0 footer-count 4:1");
  CHECK(t(kHead + kOne + "ENDE;1\n" + kTwo) == "0 footer-not-last 4:1");
}

TEST_CASE("a message that is taken as a whole says why it is not") {
  const Translator t(csv_bundle("", "errors: { unit: message }\n"));
  CHECK(t(kHead + kOne + kTwo) == "2");
  CHECK(t(kHead + kOne + "99;x\n") == "0 too-many-rejected 0:0 value-malformed 3:1");
}

TEST_CASE("records of fixed length, with a first and a last one") {
  const Translator t(
      bundle("input:\n  format: fixed\n  charset: iso-8859-1\n  fixed:\n    length: 16\n    "
             "header: \"KOPF\"\n"
             "    fields: { N: { at: 1, length: 12 }, G: { at: 13, length: 4 } }\n"
             "    footer: { begins: \"ENDE\", count: { at: 5, length: 3 } }\n",
             "N", "require: [ { from: \"G\" } ]\n" + kAnyEvents));
  const std::string head = "KOPF            \n";
  const std::string one = "990101000001Gr\xF6\xDF\n";
  CHECK(t(head + one + "ENDE  1         \n") == "1");
  CHECK(t(head + one + "ENDE001         ") == "1");
  CHECK(t(one) == "0 header-missing 1:1");
  CHECK(t("") == "0 header-missing 1:1");
  CHECK(t(head + one) == "0 footer-missing 2:17");
  CHECK(t(head + one + "ENDE002         \n") == "0 footer-count 3:1");
  CHECK(t(head + "9901010000\n" + one + "ENDE002         \n") == "1 fixed-length 2:11");
  CHECK(t(head + "ENDE000         \n") == "0");
}

TEST_CASE("an envelope of either SOAP version holds one message") {
  const Translator t(bundle("input: { format: soap }\nnamespaces: { a: [\"urn:a\"] }\n", "@n",
                            "messages: [ { root: \"a:m\", events: [ { name: one } ] } ]\n"));
  const std::string message = "<m xmlns='urn:a' n='990101000001'/>";
  for (const char* uri :
       {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}) {
    const auto envelope = [&](const std::string& content) {
      return std::string("<s:Envelope xmlns:s='") + uri + "'>" + content + "</s:Envelope>";
    };
    const auto column = [&](const std::string& content, const std::string& from) {
      return std::to_string(envelope(content).find(from) + 1);
    };
    const std::string body = "<s:Body> " + message + "\n</s:Body>";
    CHECK(t(envelope(body)) == "1");
    const std::string addressing =
        "<s:Header><w:To xmlns:w='http://www.w3.org/2005/08/addressing' "
        "s:mustUnderstand='0'>x</w:To>"
        "</s:Header>";
    CHECK(t(envelope(addressing + body)) == "1");
    const std::string must = "<s:Header><b s:mustUnderstand='1'/></s:Header>";
    CHECK(t(envelope(must + body)) == "0 soap-must-understand 1:" + column(must, "<b"));
    CHECK(t(envelope("<s:Header/>")).starts_with("0 soap-envelope"));
    CHECK(t(envelope(body + "<s:Header/>")).starts_with("0 soap-envelope"));
    CHECK(t(envelope(body + body)).starts_with("0 soap-envelope"));
    CHECK(t(envelope("<s:Body/>")).starts_with("0 soap-body"));
    CHECK(t(envelope("<s:Body>text" + message + "</s:Body>")).starts_with("0 soap-body"));
    CHECK(t(envelope("<s:Body>" + message + message + "</s:Body>")).starts_with("0 soap-body"));
    const std::string fault = "<s:Body><s:Fault/></s:Body>";
    CHECK(t(envelope(fault)) == "0 message-unknown 1:" + column(fault, "<s:Fault"));
  }
  CHECK(t(message) == "0 soap-envelope 1:1");
  CHECK(t("<s:Envelope xmlns:s='urn:other'><s:Body>" + message + "</s:Body></s:Envelope>") ==
        "0 soap-envelope 1:1");
  CHECK(t("<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'>"
          "<Body xmlns='http://schemas.xmlsoap.org/soap/envelope/'>" +
          message + "</Body></Envelope>") == "0 soap-envelope 1:59");
}

TEST_CASE("places of JSON: members, items, escapes, numbers and null") {
  const auto with = [](const std::string& azr, const std::string& json) {
    return Translator(bundle("input: { format: json }\n", azr, kAnyEvents))(json);
  };
  CHECK(with("/a~1b/~0", R"({"a/b":{"~":"990101000001"}})") == "1");
  CHECK(with("/n", R"({"n":990101000001})") == "1");
  CHECK(with("/n", R"({"\u006E":"990101\u0030\u00300001"})") == "1");
  CHECK(with("/n", R"({"n":null})").starts_with("0 value-missing 1:1 identifier-missing 1:1"));
  CHECK(with("/n", R"({"n":["990101000001"]})").starts_with("0 value-structured 1:6"));
  CHECK(with("/l/*[art=\"B\"]/wert",
             R"({"l":[{"art":"A","wert":"1"},{"wert":"990101000001","art":"B"}]})") == "1");
  CHECK(with("/n", R"({"n":"1","n":"2"})").starts_with("0 json-duplicate-name 1:10"));
  CHECK(with("/n", "{\"n\":\"990101000001\"}}").starts_with("0 json-malformed 1:21"));
  CHECK(with("/n", "\n [ ]") == "0 value-missing 2:2 identifier-missing 2:2");
}

}  // namespace flora::adapter
