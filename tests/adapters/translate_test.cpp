// The bundle language by small bundles: what each construct does with a message.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "adapters/adapter.h"
#include "adapters/engine/functions.h"
#include "gateway/base/json.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {
namespace {

// A bundle whose event has `set` beside what every event needs.
std::string bundle_with(const std::string& set, const std::string& more = "") {
  return R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
namespaces: { a: ["urn:a:1", "urn:a:2"] }
)yaml" + more +
         R"yaml(
event:
  set:
    id: { const: "1" }
    source: { const: "test" }
    status: { const: "ANKUNFT_AE" }
    procedure.identifiers: [ { type: AZR_NUMMER, value: { const: "990101000001" } } ]
    reporter.authority: { const: "000250" }
messages:
  - root: "a:m"
    events:
      - set:
)yaml" + set;
}

constexpr const char* kDay = "          occurredOn: { const: \"2026-11-09\", do: [date] }\n";

Translation translated(const std::string& yaml, const std::string& message,
                       const std::string& map = "") {
  TemporaryFolder folder;
  std::ofstream(folder.path() + "/adapter.yaml") << yaml;
  if (!map.empty()) std::ofstream(folder.path() + "/m.map.csv") << "source;target;comment\n" << map;
  Result<std::unique_ptr<Adapter>> adapter = Adapter::load(folder.path());
  REQUIRE_MESSAGE(adapter, (adapter ? "" : adapter.error().message) << yaml);
  return (*adapter)->translate(message);
}

// The event's `details.text` by an expression over a message, or the code of the first issue.
std::string detail(const std::string& expression, const std::string& message,
                   const std::string& more = "", const std::string& map = "") {
  const Translation t =
      translated(bundle_with(kDay + ("          details.text: " + expression + "\n"), more),
                 "<a:m xmlns:a='urn:a:1'>" + message + "</a:m>", map);
  if (!t.rejection.empty()) return t.rejection[0].code;
  if (t.items[0].outcome != Item::Outcome::event) return t.items[0].issues[0].code;
  json::Document document;
  REQUIRE(document.parse(t.items[0].event));
  const auto details = document.root().find("details");
  return details ? std::string(details->find("text")->string()) : "(absent)";
}

// What functions make of a text; by way of a let.
std::string applied(const std::string& calls, const std::string& text) {
  return detail("{ concat: \"${x}\" }", "<a:x>" + text + "</a:x>",
                "let: { x: { from: \"a:x\", do: [ " + calls + " ] } }");
}

}  // namespace

TEST_CASE("absent, malformed and unmapped are three things") {
  const std::string maps = "maps: { m: { file: m.map.csv } }";
  const std::string lenient = "maps: { m: { file: m.map.csv, on_unmapped: absent } }";
  const std::string rule = "{ from: \"a:x\", do: [ { map: m } ] }";
  CHECK(detail(rule, "<a:x>A</a:x>", maps, "A;Dresden;\n") == "Dresden");
  CHECK(detail(rule, "<a:x>B</a:x>", maps, "A;Dresden;\n") == "value-unmapped");
  CHECK(detail(rule, "<a:x>B</a:x>", lenient, "A;Dresden;\n") == "(absent)");
  CHECK(detail(rule, "", maps, "A;Dresden;\n") == "(absent)");
  CHECK(detail("{ from: \"a:x\", required: true }", "") == "value-missing");
  CHECK(detail("{ from: \"a:x\" }", "<a:x></a:x>") == "value-malformed");
  CHECK(detail("{ from: \"a:x\", do: [uuid] }", "<a:x>1</a:x>") == "value-malformed");
  CHECK(detail("{ from: \"a:x\", do: [uuid], on_malformed: absent }", "<a:x>1</a:x>") ==
        "(absent)");
}

TEST_CASE("one prefix may stand for several namespaces, and no prefix for none") {
  const std::string yaml =
      bundle_with(std::string(kDay) + "          details.text: { from: \"a:x/y\" }\n");
  for (const char* uri : {"urn:a:1", "urn:a:2"}) {
    const std::string message =
        std::string("<m xmlns='") + uri + "'><x><y xmlns=''>here</y></x></m>";
    const Translation t = translated(yaml, message);
    REQUIRE(t.items.size() == 1);
    CHECK(t.items[0].event.find("\"text\":\"here\"") != std::string::npos);
  }
  const Translation other = translated(yaml, "<m xmlns='urn:a:3'/>");
  REQUIRE(other.rejection.size() == 1);
  CHECK(other.rejection[0].code == "message-unknown");
  const Translation qualified = translated(yaml, "<m xmlns='urn:a:1'><x><y>not here</y></x></m>");
  CHECK(qualified.items[0].event.find("text") == std::string::npos);
}

