// The compiler of bundles: a small bundle that compiles, and what each mistake in it gives.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/engine/mistakes.h"
#include "adapters/engine/plan.h"
#include "adapters/lint.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {
namespace {

constexpr const char* kBundle =
    R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml, limits: { bytes: 1000000 } }
namespaces: { a: ["urn:a:1", "urn:a:2"] }
maps:
  words: { file: words.map.csv, to: status }
lists:
  grounds: { kind: 3, uri: "urn:list", versions: { "1": ["01", "02"] } }
templates:
  arrival:
    events:
      - set:
          id: { concat: "${key}:${index}" }
          status: { from: "a:word", do: [ trim, { map: words } ] }
          details.ground: { from: "a:ground", code: "$(list)" }
let:
  key: { from: "/*/@key", do: [ trim ] }
require: [ $key ]
event:
  for_each: "a:item"
  set:
    source: { const: "test" }
    occurredOn: { from: "a:day", do: [ { date: "dd.MM.yyyy" } ] }
    procedure.identifiers: [ { type: AZR_NUMMER, value: { from: "a:number" } } ]
    reporter.authority: { const: "000250" }
messages:
  - { root: "a:message", use: arrival, with: { list: grounds } }
)yaml";

// One kind of records, once delimited, once of fixed width.
#define FLORA_RECORD_RULES                                                            \
  "events:\n"                                                                         \
  "  - set:\n"                                                                        \
  "      id: { from: \"Nr\" }\n"                                                      \
  "      source: { const: \"test\" }\n"                                               \
  "      status: { const: \"ANKUNFT_AE\" }\n"                                         \
  "      occurredOn: { from: \"Tag\", do: [ { date: \"ddMMyyyy\" } ] }\n"             \
  "      procedure.identifiers: [ { type: AZR_NUMMER, value: { from: \"AZR\" } } ]\n" \
  "      reporter.authority: { const: \"000250\" }\n"

constexpr const char* kRecords =
    "adapter: { id: de-xx-test, version: \"1.0.0\", land: DE-SN, title: \"Test\" }\n"
    "input:\n"
    "  format: fixed\n"
    "  charset: windows-1252\n"
    "  fixed:\n"
    "    length: 30\n"
    "    line_ends: false\n"
    "    fields: { Nr: { at: 1, length: 6 }, Tag: { at: 7, length: 8 }, AZR: { at: 15, length: 12 "
    "} }\n"
    "errors: { max_rejected: \"5%\" }\n" FLORA_RECORD_RULES;

constexpr const char* kTable =
    "adapter: { id: de-xx-test, version: \"1.0.0\", land: DE-SN, title: \"Test\" }\n"
    "input:\n"
    "  format: csv\n"
    "  charset: iso-8859-15\n"
    "  csv:\n"
    "    delimiter: \";\"\n"
    "    header: true\n"
    "    other_columns: true\n"
    "    columns: [ \"Nr\", \"Tag\", \"AZR\", \"Rest\" ]\n"
    "    footer: { column: \"Nr\", text: \"SUMME\", count: \"Rest\" }\n" FLORA_RECORD_RULES;
#undef FLORA_RECORD_RULES

constexpr const char* kWords = "source;target;comment\nA;ANKUNFT_AE;arrived\n";

Result<std::unique_ptr<Plan>> compiled(const std::string& yaml, const std::string& words = kWords,
                                       const CanonicalTypes* types = nullptr) {
  BundleFiles files;
  files.adapter_yaml = yaml;
  if (!words.empty()) files.code_lists["words.map.csv"] = words;
  return compile(files, types);
}

std::string with(std::string text, const std::string& old, const std::string& fresh) {
  const std::size_t at = text.find(old);
  REQUIRE_MESSAGE(at != std::string::npos, old);
  return text.replace(at, old.size(), fresh);
}

struct SeededMistake {
  std::string number;
  std::string old;
  std::string fresh;
  std::string error;  // What one line of the errors begins with, but for its number.
  std::string words = kWords;
  const char* bundle = kBundle;
};

// Puts a mistake into the bundle of fixed-width records, which has no map.
SeededMistake in_records(const std::string& number, const std::string& old,
                         const std::string& fresh, const std::string& error) {
  return {number, old, fresh, "adapter.yaml:" + error, {}, kRecords};
}

// The same for delimited records.
SeededMistake in_table(const std::string& number, const std::string& old, const std::string& fresh,
                       const std::string& error) {
  return {number, old, fresh, "adapter.yaml:" + error, {}, kTable};
}

// Puts `value` in place of the constant source of the small bundle.
SeededMistake in_source(const std::string& number, const std::string& value,
                        const std::string& error) {
  return {number, "{ const: \"test\" }", value, "adapter.yaml:" + error};
}

