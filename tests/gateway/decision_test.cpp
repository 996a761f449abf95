// What the one function decides beyond the cells of the matrix (tests/policy): decisions and their
// service in any order, relations beside each other, and the explanations.
#include "gateway/policy/decision.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace flora;
using namespace flora::policy;

namespace {

constexpr const char* kAe = "999902";       // DE-NI
constexpr const char* kAbh = "999903";      // DE-NI
constexpr const char* kOtherAe = "000160";  // DE-NW
constexpr const char* kBamf = "999901";

std::string sample() {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/policy.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Policy policy_of(const std::string& text) {
  auto parsed = Policy::parse(text, "policy.yaml");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return std::move(*parsed);
}

struct Fixture {
  Decision decide(const std::string& name, const std::vector<EntryFacts>& entries) const {
    return flora::policy::decide(policy, caller(name), "getHistory", entries);
  }

  Caller caller(const std::string& name) const {
    const auto found = policy.authenticate({std::nullopt, name}, true);
    REQUIRE(found.has_value());
    return *found;
  }

  Policy policy = policy_of(sample());
};

EntryFacts of_bamf(const std::string& status, bool effective = true) {
  return {status, kBamf, "DE", effective, {}, {}};
}

EntryFacts handed_to(const std::string& authority) {
  return {"ZUWEISUNG_KOMMUNE", kAe, "DE-NI", true, "DE-NI", authority};
}

/// One letter for each entry: whole, details withheld, hidden.
std::string shown(const Decision& decision) {
  std::string text;
  for (const Shown& one : decision.entries) text += "wdh"[static_cast<std::size_t>(one.show)];
  return text;
}

struct Served {
  std::vector<EntryFacts> entries;
  std::string shown;  // To the ABH, behind the handing-over.
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a decision is shown to the ABH once it is served, each one by itself") {
  const EntryFacts decided = of_bamf("BESCHEID_ERLASSEN");
  const EntryFacts served = of_bamf("BESCHEID_ZUGESTELLT");
  const EntryFacts not_served = of_bamf("BESCHEID_ZUGESTELLT", false);
  const EntryFacts sued = of_bamf("KLAGE_EINGEGANGEN");
  const EntryFacts hearing = of_bamf("ANHOERUNG_ERFOLGT");
  const std::vector<Served> cases = {
      {{decided}, "h"},
      {{hearing, decided}, "wh"},
      {{decided, served}, "ww"},
      {{served, decided}, "wh"},
      {{decided, not_served}, "hh"},
      {{decided, served, decided}, "wwh"},
      {{decided, served, sued, decided}, "wwwh"},
      {{decided, served, decided, sued}, "wwhh"},
      {{decided, served, decided, served}, "wwww"},
      {{decided, sued}, "hh"},
      {{sued}, "h"},
      {{sued, served}, "ww"},
      {{decided, served, of_bamf("BESCHEID_ERLASSEN", false), sued}, "wwhw"},
      {{of_bamf("BESCHEID_ERLASSEN", false), decided, served}, "www"},
  };
  for (const Served& one : cases) {
    std::vector<EntryFacts> entries = {handed_to(kAbh)};
    entries.insert(entries.end(), one.entries.begin(), one.entries.end());
    CAPTURE(one.shown);
    CHECK(shown(decide(kAbh, entries)) == 'w' + one.shown);
  }
}

TEST_CASE_FIXTURE(Fixture, "who is competent sees all that is not withheld, whoever reported it") {
  const std::vector<EntryFacts> entries = {
      {"REGISTRIERUNG_ABGESCHLOSSEN", kAe, "DE-NI", true, {}, {}},
      of_bamf("BESCHEID_ERLASSEN"),
      of_bamf("EILANTRAG_EINGEGANGEN"),
      {"AVB_ANGEBOTEN", kOtherAe, "DE-NW", true, {}, {}}};
  CHECK(shown(decide(kAe, entries)) == "wdhw");
  CHECK(shown(decide(kOtherAe, entries)) == "hhhw");
  CHECK(shown(decide(kBamf, entries)) == "wwww");
  CHECK(shown(decide(kAbh, entries)) == "hhhh");
  CHECK_FALSE(decide(kAbh, entries).relation.has_value());
  CHECK(decide(kOtherAe, entries).relation == Relation::reporter);
}

TEST_CASE_FIXTURE(Fixture, "no facts, no object: whether the operation is open at all") {
  CHECK(decide(kAe, {}).permitted);
  CHECK_FALSE(decide(kAe, {}).relation.has_value());
  CHECK_FALSE(decide("999990", {}).permitted);
  CHECK_FALSE(decide("bamf-loeschung", {}).permitted);
}

TEST_CASE_FIXTURE(Fixture, "a decision says by which rule it was made") {
  const auto said = [this](const std::string& name, const std::string& operation,
                           const std::vector<EntryFacts>& entries) {
    const Caller who = caller(name);
    return explain(policy, who, operation, flora::policy::decide(policy, who, operation, entries));
  };
  CHECK(said("999990", "getHistory", {}) == "The policy lets the role AUDITOR read no PROCEDURES.");
  CHECK(said(kAe, "getEntryBundle", {}) == "The policy lets the role AE read no LOG_ENTRIES.");
  CHECK(said("bamf-loeschung", "getHistory", {}) ==
        "The operation getHistory is not open to clients of the duty ERASURE.");
  CHECK(said("bamf-loeschung", "listStatuses", {}) ==
        "The operation listStatuses is open to clients of the duty ERASURE.");
  CHECK(said(kAbh, "getHistory", {of_bamf("ANHOERUNG_ERFOLGT")}) ==
        "The role ABH reads PROCEDURES by RECEIVING_AUTHORITY, REPORTER; none of it holds.");
  const std::vector<EntryFacts> own = {handed_to(kAbh), of_bamf("BESCHEID_ERLASSEN")};
  CHECK(said(kAbh, "getHistory", own) ==
        "The role ABH reads PROCEDURES by RECEIVING_AUTHORITY, REPORTER; RECEIVING_AUTHORITY "
        "holds. Source: contract.md, Competence: the receiving authority.");
  const Decision decision = decide(kAbh, own);
  CHECK(explain(decision.entries[0]) == "Nothing withholds it.");
  CHECK(explain(decision.entries[1]) ==
        "Withheld until the decision is served. Source: domain.md §2: the ABH may act on a "
        "decision only after service.");
  CHECK(explain(decide(kAe, own).entries[0]) == "The own report.");
}

TEST_CASE("a role without a rule reads nothing") {
  const std::string text = sample();
  const Policy policy = policy_of(text.substr(0, text.find("\nreading:\n") + 1));
  for (const Authority& authority : policy.authorities()) {
    const Caller caller = *policy.authenticate({std::nullopt, authority.id}, true);
    const std::vector<EntryFacts> own = {
        {"REGISTRIERUNG_ABGESCHLOSSEN", authority.id, authority.land, true, {}, {}}};
    const Decision decision = decide(policy, caller, "getHistory", own);
    CHECK_FALSE(decision.permitted);
    REQUIRE(decision.entries.size() == 1);
    CHECK(decision.entries.front().show == Show::hidden);
    CHECK(decide(policy, caller, "submitStatusEvents", {}).permitted);
  }
}

TEST_CASE("a mistake in the rules is named with its place") {
  struct Mistake {
    const char* from;
    const char* to;
    const char* message;
  };
  const std::string rules = R"(
reading:
  - role: AE
    procedures: [REGISTERING_LAND, REPORTER]
    transactions: [REPORTER]
    source: "here"
    withheld:
      - {statuses: [BESCHEID_ERLASSEN], what: DETAILS, when: ALWAYS, source: "there"}
)";
  const std::vector<Mistake> mistakes = {
      {"role: AE", "role: XX", "policy.yaml:3:11: no such role"},
      {"REGISTERING_LAND", "REGISTERED", "policy.yaml:4:18: no such relation"},
      {"transactions: [REPORTER", "transactions: [RECEIVING_LAND", "policy.yaml:5:20: no such rel"},
      {"transactions: [REPORTER]", "log_entries: [REPORTER]", "policy.yaml:5:19: no such relation"},
      {"    source: \"here\"\n", "", "policy.yaml:3:5: \"source\" is missing"},
      {"what: DETAILS", "what: STATUS", "policy.yaml:8:"},
      {"when: ALWAYS", "when: NEVER", "policy.yaml:8:"},
      {", source: \"there\"", "", "policy.yaml:8:9: \"source\" is missing"},
      {"what", "that", "unknown key \"that\""},
      {"\nreading:", "\nsearches: {identifiers: 0}\nreading:", "policy.yaml:2:25: a number from 1"},
      {"reading:\n", "reading:\n  - {role: AE, source: x}\n", "policy.yaml:4:5: a role has one"},
  };
  CHECK(policy_of(rules).reading(Role::ae) != nullptr);
  for (const Mistake& one : mistakes) {
    CAPTURE(one.to);
    std::string text = rules;
    text.replace(text.find(one.from), std::string_view(one.from).size(), one.to);
    const auto parsed = Policy::parse(text, "policy.yaml");
    REQUIRE_FALSE(parsed.has_value());
    CHECK_MESSAGE(parsed.error().message.find(one.message) != std::string::npos,
                  parsed.error().message);
  }
}

TEST_CASE("a status that the catalogue does not have cannot be withheld") {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml");
  std::stringstream statuses;
  statuses << file.rdbuf();
  const auto catalogue = Catalogue::parse(statuses.str(), "statuses.yaml");
  REQUIRE(catalogue.has_value());
  Findings good;
  policy_of(sample()).check_statuses(*catalogue, "policy.yaml", good);
  CHECK_FALSE(good.has_errors());
  std::string text = sample();
  const std::size_t at = text.find("[BESCHEID_ERLASSEN");
  Findings bad;
  policy_of(text.replace(at, 18, "[BESCHEID_ERLASEN"))
      .check_statuses(*catalogue, "policy.yaml", bad);
  REQUIRE(bad.all().size() == 1);
  CHECK(bad.all().front().what == "the catalogue has no status BESCHEID_ERLASEN");
}