TEST_CASE("functions") {
  CHECK(applied("trim", " \n x y\t") == "x y");
  CHECK(applied("upper", "a\xC3\xA4") == "A\xC3\xA4");
  CHECK(applied("lower", "AB") == "ab");
  CHECK(applied("{ prefix: \"p-\" }", "x") == "p-x");
  CHECK(applied("{ strip_prefix: \"p-\" }", "p-x") == "x");
  CHECK(applied("{ strip_prefix: \"p-\" }", "x") == "value-malformed");
  CHECK(applied("{ before: \":\" }", "a:b:c") == "a");
  CHECK(applied("{ after: \":\" }", "a:b:c") == "b:c");
  CHECK(applied("{ after_last: \":\" }", "a:b:c") == "c");
  CHECK(applied("{ after: \":\" }", "abc") == "value-malformed");
  CHECK(applied("strip_country_suffix", "1234567-475") == "1234567");
  CHECK(applied("strip_country_suffix", "1234567-12") == "1234567-12");
  CHECK(applied("{ matches: \"[0-9]+\" }", "12") == "12");
  CHECK(applied("{ matches: \"[0-9]+\" }", "12a") == "value-malformed");
  CHECK(applied("{ max_length: 2 }", "\xC3\xA4\xC3\xB6") == "\xC3\xA4\xC3\xB6");
  CHECK(applied("{ max_length: 2 }", "abc") == "value-malformed");
  CHECK(applied("uuid", " 9E8D7C6B-5A49-4001-8ABC-000000111207 ") ==
        "9e8d7c6b-5a49-4001-8abc-000000111207");
  CHECK(applied("nfc", "a\xCC\x88") == "\xC3\xA4");
  CHECK(applied("nfc", "plain") == "plain");
}

TEST_CASE("days, instants and times") {
  CHECK(applied("date", "2028-02-29") == "2028-02-29");
  CHECK(applied("date", " 2026-11-09\n") == "2026-11-09");
  for (const char* bad :
       {"2026-02-29", "2026-11-09Z", "2026-1-09", "26-11-09", "2026-13-01", "2026-11-9x"}) {
    CHECK(applied("date", bad) == "value-malformed");
  }
  CHECK(applied("{ date: \"d.M.yyyy\" }", "9.11.2026") == "2026-11-09");
  CHECK(applied("{ date: \"d.M.yyyy\" }", "09.11.2026") == "2026-11-09");
  CHECK(applied("{ date: \"ddMMyyyy\" }", "09112026") == "2026-11-09");
  CHECK(applied("{ date: \"dd.MM.yyyy\" }", "9.11.2026") == "value-malformed");
  CHECK(applied("instant", "2026-11-09T00:30:00.5+01:00") == "2026-11-08T23:30:00.500Z");
  CHECK(applied("instant", "2026-11-09T23:59:59.9999Z") == "2026-11-09T23:59:59.999Z");
  CHECK(applied("instant", "2026-11-09T23:59:59") == "value-malformed");
  CHECK(applied("instant", "2026-11-09") == "value-malformed");
  CHECK(applied("time", "14:05:59") == "14:05");
  CHECK(applied("time", "14:05:00.25") == "14:05");
  CHECK(applied("time", "14:05:00Z") == "value-malformed");
  CHECK(applied("time", "24:00:00") == "value-malformed");
}

TEST_CASE("booleans and integers are written as such") {
  const Translation t = translated(
      bundle_with(std::string(kDay) + "          details.yes: { from: \"a:x\", do: [boolean] }\n"
                                      "          details.n: { from: \"a:n\", do: [integer] }\n"
                                      "          details.there: { exists: \"a:x\" }\n"),
      "<a:m xmlns:a='urn:a:1'><a:x> 1 </a:x><a:n>+007</a:n></a:m>");
  REQUIRE(t.items.size() == 1);
  CHECK(t.items[0].event.find("\"details\":{\"yes\":true,\"n\":7,\"there\":true}") !=
        std::string::npos);
}

TEST_CASE("choices and conditions") {
  const std::string rule =
      "{ first: [ { const: \"both\", when: { all: [ { exists: \"a:x\" }, { exists: \"a:y\" } ] } "
      "}, "
      "{ const: \"x is 1\", when: { from: \"a:x\", eq: \"1\" } }, "
      "{ const: \"y is 2 or 3\", when: { from: \"a:y\", in: [\"2\", \"3\"] } }, "
      "{ const: \"none\", when: { not: { any: [ { exists: \"a:x\" }, { exists: \"a:y\" } ] } } } ] "
      "}";
  CHECK(detail(rule, "<a:x>1</a:x><a:y>2</a:y>") == "both");
  CHECK(detail(rule, "<a:x>1</a:x>") == "x is 1");
  CHECK(detail(rule, "<a:y>3</a:y>") == "y is 2 or 3");
  CHECK(detail(rule, "") == "none");
  CHECK(detail(rule, "<a:x>2</a:x>") == "(absent)");
}

