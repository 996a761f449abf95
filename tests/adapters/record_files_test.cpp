// Files of records as their senders get them wrong: first and last records, lengths, letters, and
// the places that are told.
#include <doctest/doctest.h>

#include <string>

#include "tests/adapters/translator.h"

namespace flora::adapter {
namespace {

// Of the columns N and Größe, in UTF-8.
std::string csv_bundle(const std::string& csv = "") {
  return bundle(
      "input: { format: csv, charset: utf-8, csv: { delimiter: \";\", columns: [\"N\", "
      "\"Gr\u00F6\u00DFe\"]" +
          csv + " } }\n",
      "N", kAnyEvents);
}

const std::string kFooter =
    ", footer: { column: \"N\", text: \"ENDE\", count: \"Gr\u00F6\u00DFe\" }";
const std::string kHead = "N;Gr\u00F6\u00DFe\n";
const std::string kOne = "990101000001;x\n";

// Of records of 16 characters, in Windows-1252.
std::string fixed_bundle() {
  return bundle(
      "input:\n  format: fixed\n  charset: windows-1252\n  fixed:\n    length: 16\n"
      "    header: \"KOPF\"\n    fields: { N: { at: 1, length: 12 } }\n"
      "    footer: { begins: \"ENDE\" }\n",
      "N", kAnyEvents);
}

const std::string kFirst = "KOPF            \n";
const std::string kData = "990101000001Gr\xF6\xDF\n";
const std::string kLast = "ENDE            \n";

}  // namespace

TEST_CASE("a first or last record that is no text rejects the file, also where no rule reads it") {
  const Translator strict{csv_bundle()};
  CHECK(strict("N;Gr\u00F6\u00DFe;\xFF\n990101000001;x;y\n") == "0 charset-violated 1:9");
  const Translator lenient{csv_bundle(", other_columns: true" + kFooter)};
  CHECK(lenient("N;Gr\u00F6\u00DFe;\xFF\n990101000001;x;y\nENDE;1;\n") == "0 charset-violated 1:9");
  CHECK(lenient("N;Gr\u00F6\u00DFe;Neu\n990101000001;x;y\nENDE;1;\xFF\n") ==
        "0 charset-violated 3:8");
  CHECK(lenient("N;Gr\u00F6\u00DFe;Neu\n990101000001;x;y\nENDE;1;\u00FC\n") == "1");
  const Translator fixed{fixed_bundle()};
  CHECK(fixed("KOPF     \x81      \n" + kData + kLast) == "0 charset-violated 1:10");
  CHECK(fixed(kFirst + kData + "ENDE     \x81      \n") == "0 charset-violated 3:10");
  CHECK(fixed("KOPF     \xFC      \n" + kData + "ENDE     \xFC      \n") == "1");
}

TEST_CASE("names of columns are compared letter by letter") {
  const Translator t{csv_bundle()};
  CHECK(t("\"N\";\"Gr\u00F6\u00DFe\"\r\n990101000001;\r\n") == "1");
  CHECK(t("N ;Gr\u00F6\u00DFe\n" + kOne) == "0 csv-column-unknown 1:1");
  CHECK(t("n;Gr\u00F6\u00DFe\n" + kOne) == "0 csv-column-unknown 1:1");
  CHECK(t("N;Gr\u00F6\u00DFe;\n990101000001;x;\n") == "0 csv-column-unknown 1:9");
  const Translator lenient{csv_bundle(", other_columns: true")};
  CHECK(lenient("N;Gro\u0308\u00DFe;Gr\u00F6\u00DFe\n990101000001;x;y\n") ==
        "0 csv-column-repeated 1:10");
  CHECK(lenient(";N;;Gr\u00F6\u00DFe\n?;990101000001;;x\n") == "1");
}

TEST_CASE("the last record of a csv file is told letter by letter, and counts in plain digits") {
  const Translator t{csv_bundle(kFooter)};
  for (const char* count : {"", "-1", "+1", "1.0", "1 0", "0x1", "99999999999999999999999"}) {
    CHECK(t(kHead + kOne + "ENDE;" + count + "\n") == "0 footer-count 3:1");
  }
  CHECK(t(kHead + kOne + "ENDE;01") == "1");
  CHECK(t(kHead + kOne + "ENDE ;1\n") == "0 footer-missing 3:8");
  CHECK(t(kHead + kOne + "ENDE\n") == "0 footer-missing 3:5");
  CHECK(t(kHead + kOne + "ENDE;1\nENDE;2\n") == "0 footer-not-last 4:1");
  CHECK(t(kHead + kOne + "ENDE;1\n\"x") == "0 footer-not-last 4:1");
  CHECK(t(kHead + kOne + "ENDE;1\n\r\n\n") == "1");
}

TEST_CASE("the last record counts faulty records too") {
  const Translator t{csv_bundle(kFooter)};
  CHECK(t(kHead + kOne + "99\n" + kOne + "ENDE;3\n") == "2 csv-columns 3:1");
  CHECK(t(kHead + kOne + "99\n" + kOne + "ENDE;2\n") == "0 footer-count 5:1");
  CHECK(t(kHead + kOne + "99\x01;x\nENDE;2\n") == "1 charset-violated 3:1");
}

TEST_CASE("fields in quotes that run over lines do not move the places behind them") {
  const Translator t{csv_bundle()};
  CHECK(t("Gr\u00F6\u00DFe;N\n\"\u00E4\n\u00E4\u00F6\";99\n") == "0 value-malformed 3:5");
  CHECK(t(kHead + "990101000001;\"\u00E4\n\u00E4\"\n99;x\n") == "1 value-malformed 4:1");
  CHECK(t(kHead + "\"\";x\n") == "0 value-missing 2:1 identifier-missing 2:1");
  CHECK(t(kHead + kOne + "\"99\n") == "0 csv-unclosed-quote 3:1");
  CHECK(t("\"N;Gr\n" + kOne) == "0 csv-unclosed-quote 1:1");
}

TEST_CASE("the first and the last fixed record have the length of all records") {
  const Translator t{fixed_bundle()};
  CHECK(t(kFirst + kData + kLast) == "1");
  CHECK(t("KOPF\n" + kData + kLast) == "0 header-missing 1:1");
  CHECK(t(kFirst + kData + "ENDE\n") == "0 footer-missing 3:5");
  CHECK(t(kFirst + kData + "ENDE             \n") == "0 footer-missing 3:18");
  CHECK(t(kFirst + kFirst + kData + kLast) == "1 value-malformed 2:1");
}

TEST_CASE("nothing stands behind the last fixed record but empty lines and one mark") {
  const Translator t{fixed_bundle()};
  CHECK(t(kFirst + kData + kLast + "\r\n\n\x1A") == "1");
  CHECK(t(kFirst + kData + kLast + kData) == "0 footer-not-last 4:1");
  CHECK(t(kFirst + kData + kLast + kLast) == "0 footer-not-last 4:1");
  CHECK(t(kFirst + kData + kLast + "x") == "0 footer-not-last 4:1");
}

TEST_CASE("fixed records without line ends are counted as lines") {
  const Translator t{
      bundle("input:\n  format: fixed\n  charset: iso-8859-15\n  fixed:\n    length: 13\n"
             "    line_ends: false\n    fields: { N: { at: 1, length: 12 } }\n",
             "N", kAnyEvents)};
  CHECK(t("990101000001\xA4"
          "990101000002x") == "2");
  CHECK(t("990101000001x99          y") == "1 value-malformed 2:1");
  CHECK(t("990101000001x990101000002") == "1 fixed-length 2:13");
  CHECK(t("") == "0 record-missing 1:1");
}

TEST_CASE("fixed records of UTF-8 have places in characters") {
  const Translator t{
      bundle("input:\n  format: fixed\n  charset: utf-8\n  fixed:\n    length: 13\n    header: "
             "\"\u00C4\"\n"
             "    fields: { N: { at: 2, length: 12 } }\n",
             "N", kAnyEvents)};
  const std::string first = "\u00C4            \n";
  CHECK(t(first + "\u00E4990101000001\n") == "1");
  CHECK(t("\xEF\xBB\xBF" + first + "\u00E4990101000001\n") == "1");
  CHECK(t(first + "\u00E4x\n\u00E499          \n") == "0 fixed-length 2:3 value-malformed 3:2");
  CHECK(t(first + "\xFF" + "990101000001\n") == "0 charset-violated 2:1");
}

}  // namespace flora::adapter
