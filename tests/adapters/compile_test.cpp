// The compiler of bundles: a small bundle that compiles, and what each mistake in it gives.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "adapters/engine/plan.h"

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

constexpr const char* kWords = "source;target;comment\nA;ANKUNFT_AE;arrived\n";

Result<std::unique_ptr<Plan>> compiled(const std::string& yaml, const std::string& words = kWords,
                                       const CanonicalTypes* types = nullptr) {
  BundleFiles files;
  files.adapter_yaml = yaml;
  files.code_lists["words.map.csv"] = words;
  return compile(files, types);
}

std::string with(std::string text, const std::string& old, const std::string& fresh) {
  const std::size_t at = text.find(old);
  REQUIRE_MESSAGE(at != std::string::npos, old);
  return text.replace(at, old.size(), fresh);
}

struct Mistake {
  std::string old;
  std::string fresh;
  std::string error;  // Must be a line of the errors.
};

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> all = {
      {"occurredOn:", "occuredOn:", "adapter.yaml:22:5: a canonical event has no \"occuredOn\""},
      {"\"1.0.0\"", "1.0.0", "adapter.yaml:1:37: a text must be quoted: \"1.0.0\""},
      {"[\"01\", \"02\"]", "[\"01\", 02]", "adapter.yaml:7:64: a text must be quoted: \"02\""},
      {"land: DE-SN", "land: DE-XX", "adapter.yaml:1:52: a Land is like DE-NI"},
      {"format: xml", "format: yml", "adapter.yaml:2:18: there is no format \"yml\""},
      {"{ map: words }", "{ map: wrods }", "adapter.yaml:13:56: there is no map \"wrods\""},
      {"{ map: words }", "lower", "adapter.yaml:5:10: map \"words\" is never used"},
      {"list: grounds", "list: ground", "there is no code list \"ground\""},
      {"with: { list: grounds }", "with: { list: grounds, x: y }",
       "adapter.yaml:26:5: the template \"arrival\" does not use \"x\""},
      {", with: { list: grounds }", "", "the template has no parameter \"list\""},
      {"use: arrival", "use: arival", "adapter.yaml:26:31: there is no template \"arival\""},
      {"${key}", "${kee}", "adapter.yaml:12:25: there is no let \"kee\""},
      {"let:\n", "let:\n  unused: { const: \"x\" }\n",
       "adapter.yaml:16:11: let \"unused\" is never used"},
      {"let:\n", "let:\n  key: { const: \"x\" }\n", "duplicate key \"key\""},
      {"{ from: \"/*/@key\"", "{ value: $key", "refers to itself"},
      {"do: [ trim ] }\nrequire", "do: [ trimm ] }\nrequire",
       "adapter.yaml:16:33: there is no function \"trimm\""},
      {"dd.MM.yyyy", "dd.mm.yyyy", "a date pattern has yyyy"},
      {"do: [ { date: \"dd.MM.yyyy\" } ]", "do: [ trim ]",
       "occurredOn does not take a value of type text"},
      {"    source: { const: \"test\" }\n", "", "the event does not set source"},
      {"type: AZR_NUMMER", "type: AZR_NUMBER", "\"AZR_NUMBER\" is no type of identifier"},
      {"from: \"a:day\"", "from: \"b:day\"",
       "adapter.yaml:22:25: the prefix \"b\" is not declared"},
      {"from: \"a:day\"", "from: \"a:day/\"", "\"\" is no step of a path"},
      {"namespaces: {", "namespaces: { z: [\"urn:z\"],",
       "adapter.yaml:3:15: prefix \"z\" is never used"},
      {"event:\n", "event:\n  foreach: \"x\"\n",
       "adapter.yaml:19:3: the key \"foreach\" is unknown here"},
      {"require: [ $key ]", "require: $key", "a list is expected here"},
      {"{ const: \"000250\" }", "{ const: 000250 }", "a text must be quoted: \"000250\""},
      {"messages:", "mesages:", "a bundle needs `messages`"},
      {"use: arrival, with: { list: grounds } }",
       "use: arrival, with: { list: grounds } }\n  - { root: \"a:message\", use: arrival, with: { "
       "list: grounds } }",
       "adapter.yaml:27:13: another message has the same root"},
      {"limits: { bytes: 1000000 }", "limits: { bytes: 0 }", "the limit is 1 to"},
      {"kind: 3", "kind: 2", "the kind is 1, 3 or 4"},
      {"{ from: \"a:number\" }", "{ from: \"a:number\", eq: \"1\" }", "an identifier is a text"},
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

TEST_CASE("each mistake of an author is named with its place") {
  for (const Mistake& mistake : mistakes()) {
    const auto result = compiled(with(kBundle, mistake.old, mistake.fresh));
    REQUIRE_MESSAGE(!result, mistake.error);
    CHECK_MESSAGE(result.error().message.find(mistake.error) != std::string::npos,
                  mistake.error << "\n"
                                << result.error().message);
    CHECK(result.error().code == Errc::invalid);
  }
}

TEST_CASE("several mistakes are named in one run") {
  std::string yaml = kBundle;
  std::vector<std::string> expected;
  for (const std::size_t i : {1u, 3u, 12u, 15u, 16u, 19u, 23u}) {
    yaml = with(yaml, mistakes()[i].old, mistakes()[i].fresh);
    const std::string& error = mistakes()[i].error;
    expected.push_back(
        error.substr(error.rfind(": ") == std::string::npos ? 0 : error.find(": ") + 2));
  }
  const auto result = compiled(yaml);
  REQUIRE(!result);
  for (const std::string& error : expected) {
    CHECK_MESSAGE(result.error().message.find(error) != std::string::npos,
                  error << "\n"
                        << result.error().message);
  }
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
  CHECK(result.error().message == "other.map.csv:1:1: no map reads this file");
}

TEST_CASE("with the canonical types, statuses and details are checked") {
  CanonicalTypes types;
  types.statuses = {{"ANKUNFT_AE", {"ground"}}, {"WEITERLEITUNG", {}}};
  CHECK(compiled(kBundle, kWords, &types));
  const auto misspelt = compiled(kBundle, "source;target;comment\nA;ANKUNFT_EA;\n", &types);
  REQUIRE(!misspelt);
  CHECK(misspelt.error().message == "words.map.csv:2:1: \"ANKUNFT_EA\" is no status");
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

TEST_CASE("a status comes from a constant or from a map to status") {
  const auto result = compiled(with(kBundle, ", to: status", ""));
  REQUIRE(!result);
  CHECK(result.error().message.find("status takes a constant or the result of a map to status") !=
        std::string::npos);
}

TEST_CASE("mergedInto and its status go together") {
  CanonicalTypes types;
  types.statuses = {{"VERFAHREN_ZUSAMMENGEFUEHRT", {}}, {"ANKUNFT_AE", {"ground"}}};
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