TEST_CASE("counting and picking rows") {
  const std::string many =
      "{ const: \"many\", when: { count: \"a:x\", where: { from: \"@k\", eq: \"1\" }, more_than: 1 "
      "} }";
  CHECK(detail(many, "<a:x k='1'/><a:x k='2'/><a:x k='1'/>") == "many");
  CHECK(detail(many, "<a:x k='1'/><a:x k='2'/><a:x/>") == "(absent)");
  const std::string picked = "{ pick: \"a:x\", where: { exists: \"@k\" }, item: { from: \".\" } }";
  CHECK(detail(picked, "<a:x>no</a:x><a:x k=''>first</a:x><a:x k=''>second</a:x>") == "first");
}

TEST_CASE("rows within rows") {
  const std::string yaml =
      R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
lists: { l: { kind: 4, uri: "urn:l", versions: { "1": ["a", "b"], "2": ["c"] } } }
messages:
  - root: "m"
    events:
      - for_each: "p"
        set:
          id: { concat: "${index}" }
          source: { const: "test" }
          status: { const: "ANKUNFT_AE" }
          occurredOn: { from: "/*/day", do: [date] }
          procedure.identifiers: [ { type: D_NUMMER, value: { from: "@n" } } ]
          reporter.authority: { const: "000250" }
          details.codes: { each: "g/c", code: l }
)yaml";
  const std::string c = "<c listURI='urn:l' listVersionID='";
  const Translation t =
      translated(yaml, "<m><p n='1'><g>" + c + "1'><code>a</code></c>" + c +
                           "2'><code> c </code></c></g></p><p n='2'/><p n='3'><g/><g>" + c +
                           "1'><code>b</code></c></g></p><p "
                           "n='4'><g><c><code>a</code></c></g></p><day>2026-11-09</day></m>");
  REQUIRE(t.items.size() == 4);
  const auto code = [](const std::string& version, const std::string& value) {
    return R"({"list":"urn:l","version":")" + version + R"(","code":")" + value + "\"}";
  };
  CHECK(t.items[0].event.find("\"codes\":[" + code("1", "a") + "," + code("2", "c") + "]") !=
        std::string::npos);
  CHECK(t.items[1].event.find("details") == std::string::npos);
  CHECK(t.items[2].event.find("\"codes\":[" + code("1", "b") + "]") != std::string::npos);
  REQUIRE(t.items[3].outcome == Item::Outcome::rejected);
  CHECK(t.items[3].issues[0].code == "code-list-mismatch");
  CHECK(t.items[3].issues[0].at.path == "/*/p[4]/g/c[1]/@listURI");
}

TEST_CASE("what is the same in all rows and what is not") {
  const std::string yaml =
      R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
let:
  gate: { from: "gate", eq: "true" }
messages:
  - root: "m"
    events:
      - for_each: "p"
        let: { own: { from: "@own" } }
        set:
          id: { concat: "${index}" }
          source: { from: "/*/source" }
          status: { const: "ANKUNFT_AE" }
          occurredOn: { from: "/*/day", do: [date] }
          procedure.identifiers: [ { type: D_NUMMER, value: { from: "/*/n" } } ]
          reporter.authority: { const: "000250" }
          details.many: { const: "yes", when: { count: "s", more_than: 1 } }
          details.first: { pick: "s", where: { exists: "@good" }, item: { const: "there" } }
          details.gate: { first: [ { const: "open", when: $gate }, { const: "shut" } ] }
          details.own: { first: [ $own, { from: "/*/source" } ] }
)yaml";
  const Translation t =
      translated(yaml,
                 "<m><source>S</source><n>D1</n><day>2026-11-09</day><p own='a'><s/></p>"
                 "<p><s/><s good=''/></p><p own='c'/><gate>true</gate></m>");
  const auto event = [](const std::string& number, const std::string& details) {
    return R"({"id":")" + number +
           R"(","source":"S","status":"ANKUNFT_AE","occurredOn":"2026-11-09","procedure":)"
           R"({"identifiers":[{"type":"D_NUMMER","value":"D1"}]},"reporter":{"authority":"000250"},)"
           R"("details":{)" +
           details + "}}";
  };
  REQUIRE(t.items.size() == 3);
  CHECK(t.items[0].event == event("1", R"("gate":"open","own":"a")"));
  CHECK(t.items[1].event == event("2", R"("many":"yes","first":"there","gate":"open","own":"S")"));
  CHECK(t.items[2].event == event("3", R"("gate":"open","own":"c")"));
}