SeededMistake in_words(const std::string& number, const std::string& words,
                       const std::string& error) {
  return {number, "", "", "words.map.csv:" + error, words};
}

std::string many_namespaces() {
  std::string out = "namespaces: { z: [";
  for (int i = 0; i < 61; ++i) out += (i == 0 ? "\"urn:" : ", \"urn:") + std::to_string(i) + "\"";
  return out + "],";
}

const std::vector<SeededMistake>& mistakes() {
  static const std::string kMessage =
      "  - { root: \"a:message\", use: arrival, with: { list: grounds } }\n";
  static const std::string kStatus = "{ from: \"a:word\", do: [ trim, { map: words } ] }";
  static const std::string kHead = "source;target;comment\n";
  static const std::string kDatedHead = "source;target;valid_from;valid_to;comment\n";
  static const std::vector<SeededMistake> all = {
      {"A001", "let:\n", "let:\n  key: { const: \"x\" }\n",
       "adapter.yaml:17:3: duplicate key \"key\""},
      {"A001", "land: DE-SN", "land: &x DE-SN", "adapter.yaml:1:52: anchors are not allowed"},
      {"A001", "land: DE-SN", "land: ]", "adapter.yaml:1:5"},
      {"A003", "{ format: xml, limits: { bytes: 1000000 } }", "xml",
       "adapter.yaml:2:8: a mapping is expected here"},
      {"A004", "require: [ $key ]", "require: $key", "adapter.yaml:17:10: a list is expected here"},
      {"A005", "{ map: words }", "{ map: [ words ] }",
       "adapter.yaml:13:56: a name is expected here"},
      in_source("A006", "{ const: [ \"test\" ] }", "21:22: a quoted text is expected here"),
      {"A007", "\"1.0.0\"", "1.0.0", "adapter.yaml:1:37: a text must be quoted: \"1.0.0\""},
      {"A007", "[\"01\", \"02\"]", "[\"01\", 02]",
       "adapter.yaml:7:64: a text must be quoted: \"02\""},
      {"A007", "{ const: \"000250\" }", "{ const: 000250 }",
       "adapter.yaml:24:34: a text must be quoted: \"000250\""},
      {"A008", "bytes: 1000000", "bytes: \"1000000\"",
       "adapter.yaml:2:40: a number without quotes is expected here"},
      {"A009", "title: \"Test\"", "title: \"Test\", simulation: yes",
       "adapter.yaml:1:86: true or false is expected here"},
      {"A010", "event:\n", "event:\n  foreach: \"x\"\n",
       "adapter.yaml:19:3: the key \"foreach\" is unknown here"},
      {"A011", "messages:", "mesages:", "adapter.yaml:1:1: a bundle needs `messages`"},
      {"A011", ", title: \"Test\"", "", "adapter.yaml:1:10: an adapter needs `title`"},
      {"A012", "to: status", "to: state", "adapter.yaml:5:37: a map goes to status or to text"},
      {"A013", "[ $key ]", "[ { all: [ ] } ]", "adapter.yaml:17:19: there is no condition"},
      {"A014", "\"${key}:${index}\"", "\"\"", "adapter.yaml:12:25: the text is empty"},
      {"A015", "title: \"Test\"", "title: \"Pru\u0308fung\"",
       "adapter.yaml:1:1: the line is not in the Unicode normal form C"},
      in_words("A015", kHead + "u\u0308;ANKUNFT_AE;\n", "2:1: the line is not in the Unicode"),
      {"A101", "de-xx-test", "DE_test", "adapter.yaml:1:16: an id has at most 64"},
      {"A102", "\"1.0.0\"", "\"1.0\"", "adapter.yaml:1:37: a version is like \"1.0.0\""},
      {"A103", "land: DE-SN", "land: DE-XX", "adapter.yaml:1:52: a Land is like DE-NI"},
      {"A111", "format: xml", "format: yml", "adapter.yaml:2:18: there is no format \"yml\""},
      {"A112", "bytes: 1000000", "bytes: 0", "adapter.yaml:2:40: the limit is 1 to"},
      {"A113", "namespaces: {", many_namespaces(),
       "adapter.yaml:3:609: there are too many namespaces"},
      {"A201", kStatus, "{ from: \"a:word\", do: [ lower ] }",
       "adapter.yaml:5:10: map \"words\" is never used"},
      {"A201", "let:\n", "let:\n  unused: { const: \"x\" }\n",
       "adapter.yaml:16:11: let \"unused\" is never used"},
      {"A201", "namespaces: {", "namespaces: { z: [\"urn:z\"],",
       "adapter.yaml:3:15: prefix \"z\" is never used"},
      {"A203", "{ map: words }", "{ map: wrods }", "adapter.yaml:13:56: there is no map \"wrods\""},
      {"A204", "list: grounds", "list: ground",
       "adapter.yaml:14:53: there is no code list \"ground\""},
      {"A205", "${key}", "${kee}", "adapter.yaml:12:25: there is no let \"kee\""},
      {"A206", "  for_each: \"a:item\"\n",
       "  for_each: \"a:item\"\n  let: { key: { const: \"x\" } }\n",
       "adapter.yaml:20:10: the name \"key\" is taken"},
      {"A207", "{ from: \"/*/@key\"", "{ value: $key",
       "adapter.yaml:16:17: \"key\" refers to itself"},
      {"A211", "words.map.csv", "word.map.csv",
       "adapter.yaml:5:18: the bundle has no file \"word.map.csv\""},
      in_words("A212", "a;b;c\n", "1:1: the first line must be source;target;comment"),
      in_words("A213", kHead + "A;ANKUNFT_AE\n", "2:1: a line is source;target;comment"),
      in_words("A214", kHead + "\xE4;ANKUNFT_AE;\n", "2:1: the line is not UTF-8"),
      in_words("A215", kHead + "A;ANKUNFT_AE;\nA;WEITERLEITUNG;\n", "3:1: the source occurs twice"),
      in_words("A216", kHead, "1:1: the code list is empty"),
      in_words("A217", kHead + "A;ANKUNFT_EA;\n", "2:1: \"ANKUNFT_EA\" is no status"),
      in_words("A218", kDatedHead + "A;ANKUNFT_AE;01.01.2026;;\n",
               "2:1: valid_from is a day like 2026-01-31, or empty"),
      {"A221", "kind: 3", "kind: 2", "adapter.yaml:7:20: the kind is 1, 3 or 4"},
      {"A222", "{ \"1\": [\"01\", \"02\"] }", "{ }", "adapter.yaml:7:12: a code list has versions"},
      {"A223", "[\"01\", \"02\"]", "[\"01\", \"01\"]", "adapter.yaml:7:57: a code occurs twice"},
      {"A231", "use: arrival", "use: arival",
       "adapter.yaml:26:31: there is no template \"arival\""},
      {"A232", ", with: { list: grounds }", "",
       "adapter.yaml:14:53: the template has no parameter \"list\""},
      {"A233", "with: { list: grounds }", "with: { list: grounds, x: y }",
       "adapter.yaml:26:5: the template \"arrival\" does not use \"x\""},
      {"A301", "from: \"a:day\"", "from: \"a:day/\"",
       "adapter.yaml:22:25: \"\" is no step of a path"},
      {"A302", "from: \"a:day\"", "from: \"b:day\"",
       "adapter.yaml:22:25: the prefix \"b\" is not declared"},
      {"A303", "] }\nmaps:", "], b: [\"urn:a:1\"] }\nmaps:", "", kWords},
      {"A304", "for_each: \"a:item\"", "for_each: \".\"",
       "adapter.yaml:19:13: only elements below the root can be repeated"},
      in_source("A305",
                "{ const: \"test\", when: { count: \"a:x\", more_than: 0, where: { count: \"a:y\", "
                "more_than: 0, where: { count: \"a:z\", more_than: 0 } } } }",
                "21:119: repetitions are nested too deeply"),
      in_source("A306",
                "{ const: \"test\", when: { all: [ { count: \"a:x\", more_than: 0 }, { count: "
                "\"/*/a:item/a:x\", more_than: 0 } ] } }",
                "21:86: another rule repeats these elements within other rows"),
      {"A307", "from: \"a:ground\"", "from: \"@ground\"",
       "adapter.yaml:14:35: there are no coded values here"},
      in_source("A311", "test", "21:13: an expression is a mapping, or `$name`"),
      in_source("A312", "{ do: [ trim ] }", "21:13: an expression needs a source"),
      in_source("A313", "{ const: \"test\", from: \"@x\" }",
                "21:30: an expression has one source only"),
      {"A314", "{ from: \"/*/@key\", do: [ trim ] }", "{ concat: \"${index}\" }",
       "adapter.yaml:16:18: $index has a meaning inside for_each only"},
      {"A315", "${index}\"", "${index\"", "adapter.yaml:12:25: \"${\" without \"}\""},
      {"A315", "\"$(list)\"", "\"$(list\"", "adapter.yaml:14:53: \"$(\" without \")\""},
      in_source("A316", "{ const: \"test\", when: { from: \"@x\" } }",
                "21:36: a condition is expected here, this is of type text"),
      in_source("A317", "{ first: [ { const: \"test\" }, { from: \"@x\", do: [ integer ] } ] }",
                "21:43: the alternatives have different types"),
      {"A401", "do: [ trim ] }\nrequire", "do: [ trimm ] }\nrequire",
       "adapter.yaml:16:33: there is no function \"trimm\""},
      {"A402", "do: [ trim ] }\nrequire", "do: [ after ] }\nrequire",
       "adapter.yaml:16:33: `after` needs an argument"},
      {"A403", "do: [ trim ] }\nrequire", "do: [ { trim: \" \" } ] }\nrequire",
       "adapter.yaml:16:33: `trim` takes no argument"},
      {"A404", "code: \"$(list)\"", "code: \"$(list)\", do: [ trim ]",
       "adapter.yaml:14:70: `trim` does not take a value of type code"},
      {"A405", "do: [ trim ] }\nrequire", "do: [ { matches: \"[0-9\" } ] }\nrequire",
       "adapter.yaml:16:44: the pattern is malformed"},
      {"A406", "dd.MM.yyyy", "dd.mm.yyyy", "adapter.yaml:22:48: a date pattern has yyyy"},
      in_source("A407", "{ from: \"@x\", do: [ { truncate: 0 } ] }",
                "21:45: a number from 1 is expected here"),
      in_source("A408",
                "{ from: \"@x\", do: [ { local: { pattern: \"yyyyMMddHHmm\", zone: \"MEZ\" } } ] }",
                "21:75: there is no time zone \"MEZ\""),
      {"A409", "{ map: words }", "{ map: words }",
       "adapter.yaml:13:56: the lines of this list have days of validity",
       kDatedHead + "A;ANKUNFT_AE;;;\n"},
      {"A501", "messages:\n" + kMessage, "messages: [ ]\n",
       "adapter.yaml:25:11: 1 to 500 messages are expected here"},
      {"A502", "root: \"a:message\", ", "", "adapter.yaml:26:5: a message needs `root` or `roots`"},
      {"A503", kMessage, kMessage + kMessage,
       "adapter.yaml:27:13: another message has the same root"},
      {"A504", kMessage, kMessage + "  - { root: \"a:other\" }\n",
       "adapter.yaml:27:5: a message has events, or is skipped without condition"},
      {"A505", "event:\n", "reject: [ { code: \"c\", detail: \"d\" } ]\nevent:\n",
       "adapter.yaml:18:11: a rule of reject needs `when`"},
      {"A506", "event:\n",
       "reject: [ { when: { exists: \"@x\" }, code: \"Not so\", detail: \"d\" } ]\nevent:\n",
       "adapter.yaml:18:43: a code is in kebab case"},
      {"A511",
       "occurredOn:", "occuredOn:", "adapter.yaml:22:5: a canonical event has no \"occuredOn\""},
      {"A512", "do: [ { date: \"dd.MM.yyyy\" } ]", "do: [ trim ]",
       "adapter.yaml:22:17: occurredOn does not take a value of type text"},
      {"A512", "{ from: \"a:number\" }", "{ from: \"a:number\", eq: \"1\" }",
       "adapter.yaml:23:57: an identifier is a text"},
      {"A513", kStatus, "{ from: \"a:word\" }",
       "adapter.yaml:13:19: status takes a constant or the result of a map to status"},
      {"A513", ", to: status", "",
       "adapter.yaml:13:19: status takes a constant or the result of a map to status"},
      {"A513", kStatus, "{ const: \"ANKUNFT_AE\", do: [ lower ] }",
       "adapter.yaml:13:19: status takes a constant or the result of a map to status"},
      {"A514", kStatus, "{ first: [ " + kStatus + ", { const: \"ANKUNFT\" } ] }",
       "adapter.yaml:13:19: \"ANKUNFT\" is no status"},
      {"A514", "    source: {",
       "    regime: { from: \"@regime\", do: [ { map: words } ] }\n    source: {",
       "adapter.yaml:21:13: \"ANKUNFT_AE\" is no regime"},
      {"A514", kStatus, "{ const: \"ANKUNFT\" }", "adapter.yaml:13:19: \"ANKUNFT\" is no status"},
      {"A514", "{ const: \"000250\" }", "{ const: \"250\" }",
       "adapter.yaml:24:25: the constant has not the form of a Behördenkennzeichen: six digits"},
      {"A514", "value: { from: \"a:number\" }", "value: { const: \"12\" }",
       "adapter.yaml:23:57: the constant has not the form of AZR_NUMMER"},
      {"A515", "    source: { const: \"test\" }\n", "",
       "adapter.yaml:11:9: the event does not set source"},
      {"A516", "    occurredOn: { from: \"a:day\", do: [ { date: \"dd.MM.yyyy\" } ] }\n", "",
       "adapter.yaml:11:9: the event sets neither occurredAt nor occurredOn"},
      {"A517",
       "    procedure.identifiers: [ { type: AZR_NUMMER, value: { from: \"a:number\" } } ]\n", "",
       "adapter.yaml:11:9: the event sets neither procedure.identifiers nor"},
      {"A518", kStatus, "{ const: \"WEITERLEITUNG\" }",
       "adapter.yaml:14:27: the details of WEITERLEITUNG have no \"ground\""},
      {"A519", kStatus,
       "{ const: \"ANKUNFT_AE\" }\n          mergedInto.procedureId: { const: \"x\" }",
       "adapter.yaml:11:9: mergedInto belongs to VERFAHREN_ZUSAMMENGEFUEHRT"},
      {"A520", kStatus, "{ const: \"RUECKNAHME\" }",
       "adapter.yaml:11:9: an event of RUECKNAHME needs details.day"},
      {"A521", "[ { type: AZR_NUMMER, value: { from: \"a:number\" } } ]", "[ ]",
       "adapter.yaml:23:28: 1 to 8 identifiers are expected here"},
      {"A522", "type: AZR_NUMMER", "type: AZR_NUMBER",
       "adapter.yaml:23:38: \"AZR_NUMBER\" is no type of identifier"},
      in_table("A114", "iso-8859-15", "latin9", "4:12: a charset is utf-8"),
      in_table("A115", "\";\"", "\";;\"", "6:16: one character is expected here"),
      in_table("A115", "\";\"", "\";\"\n    quote: \";\"",
               "7:12: quote and delimiter are the same character"),
      in_table("A116", "header: true", "header: false", "8:20: without a header"),
      in_table("A206", "\"Rest\" ]", "\"Tag\" ]", "9:36: the column \"Tag\" is there twice"),
      in_table("A302", "count: \"Rest\"", "count: \"Anzahl\"",
               "10:51: there is no column \"Anzahl\""),
      in_table("A302", "from: \"Tag\"", "from: \"Datum\"",
               "16:27: there is no column or field \"Datum\""),
      in_table("A010", "delimiter", "separator", "6:5: the key \"separator\" is unknown here"),
      in_table("A304", "- set:", "- for_each: \"Tag\"\n    set:",
               "12:15: nothing is repeated within a record"),
      in_table("A507", "events:", "messages:", "12:3: messages of this format have no names"),
      in_records("A117", "windows-1252", "utf-8", "7:16: records of UTF-8 have no length in bytes"),
      in_records("A120", "line_ends: false", "header: \"\u0141\"",
                 "7:13: \"\u0141\" cannot be written in windows-1252"),
      in_table("A120", "\"SUMME\"", "\"\u03A3\"",
               "10:35: \"\u03A3\" cannot be written in iso-8859-15"),
      in_table("A120", "\"Rest\" ]", "\"Rest\", \"\u00BD\" ]",
               "9:44: \"\u00BD\" cannot be written in iso-8859-15"),
      in_table("A121", "format: csv", "format: csv\n  media_type: \"text/plain\"",
               "4:15: the format is sent as text/csv"),
      in_records("A118", "length: 12", "length: 17", "8:73: a field lies within the record"),
      in_records("A119", "\"5%\"", "\"5\"", "9:25: a share is like \"5%\""),
      in_records("A119", "{ max", "{ unit: message, max",
                 "9:40: where one rejected item rejects the message"),
      in_records("A012", "{ max", "{ unit: item, max",
                 "9:17: the unit of errors is record or message"),
      in_records("A201", "from: \"AZR\"", "from: \"Nr\"", "8:73: field \"AZR\" is never used"),
      {"A308", "for_each: \"a:item\"", "for_each: 'a:item[@art=\"x\"]'",
       "adapter.yaml:19:13: a filter may stand in the place of `from` only"},
      {"A507", "messages:", "on_no_event: skip\nmessages:",
       "adapter.yaml:25:14: `on_no_event` belongs to one of `messages`"},
      {"A523", "{ from: \"a:ground\", code: \"$(list)\" }", "{ each: \"a:ground\" }",
       "adapter.yaml:14:27: `each` needs one of `code` and `item`"},
  };
  return all;
}

