// Code lists whose lines hold from day to day.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "adapters/adapter.h"
#include "adapters/engine/functions.h"
#include "gateway/base/json.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {
namespace {

constexpr const char* kHead = "source;target;valid_from;valid_to;comment\n";

// A bundle whose event has as detail what `calls` make of @word, with a let `day` of type day.
std::string bundle(const std::string& calls, const std::string& map = "{ file: words.map.csv }") {
  return R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
input: { format: xml }
maps: { words: )yaml" +
         map + R"yaml( }
let: { day: { from: "@day", do: [ { date: "dd.MM.yyyy" } ] } }
event:
  set:
    id: { const: "1" }
    source: { const: "test" }
    status: { const: "ANKUNFT_AE" }
    occurredOn: { first: [ $day, { const: "2026-11-09", do: [ date ] } ] }
    procedure.identifiers: [ { type: AZR_NUMMER, value: { const: "990101000001" } } ]
    reporter.authority: { const: "000250" }
messages:
  - root: "m"
    events:
      - set:
          details.text: { from: "@word", do: [)yaml" +
         calls + "] }\n";
}

std::string errors(const std::string& yaml, const std::string& words) {
  BundleFiles files;
  files.adapter_yaml = yaml;
  files.code_lists["words.map.csv"] = words;
  std::string out;
  for (const Finding& finding : examine(files, nullptr).findings) out += to_string(finding) + "\n";
  return out;
}

class Translated {
 public:
  Translated(const std::string& yaml, const std::string& words) {
    std::ofstream(folder_.path() + "/adapter.yaml") << yaml;
    std::ofstream(folder_.path() + "/words.map.csv") << words;
    Result<std::unique_ptr<Adapter>> loaded = Adapter::load(folder_.path());
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
    adapter_ = std::move(*loaded);
  }

  // The detail, or code and detail of the first issue.
  std::string detail(const std::string& attributes) const {
    const Translation t = adapter_->translate("<m " + attributes + "/>");
    REQUIRE(t.rejection.empty());
    const Item& item = t.items.front();
    if (item.outcome != Item::Outcome::event) {
      REQUIRE(item.issues.size() == 1);
      return item.issues.front().code + ": " + item.issues.front().detail;
    }
    json::Document document;
    REQUIRE(document.parse(item.event));
    const auto details = document.root().find("details");
    return details ? std::string(details->find("text")->string()) : "(absent)";
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Adapter> adapter_;
};

const std::string kOnDay = " { map: { list: words, on: $day } } ";
const std::string kWords = std::string(kHead) +
                           "A;old;;2026-06-11;until the reform\n"
                           "A;new;2026-06-12;;since the reform\n"
                           "B;short;2026-03-01;2026-03-01;one day\n"
                           "C;always;;;\n";

}  // namespace

TEST_CASE("a line holds from its first to its last day") {
  const Translated t(bundle(kOnDay), kWords);
  CHECK(t.detail("word='A' day='11.06.2026'") == "old");
  CHECK(t.detail("word='A' day='12.06.2026'") == "new");
  CHECK(t.detail("word='A' day='01.01.0001'") == "old");
  CHECK(t.detail("word='A' day='31.12.9999'") == "new");
  CHECK(t.detail("word='B' day='01.03.2026'") == "short");
  CHECK(t.detail("word='C' day='28.02.2026'") == "always");
  const std::string invalid =
      "value-unmapped: The value `A` is in the code list of the adapter, but not valid on that "
      "day.";
  CHECK(t.detail("word='B' day='28.02.2026'") == invalid);
  CHECK(t.detail("word='B' day='02.03.2026'") == invalid);
  CHECK(t.detail("word='D' day='02.03.2026'") ==
        "value-unmapped: The value `A` is not in the code list of the adapter.");
  CHECK(t.detail("day='02.03.2026'") == "(absent)");
}

TEST_CASE("without the day the value cannot be told") {
  const Translated t(bundle(kOnDay), kWords);
  CHECK(t.detail("word='A'") ==
        "value-missing: The day on which the code must be valid is missing.");
  CHECK(t.detail("word='A' day='31.02.2026'") ==
        "value-malformed: The value `99.99.9999` is no calendar day of the form that the rule "
        "asks for.");
}

TEST_CASE("on_unmapped holds for a line that is not valid, too") {
  const Translated t(bundle(kOnDay, "{ file: words.map.csv, on_unmapped: absent }"), kWords);
  CHECK(t.detail("word='B' day='02.03.2026'") == "(absent)");
  CHECK(t.detail("word='D' day='02.03.2026'") == "(absent)");
  CHECK(t.detail("word='B' day='01.03.2026'") == "short");
}

TEST_CASE("a text that was made before the day is looked at stays what it is") {
  const Translated t(bundle(" lower, upper, { map: { list: words, on: $day } }, lower, upper "),
                     kWords);
  CHECK(t.detail("word='a' day='12.06.2026'") == "NEW");
  CHECK(t.detail("word='b' day='01.03.2026'") == "SHORT");
}

TEST_CASE("a list with days of validity is asked for a day, another one is not") {
  const std::string plain = "source;target;comment\nA;1;\n";
  CHECK(errors(bundle(kOnDay), kWords).empty());
  CHECK(errors(bundle(" { map: { list: words } } "), plain).empty());
  CHECK(errors(bundle(" { map: words } "), kWords) ==
        "adapter.yaml:17:55: the lines of this list have days of validity: { list: words, on: $day "
        "} [A409]\n");
  CHECK(
      errors(bundle(" { map: { list: words } } "), kWords).find("adapter.yaml:17:55: the lines") ==
      0);
  CHECK(errors(bundle(kOnDay), plain) ==
        "adapter.yaml:17:74: the lines of this list have no days of validity [A409]\n");
  CHECK(errors(bundle(" { map: { list: words, on: \"2026-01-01\" } } "), kWords) ==
        "adapter.yaml:17:74: `on` takes a let of type day [A409]\n");
  CHECK(errors(bundle(" { map: { list: words, on: $dya } } "), kWords) ==
        "adapter.yaml:17:74: there is no let \"dya\" [A205]\n");
  CHECK(errors(bundle(" { map: { on: $day } } "), kWords)
            .find("adapter.yaml:17:55: the argument needs `list` [A011]") != std::string::npos);
  std::string of_text = bundle(kOnDay);
  of_text.replace(of_text.find("{ date: \"dd.MM.yyyy\" }"), 22, "trim");
  CHECK(errors(of_text, kWords).find("adapter.yaml:17:74: `on` takes a let of type day [A409]") !=
        std::string::npos);
}

TEST_CASE("lines of one source must not hold on the same day") {
  const auto of = [](const std::string& lines) { return errors(bundle(kOnDay), kHead + lines); };
  CHECK(of("A;1;;2026-01-01;\nA;2;2026-01-02;;\n").empty());
  CHECK(of("A;1;;2026-01-01;\nA;2;2026-01-01;;\n") ==
        "words.map.csv:3:1: the source is valid already on a day of this line, by line 2 [A215]\n");
  CHECK(of("A;2;2026-01-01;;\nB;2;;;\nA;1;;2026-01-01;\n") ==
        "words.map.csv:4:1: the source is valid already on a day of this line, by line 2 [A215]\n");
  // The first line reaches over the second.
  CHECK(of("A;1;2026-01-01;2026-12-31;\nA;2;2026-02-01;2026-02-02;\nA;3;2026-03-01;;\n") ==
        "words.map.csv:3:1: the source is valid already on a day of this line, by line 2 [A215]\n"
        "words.map.csv:4:1: the source is valid already on a day of this line, by line 2 [A215]\n");
  CHECK(of("A;1;;;\nA;1;;;\n").find("words.map.csv:3:1: the source is valid") == 0);
}

TEST_CASE("mistakes in days of validity are named by line") {
  const auto of = [](const std::string& lines) { return errors(bundle(kOnDay), kHead + lines); };
  CHECK(of("A;1;01.01.2026;;\n") ==
        "words.map.csv:2:1: valid_from is a day like 2026-01-31, or empty [A218]\n");
  CHECK(of("A;1;;2026-02-30;\n") ==
        "words.map.csv:2:1: valid_to is a day like 2026-01-31, or empty [A218]\n");
  CHECK(of("A;1;2026-02-02;2026-02-01;\n") ==
        "words.map.csv:2:1: valid_to is before valid_from [A218]\n");
  for (const char* line : {"A;1;;\n", "A;;;;\n", ";1;;;\n"}) {
    CHECK(of(line).find("words.map.csv:2:1: a line is source;target;valid_from;valid_to;comment") !=
          std::string::npos);
  }
}

TEST_CASE("targets of a dated list to status are checked") {
  CanonicalTypes types;
  types.statuses = {{"ANKUNFT_AE", {{.name = "text"}}}};
  BundleFiles files;
  files.adapter_yaml = bundle(kOnDay, "{ file: words.map.csv, to: status }");
  files.code_lists["words.map.csv"] = std::string(kHead) + "A;ANKUNFT_EA;;;\n";
  const std::vector<Finding> found = examine(files, &types).findings;
  REQUIRE(found.size() == 1);
  CHECK(to_string(found.front()) == "words.map.csv:2:1: \"ANKUNFT_EA\" is no status [A217]");
}

}  // namespace flora::adapter