namespace {

// Two rows of a bundle with a let `bad` of the message that fails, and a code list with days.
Translation rows(const std::string& set, const std::string& more) {
  const std::string yaml =
      R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
)yaml" +
      more +
      R"yaml(
messages:
  - root: "m"
    events:
      - for_each: "p"
        let: { day: { from: "@day", do: [date] } }
        set:
          id: { concat: "${index}" }
          source: { const: "test" }
          status: { const: "ANKUNFT_AE" }
          occurredOn: $day
          procedure.identifiers: [ { type: D_NUMMER, value: { const: "D1" } } ]
          reporter.authority: { const: "000250" }
)yaml" +
      set;
  TemporaryFolder folder;
  std::ofstream(folder.path() + "/adapter.yaml") << yaml;
  if (more.starts_with("maps")) {
    std::ofstream(folder.path() + "/m.map.csv") << "source;target;valid_from;valid_to;comment\n"
                                                   "M;ALTSTADT;;2026-06-30;\n"
                                                   "M;NEUSTADT;2026-07-01;;\n";
  }
  Result<std::unique_ptr<Adapter>> adapter = Adapter::load(folder.path());
  REQUIRE_MESSAGE(adapter, (adapter ? "" : adapter.error().message));
  return (*adapter)->translate(
      "<m test='ja' ort='M'><p day='2026-06-01' n='1'/><p day='2026-08-01'/></m>");
}

}  // namespace

TEST_CASE("what fails for the message fails for each row") {
  const Translation t = rows(
      "          sourceSequence: { from: \"@n\", do: [integer], when: { all: [ { exists: \"@n\" }, "
      "{ not: $bad } ] } }\n          test: $bad\n",
      "let: { bad: { from: \"/*/@test\", do: [boolean] } }");
  REQUIRE(t.items.size() == 2);
  for (const Item& item : t.items) CHECK(item.outcome == Item::Outcome::rejected);
}

TEST_CASE("a value of the message that is looked up by the day of a row is none of the message") {
  const Translation t =
      rows("          site: { value: $ort, do: [ { map: { list: m, on: $day } } ] }\n",
           "maps: { m: { file: m.map.csv } }\nlet: { ort: { from: \"/*/@ort\" } }");
  REQUIRE(t.items.size() == 2);
  CHECK(t.items[0].event.find("ALTSTADT") != std::string::npos);
  CHECK(t.items[1].event.find("NEUSTADT") != std::string::npos);
}

TEST_CASE("a condition around a value does not replace the one within it") {
  const auto text = [](const std::string& inner, const std::string& outer) {
    return detail("{ value: { from: \"a:x\", when: { exists: \"" + inner +
                      "\" } }, when: { exists: \"" + outer + "\" } }",
                  "<a:x>1</a:x><a:y/>");
  };
  CHECK(text("a:y", "a:x") == "1");
  CHECK(text("a:z", "a:x") == "(absent)");
  CHECK(text("a:x", "a:z") == "(absent)");
}

TEST_CASE("rows within rows are bounded in all, and so are the issues of an item") {
  std::string yaml =
      bundle_with(std::string(kDay) + "          details.codes: { each: \"/*/a:c\", code: l }\n",
                  "lists: { l: { kind: 4, uri: \"urn:l\", versions: { \"1\": [\"a\"] } } }");
  yaml.replace(yaml.find("      - set:"), 12, "      - for_each: \"a:p\"\n        set:");
  const auto message = [](int persons, int codes) {
    std::string out = "<a:m xmlns:a='urn:a:1'>";
    for (int i = 0; i < persons; ++i) out += "<a:p/>";
    for (int i = 0; i < codes; ++i) out += "<a:c/>";
    return out + "</a:m>";
  };
  const Translation few = translated(yaml, message(2, 300));
  REQUIRE(few.items.size() == 2);
  CHECK(few.items[1].issues.size() == 64);
  const Translation many = translated(yaml, message(2000, 2000));
  REQUIRE(many.rejection.size() == 1);
  CHECK(many.rejection[0].code == "too-many-items");
  CHECK(many.items.empty());
}