using Kind = CanonicalTypes::Kind;

CanonicalTypes known_types() {
  CanonicalTypes types;
  types.statuses = {{"ANKUNFT_AE", {{"ground", false, Kind::code}}},
                    {"WEITERLEITUNG"},
                    {"VERFAHREN_ZUSAMMENGEFUEHRT"},
                    {"RUECKNAHME", {{"ground", true, Kind::code}, {"day", true, Kind::day}}},
                    {"EILANTRAG_EINGEGANGEN",
                     {{"antrag", true, Kind::word, false, {"P80_5", "P123"}},
                      {"gruende", false, Kind::code, true}}}};
  return types;
}

// Whether a line of `errors` begins with `error` and ends with the number.
bool names(const std::string& errors, const std::string& error, const std::string& number) {
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(error) && line.ends_with(" [" + number + "]")) return true;
  }
  return false;
}

// Mistakes upon mistakes, in one bundle.
constexpr const char* kBroken =
    R"yaml(adapter: { id: De-XX, version: 1.0.0, land: DE-XX, title: "Test", author: "x" }
input: { format: xml, limits: { bytes: 0 } }
namespaces: { a: ["urn:a:1"], z: ["urn:z"] }
maps:
  words: { file: words.map.csv, to: state }
  gone: { file: gone.map.csv }