TEST_CASE("a let of the message picks among its rows, also when a row of for_each asks for it") {
  const std::string yaml =
      R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
let:
  picked: { pick: "k", where: { from: "@art", eq: "B" }, item: { from: "." } }
  filtered: { from: 'k[@art="A"]/@n' }
messages:
  - root: "m"
    events:
      - for_each: "p"
        set:
          id: { concat: "${picked}:${filtered}:${index}" }
          source: { const: "test" }
          status: { const: "ANKUNFT_AE" }
          occurredOn: { from: "/*/day", do: [date] }
          procedure.identifiers: [ { type: D_NUMMER, value: { from: "@n" } } ]
          reporter.authority: { const: "000250" }
)yaml";
  const Translation t = translated(
      yaml,
      "<m><p n='1'/><p n='2'/><k art='A' n='7'>x</k><k art='B'>y</k><k art='A' n='8'>z</k>"
      "<day>2026-11-09</day></m>");
  REQUIRE(t.items.size() == 2);
  CHECK(t.items[0].event.starts_with("{\"id\":\"y:7:1\""));
  CHECK(t.items[1].event.starts_with("{\"id\":\"y:7:2\""));
}

TEST_CASE("texts are read in Unicode NFC") {
  const std::string decomposed = "Mu\xCC\x88ller";
  const std::string composed = "M\xC3\xBCller";
  CHECK(detail("{ from: \"a:x\" }", "<a:x>" + decomposed + "</a:x>") == composed);
  CHECK(detail("{ from: \"a:x\", do: [ { map: words } ] }", "<a:x>" + decomposed + "</a:x>",
               "maps: { words: { file: m.map.csv } }", composed + ";found;\n") == "found");
}

TEST_CASE("an event needs exactly one time") {
  const std::string both = bundle_with(
      "          occurredOn: { from: \"a:d\", do: [date] }\n          occurredAt: { from: \"a:i\", "
      "do: [instant] }\n");
  const auto outcome = [&](const std::string& content) {
    const Translation t = translated(both, "<a:m xmlns:a='urn:a:1'>" + content + "</a:m>");
    return t.items[0].outcome == Item::Outcome::event ? "event" : t.items[0].issues[0].code;
  };
  CHECK(outcome("<a:d>2026-11-09</a:d>") == "event");
  CHECK(outcome("<a:i>2026-11-09T10:00:00Z</a:i>") == "event");
  CHECK(outcome("") == "time-missing");
  CHECK(outcome("<a:d>2026-11-09</a:d><a:i>2026-11-09T10:00:00Z</a:i>") == "time-ambiguous");
}

TEST_CASE("all issues of an item are told, each once") {
  const Translation t =
      translated(bundle_with("          occurredOn: { from: \"a:d\", do: [date] }\n"
                             "          details.text: { from: \"a:x\", do: [uuid] }\n"
                             "          details.again: { from: \"a:x\", required: true }\n"
                             "          details.gone: { from: \"a:z\", required: true }\n"),
                 "<a:m xmlns:a='urn:a:1'>\n <a:d>tomorrow</a:d>\n <a:x>a</a:x><a:x>b</a:x></a:m>");
  REQUIRE(t.items.size() == 1);
  REQUIRE(t.items[0].issues.size() == 4);
  CHECK(t.items[0].issues[0].code == "value-malformed");
  CHECK(t.items[0].issues[0].at.line == 2);
  CHECK(t.items[0].issues[0].at.column == 2);
  CHECK(t.items[0].issues[0].at.path == "/*/a:d");
  CHECK(t.items[0].issues[0].detail.find("`aaaaaaaa`") != std::string::npos);
  CHECK(t.items[0].issues[1].code == "value-repeated");
  CHECK(t.items[0].issues[3].code == "value-missing");
}

TEST_CASE("texts are escaped as JSON asks") {
  CHECK(detail("{ from: \"a:x\" }", "<a:x>\"&#92;&#10;\xE2\x82\xAC&lt;</a:x>") ==
        "\"\\\n\xE2\x82\xAC<");
}

TEST_CASE("shapes show no text") {
  CHECK(shape("09.11.2026 Uhr") == "99.99.9999?Aaa");
  CHECK(shape("\xC3\xA4\xE2\x82\xAC/x") ==
        "?"
        "?/a");
  CHECK(shape(std::string(100, '1')) == std::string(40, '9') + "...");
}

TEST_CASE("a bundle that is not there, or is empty, is an error") {
  CHECK(!Adapter::load("/nonexistent"));
  TemporaryFolder folder;
  CHECK(!Adapter::load(folder.path()));
  std::ofstream(folder.path() + "/adapter.yaml") << "";
  const auto empty = Adapter::load(folder.path());
  REQUIRE(!empty);
  CHECK(empty.error().code == Errc::invalid);
}

}  // namespace flora::adapter