lists:
  grounds: { kind: 2, uri: "urn:list", versions: { "1": ["01", 02, "01"] } }
let:
  key: { from: "/*/@key", do: [ trimm ] }
  unused: { const: "x" }
  self: { value: $self }
require: [ $key, $kay, $self ]
reject:
  - { when: { from: "@version" }, code: "Version", detail: "d" }
event:
  for_each: "a:item"
  set:
    source: test
    occuredOn: { from: "a:day", do: [ { date: "dd.mm.yyyy" } ] }
    occurredOn: { from: "b:day", do: [ { date: "dd.MM.yyyy" } ] }
    procedure.identifiers: [ { type: AZR_NUMBER, value: { from: "a:number/" } } ]
    reporter.authority: { const: 000250 }
messages:
  - root: "a:first"
    events:
      - set:
          status: { const: "ANKUNFT" }
          details.ground: { from: "@ground", code: grounds }
  - root: "a:first"
    events:
      - set:
          id: { concat: "${key}:${index" }
          status: { from: "a:word", do: [ { map: wrods } ] }
          occurredOn: { from: "a:day", do: [ trim ] }
  - root: "a:last"
    use: arrival
)yaml";

const std::vector<std::string>& broken_errors() {
  static const std::vector<std::string> all = {
      "adapter.yaml:1:16: an id has at most 64 lower-case letters, digits and hyphens [A101]",
      "adapter.yaml:1:32: a text must be quoted: \"1.0.0\" [A007]",
      "adapter.yaml:1:45: a Land is like DE-NI [A103]",
      "adapter.yaml:1:67: the key \"author\" is unknown here [A010]",
      "adapter.yaml:2:40: the limit is 1 to 67108864 [A112]",
      "adapter.yaml:3:31: prefix \"z\" is never used [A201]",
      "adapter.yaml:5:10: map \"words\" is never used [A201]",
      "adapter.yaml:5:37: a map goes to status or to text [A012]",
      "adapter.yaml:6:9: map \"gone\" is never used [A201]",
      "adapter.yaml:6:17: the bundle has no file \"gone.map.csv\" (it must end in .map.csv) [A211]",
      "adapter.yaml:8:20: the kind is 1, 3 or 4 [A221]",
      "adapter.yaml:8:57: a code occurs twice [A223]",
      "adapter.yaml:8:64: a text must be quoted: \"02\" [A007]",
      "adapter.yaml:10:33: there is no function \"trimm\" [A401]",
      "adapter.yaml:11:11: let \"unused\" is never used [A201]",
      "adapter.yaml:12:18: \"self\" refers to itself [A207]",
      "adapter.yaml:13:18: there is no let \"kay\" [A205]",
      "adapter.yaml:15:13: a condition is expected here, this is of type text [A316]",
      "adapter.yaml:15:41: a code is in kebab case [A506]",
      "adapter.yaml:19:13: an expression is a mapping, or `$name`; a constant is { const: \"…\" } "
      "[A311]",
      "adapter.yaml:20:5: a canonical event has no \"occuredOn\" [A511]",
      "adapter.yaml:21:25: the prefix \"b\" is not declared [A302]",
      "adapter.yaml:22:38: \"AZR_NUMBER\" is no type of identifier [A522]",
      "adapter.yaml:22:65: \"\" is no step of a path [A301]",
      "adapter.yaml:23:34: a text must be quoted: \"000250\" [A007]",
      "adapter.yaml:27:9: the event does not set id [A515]",
      "adapter.yaml:28:19: \"ANKUNFT\" is no status [A514]",
      "adapter.yaml:29:35: there are no coded values here [A307]",
      "adapter.yaml:30:11: another message has the same root [A503]",
      "adapter.yaml:33:25: \"${\" without \"}\" [A315]",
      "adapter.yaml:34:50: there is no map \"wrods\" [A203]",
      "adapter.yaml:35:23: occurredOn does not take a value of type text [A512]",
      "adapter.yaml:37:10: there is no template \"arrival\" [A231]",
      "other.map.csv:1:1: no map reads this file [A202]",
      "words.map.csv:1:1: the code list is empty [A216]",
      "words.map.csv:2:1: a line is source;target;comment, and only the comment may be empty "
      "[A213]",
  };
  return all;
}

}  // namespace

TEST_CASE("the small bundle compiles") {
  const auto result = compiled(kBundle);
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  CHECK((*result)->messages.size() == 1);
  CHECK((*result)->spaces.size() == 2);
  CHECK((*result)->info.code_lists == std::vector<std::string>{"urn:list 1"});
}

TEST_CASE("the bundles of records compile") {
  for (const char* bundle : {kTable, kRecords}) {
    const auto result = compiled(bundle, "");
    CHECK_MESSAGE(result, (result ? "" : result.error().message));
  }
}

TEST_CASE("each mistake of an author is named with place and number") {
  const CanonicalTypes types = known_types();
  for (const SeededMistake& mistake : mistakes()) {
    std::string yaml = with(mistake.bundle, mistake.old, mistake.fresh);
    if (mistake.number == "A303") yaml = with(yaml, "{ const: \"test\" }", "{ from: \"b:day\" }");
    const auto result = compiled(yaml, mistake.words, &types);
    REQUIRE_MESSAGE(!result, mistake.error);
    CHECK_MESSAGE(names(result.error().message, mistake.error, mistake.number),
                  mistake.number << " " << mistake.error << "\n"
                                 << result.error().message);
    CHECK(result.error().code == Errc::invalid);
  }
}

TEST_CASE("each kind of mistake has an explanation, an example and a test") {
  std::set<std::string> seeded = {"A002", "A104", "A202"};  // Those of several files are below.
  for (const SeededMistake& mistake : mistakes()) seeded.insert(mistake.number);
  std::set<std::string_view> names;
  for (const MistakeKind& kind : mistake_kinds()) {
    const std::string number = number_of(kind.mistake);
    CHECK_MESSAGE(seeded.erase(number) == 1, number);
    CHECK_MESSAGE(names.insert(kind.name).second, number);
    CHECK_MESSAGE(kind.meaning.size() > 40, number);
    CHECK_MESSAGE((!kind.wrong.empty() && !kind.right.empty() && kind.wrong != kind.right), number);
    CHECK(find_mistake(number) == &kind);
  }
  CHECK(seeded.empty());
  CHECK(number_of(Mistake::unquoted_text) == "A007");
  CHECK(find_mistake("A999") == nullptr);
  CHECK(find_mistake("") == nullptr);
}

TEST_CASE("all mistakes of a bundle are named in one run") {
  BundleFiles files;
  files.adapter_yaml = kBroken;
  files.code_lists["words.map.csv"] = "source;target;comment\nA;X\n";
  files.code_lists["other.map.csv"] = kWords;
  const CanonicalTypes types = known_types();
  std::vector<std::string> errors;
  for (const Finding& finding : examine(files, &types).findings) {
    errors.push_back(to_string(finding));
  }
  for (std::size_t i = 0; i < std::max(errors.size(), broken_errors().size()); ++i) {
    CHECK((i < errors.size() ? errors[i] : "") ==
          (i < broken_errors().size() ? broken_errors()[i] : ""));
  }
}

TEST_CASE("lint names the mistakes of several bundles, and bundles with the same id") {
  TemporaryFolder first, second;
  for (const TemporaryFolder* folder : {&first, &second}) {
    std::ofstream(folder->path() + "/adapter.yaml") << kBundle;
    std::ofstream(folder->path() + "/words.map.csv") << kWords;
  }
  CHECK(lint({first.path()}, nullptr).empty());
  const std::string gone = first.path() + "/gone";
  std::ofstream(second.path() + "/other.map.csv") << kWords;
  const std::vector<Finding> found = lint({first.path(), second.path(), gone}, nullptr);
  REQUIRE(found.size() == 3);
  CHECK(to_string(found[0]) == second.path() + "/other.map.csv:1:1: no map reads this file [A202]");
  CHECK(to_string(found[1]) == second.path() + "/adapter.yaml:1:16: the bundle in " + first.path() +
                                   " has the same id [A104]");
  CHECK(found[2].file == gone + "/adapter.yaml");
  CHECK(found[2].number == "A002");
}

TEST_CASE("mistakes in a code list are named with file and line") {
  const auto error = [](const std::string& words) {
    const auto result = compiled(kBundle, words);
    return result ? std::string() : result.error().message;
  };
  CHECK(error("a;b;c\n").find("words.map.csv:1:1: the first line must be source;target;comment") !=
        std::string::npos);
  CHECK(error("source;target;comment\nA;X;\nA;Y;\n")
            .find("words.map.csv:3:1: the source occurs twice") == 0);
  CHECK(error("source;target;comment\nA;X\n").find("words.map.csv:2:1: a line is") !=
        std::string::npos);
  CHECK(error("source;target;comment\n").find("words.map.csv:1:1: the code list is empty") == 0);
}

TEST_CASE("a code list that no map reads is an error") {
  BundleFiles files;
  files.adapter_yaml = kBundle;
  files.code_lists = {{"words.map.csv", kWords}, {"other.map.csv", kWords}};
  const auto result = compile(files, nullptr);
  REQUIRE(!result);
  CHECK(result.error().message == "other.map.csv:1:1: no map reads this file [A202]");
}

TEST_CASE("with the canonical types, statuses and details are checked") {
  CanonicalTypes types;
  types.statuses = {{"ANKUNFT_AE", {{"ground", false, Kind::code}}}, {"WEITERLEITUNG"}};
  CHECK(compiled(kBundle, kWords, &types));
  const auto misspelt = compiled(kBundle, "source;target;comment\nA;ANKUNFT_EA;\n", &types);
  REQUIRE(!misspelt);
  CHECK(misspelt.error().message == "words.map.csv:2:1: \"ANKUNFT_EA\" is no status [A217]");
  const std::string map = "{ from: \"a:word\", do: [ trim, { map: words } ] }";
  const std::string used = "          site: " + map + "\n          status: ";
  const auto constant = [&](const std::string& status) {
    std::string yaml =
        with(kBundle, "          status: " + map, used + "{ const: \"" + status + "\" }");
    return compiled(with(yaml, ", to: status", ""), kWords, &types);
  };
  CHECK(constant("ANKUNFT_AE"));
  CHECK(constant("ANKUNFT").error().message.find("\"ANKUNFT\" is no status") != std::string::npos);
  CHECK(constant("WEITERLEITUNG")
            .error()
            .message.find("the details of WEITERLEITUNG have no \"ground\"") != std::string::npos);
}

TEST_CASE("what a detail takes is known, also where the status comes from a map") {
  const CanonicalTypes types = known_types();
  const auto error = [&](const std::string& words, const std::string& details) {
    const auto result = compiled(
        with(kBundle, "details.ground: { from: \"a:ground\", code: \"$(list)\" }", details),
        "source;target;comment\n" + words, &types);
    return result ? std::string() : result.error().message;
  };
  const std::string ground = "details.ground: { from: \"a:ground\", code: \"$(list)\" }";
  const std::string both = "A;ANKUNFT_AE;\nB;RUECKNAHME;\n";
  CHECK(error(both, ground).empty());
  CHECK(error("B;RUECKNAHME;\n", ground).find("needs details.day [A520]") != std::string::npos);
  CHECK(error(both, ground + "\n          details.grund: { const: \"x\" }")
            .find("the details of ANKUNFT_AE and its alternatives have no \"grund\" [A518]") !=
        std::string::npos);
  CHECK(error("B;RUECKNAHME;\n", ground + "\n          details.day: { from: \"a:day\" }")
            .find("details.day takes type day, this is of type text [A512]") != std::string::npos);
  const std::string urgent = "C;EILANTRAG_EINGEGANGEN;\n";
  const auto antrag = [&](const std::string& expression) {
    return error(urgent, "details.antrag: " + expression +
                             "\n          details.gruende: { each: \"a:g\", code: \"$(list)\" }");
  };
  CHECK(antrag("{ const: \"P123\" }").empty());
  CHECK(antrag("{ const: \"P12\" }").find("\"P12\" is no details.antrag [A514]") !=
        std::string::npos);
  CHECK(antrag("{ from: \"a:antrag\" }").find("takes a constant or the result of a map [A513]") !=
        std::string::npos);
  CHECK(error(urgent,
              "details.antrag: { const: \"P123\" }\n          details.gruende: { from: "
              "\"a:g\", code: \"$(list)\" }")
            .find("details.gruende takes a list of type code, this is of type code [A512]") !=
        std::string::npos);
}

TEST_CASE("a status comes from a constant or from a map to status") {
  const auto result = compiled(with(kBundle, ", to: status", ""));
  REQUIRE(!result);
  CHECK(result.error().message.find("status takes a constant or the result of a map to status") !=
        std::string::npos);
}

TEST_CASE("mergedInto and its status go together") {
  CanonicalTypes types;
  types.statuses = {{"VERFAHREN_ZUSAMMENGEFUEHRT"},
                    {"ANKUNFT_AE", {{"ground", false, Kind::code}}}};
  const auto result =
      compiled(with(with(kBundle, "{ from: \"a:word\", do: [ trim, { map: words } ] }",
                         "{ const: \"VERFAHREN_ZUSAMMENGEFUEHRT\" }"),
                    "details.ground", "site"),
               kWords, &types);
  REQUIRE(!result);
  CHECK(result.error().message.find("mergedInto belongs to VERFAHREN_ZUSAMMENGEFUEHRT") !=
        std::string::npos);
}

TEST_CASE("nonsense is refused and nothing breaks") {
  const std::string good = kBundle;
  for (std::size_t i = 0; i < good.size(); ++i) {
    (void)compiled(good.substr(0, i));
    for (const char c : {'{', ':', '"', ' ', '-', '\n', '$'}) {
      std::string other = good;
      other[i] = c;
      const auto result = compiled(other);
      if (!result) CHECK(result.error().code == Errc::invalid);
    }
  }
}

}  // namespace flora::adapter
