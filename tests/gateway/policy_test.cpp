// Who the callers are and what they may report; mistakes in the file are named with their place.
#include "gateway/policy/policy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace flora;
using namespace flora::policy;

namespace {

const std::string kFingerprint(64, 'a');

const std::string kPolicy = R"(authorities:
  - {id: "000250", name: "Aufnahme", land: DE-NI, role: AE, sites: [MUSTERSTADT, BAD_MUSTER]}
  - {id: "000251", name: "Aufnahme Nord", land: DE-NI, role: AE}
  - {id: "000160", name: "Aufnahme West", land: DE-NW, role: AE}
  - {id: "099045", name: "Bundesamt", land: DE, role: BAMF}
  - {id: "999990", name: "Prüfstelle", land: DE, role: AUDITOR}
clients:
  - {name: lab, certificate_sha256: ")" +
                            kFingerprint + R"(", authorities: ["000250", "000251"]}
)";

Policy policy_of(const std::string& yaml) {
  auto parsed = Policy::parse(yaml, "policy.yaml");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return std::move(*parsed);
}

Catalogue read_catalogue() {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = Catalogue::parse(text.str(), "statuses.yaml");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return std::move(*parsed);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a fingerprint of the policy makes its client") {
  const Policy policy = policy_of(kPolicy);
  CHECK(policy.knows_certificates());
  const auto caller = policy.authenticate({kFingerprint, std::nullopt}, false);
  REQUIRE(caller.has_value());
  CHECK(caller->client == "lab");
  CHECK(caller->authorities == std::vector<std::string>{"000250", "000251"});
  CHECK(caller->role == Role::ae);
  CHECK(caller->land == "DE-NI");
  CHECK_FALSE(caller->development);
  CHECK(caller->acts_for("000251"));
  CHECK_FALSE(caller->acts_for("000160"));
  CHECK_FALSE(policy.authenticate({std::string(64, 'b'), std::nullopt}, false));
  CHECK_FALSE(policy.authenticate({}, true));
}

TEST_CASE("the development header counts only where it is on, and never before a certificate") {
  const Policy policy = policy_of(kPolicy);
  const auto caller = policy.authenticate({std::nullopt, "000160"}, true);
  REQUIRE(caller.has_value());
  CHECK(caller->authorities == std::vector<std::string>{"000160"});
  CHECK(caller->land == "DE-NW");
  CHECK(caller->development);
  CHECK_FALSE(policy.authenticate({std::nullopt, "000160"}, false));
  CHECK_FALSE(policy.authenticate({std::nullopt, "123456"}, true));
  CHECK(policy.authenticate({kFingerprint, "000160"}, true)->client == "lab");
}

TEST_CASE("each role reports the statuses that the catalogue gives it, and no others") {
  const Catalogue catalogue = read_catalogue();
  std::string yaml = "authorities:\n";
  int number = 100'000;
  for (const char* role : {"AE", "LD", "ABH", "BAMF", "AUDITOR"}) {
    const bool federal = role == std::string("BAMF") || role == std::string("AUDITOR");
    yaml += "  - {id: \"" + std::to_string(number++) +
            "\", name: x, land: " + (federal ? "DE" : "DE-NI") + ", role: " + role + "}\n";
  }
  const Policy policy = policy_of(yaml);
  for (const Authority& authority : policy.authorities()) {
    const auto caller = policy.authenticate({std::nullopt, authority.id}, true);
    REQUIRE(caller.has_value());
    for (const Status& status : catalogue.statuses()) {
      const bool listed =
          std::ranges::find(status.reporters, authority.role) != status.reporters.end();
      const auto denial = may_report(policy, *caller, {authority.id, "", "", ""}, status);
      CHECK(denial.has_value() == !listed);
      if (denial) CHECK(*denial == Denial::not_your_status);
    }
  }
}

TEST_CASE("a report is held to the reporter's own Land, role and sites") {
  const Policy policy = policy_of(kPolicy);
  const Catalogue catalogue = read_catalogue();
  const Status& status = *catalogue.find("REGISTRIERUNG_ABGESCHLOSSEN");
  const Caller caller = *policy.authenticate({kFingerprint, std::nullopt}, false);
  const auto denial = [&](ReporterClaim claim) {
    return may_report(policy, caller, claim, status);
  };
  CHECK_FALSE(denial({"000250", "", "", ""}));
  CHECK_FALSE(denial({"000251", "DE-NI", "AE", ""}));
  CHECK_FALSE(denial({"000250", "DE-NI", "AE", "MUSTERSTADT"}));
  CHECK(denial({"000160", "", "", ""}) == Denial::not_your_authority);
  CHECK(denial({"123456", "", "", ""}) == Denial::not_your_authority);
  CHECK(denial({"000250", "DE-NW", "", ""}) == Denial::wrong_land);
  CHECK(denial({"000250", "", "LD", ""}) == Denial::wrong_role);
  CHECK(denial({"000251", "", "", "MUSTERSTADT"}) == Denial::unknown_site);
}

TEST_CASE("mistakes in the policy are named with their place") {
  struct Mistake {
    const char* from;
    const char* to;
    const char* message;
  };
  const std::vector<Mistake> mistakes = {
      {"authorities:", "authority:", "policy.yaml:1:1: unknown key"},
      {"\"000250\", name", "000250, name", "policy.yaml:2:10: a code must be quoted"},
      {"\"000250\", name", "\"00250\", name", "policy.yaml:2:10: a Behördenkennzeichen has six"},
      {"land: DE-NI, role: AE, s", "land: DE-XX, role: AE, s", "policy.yaml:2:44: no such Land"},
      {"role: AE, sites", "role: XX, sites", "policy.yaml:2:57: no such role"},
      {"land: DE-NI, role: AE, s", "land: DE, role: AE, s", "policy.yaml:2:44: DE is for"},
      {"land: DE, role: BAMF", "land: DE-NI, role: BAMF", "policy.yaml:5:"},
      {"name: \"Aufnahme\", ", "", "policy.yaml:2:5: \"name\" is missing"},
      {"name: \"Aufnahme\"", "nome: \"Aufnahme\"", "policy.yaml:2:20: unknown key"},
      {"MUSTERSTADT", "Musterstadt", "policy.yaml:2:69: a site is named by"},
      {"MUSTERSTADT", "HALLE_260815", "policy.yaml:2:69: a site is named by"},
      {"MUSTERSTADT", "_A", "policy.yaml:2:69: a site is named by"},
      {"MUSTERSTADT", "A", "policy.yaml:2:69: a site is named by"},
      {"\"000251\", name", "\"000250\", name",
       "policy.yaml:3:5: the authority 000250 is listed twice"},
      {"[\"000250\", \"000251\"]", "[\"000250\", \"000160\"]",
       "the authorities of one client have one Land"},
      {"[\"000250\", \"000251\"]", "[\"123456\"]", "no such authority"},
      {"[\"000250\", \"000251\"]", "[]", "a client acts for one authority at least"},
      {"[\"000250\", \"000251\"]", "[000250]", "a code must be quoted"},
      {"aaaaaaaa", "AAAAAAAA", "a fingerprint has 64 lower-case hexadecimal digits"},
      {"aaaaaaaa", "aaaaaaa", "a fingerprint has 64 lower-case hexadecimal digits"},
      {"name: lab, ", "", "\"name\" is missing"},
      {"name: lab, ", "name: \"000160\", ", "six digits are the name of an authority"},
      {"name: lab, ", "name: lab, duty: OFFICER, ", "policy.yaml:8:"},
  };
  for (const Mistake& one : mistakes) {
    CAPTURE(one.to);
    const auto parsed = Policy::parse(replaced(kPolicy, one.from, one.to), "policy.yaml");
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::invalid);
    CHECK_MESSAGE(parsed.error().message.find(one.message) != std::string::npos,
                  parsed.error().message);
    CHECK(parsed.error().message.starts_with("policy.yaml:"));
  }
}

TEST_CASE("a client has the duty of the file, or casework, and needs no certificate") {
  const Policy policy =
      policy_of(kPolicy + R"(  - {name: dpo, authorities: ["000250"], duty: DATA_PROTECTION}
  - {name: eraser, authorities: ["099045"], duty: ERASURE}
)");
  CHECK(policy.authenticate({kFingerprint, std::nullopt}, false)->duty == Duty::casework);
  const auto officer = policy.authenticate({std::nullopt, "dpo"}, true);
  REQUIRE(officer.has_value());
  CHECK(officer->duty == Duty::data_protection);
  CHECK(officer->client == "development-dpo");
  CHECK(officer->authorities == std::vector<std::string>{"000250"});
  CHECK(officer->development);
  CHECK(policy.authenticate({std::nullopt, "eraser"}, true)->duty == Duty::erasure);
  CHECK(policy.authenticate({std::nullopt, "000250"}, true)->duty == Duty::casework);
  CHECK_FALSE(policy.authenticate({std::nullopt, "dpo"}, false));
}

TEST_CASE("who is known by the development header is nobody once the policy has changed") {
  const std::string with_officer =
      kPolicy + "  - {name: dpo, authorities: [\"000250\"], duty: DATA_PROTECTION}\n";
  const Policy policy = policy_of(with_officer);
  const Caller officer = *policy.authenticate({std::nullopt, "dpo"}, true);
  const Caller authority = *policy.authenticate({std::nullopt, "000250"}, true);
  CHECK(policy.find(officer) == &officer);
  CHECK(policy.find(authority) == &authority);
  CHECK(policy_of(replaced(with_officer, "DATA_PROTECTION", "ERASURE")).find(officer) == nullptr);
  CHECK(policy_of(kPolicy).find(officer) == nullptr);
  CHECK(policy_of(kPolicy).find(authority) == &authority);
}

TEST_CASE("each duty opens its own operations, and all may read the catalogue") {
  for (const Duty duty : {Duty::casework, Duty::data_protection, Duty::erasure}) {
    CHECK(opens(duty, "listStatuses"));
    for (const char* operation : {"submitStatusEvents", "searchProcedures", "getReceipt"}) {
      CHECK(opens(duty, operation) == (duty == Duty::casework));
    }
  }
}

TEST_CASE("a client that is not there for casework reports nothing") {
  const Policy policy =
      policy_of(kPolicy + "  - {name: dpo, authorities: [\"000250\"], duty: DATA_PROTECTION}\n");
  const Catalogue catalogue = read_catalogue();
  const Caller officer = *policy.authenticate({std::nullopt, "dpo"}, true);
  CHECK(may_report(policy, officer, {"000250", "", "", ""},
                   *catalogue.find("REGISTRIERUNG_ABGESCHLOSSEN")) == Denial::not_your_authority);
}

TEST_CASE("one certificate cannot be two clients, nor one name") {
  const std::string twice = kPolicy + "  - {name: other, certificate_sha256: \"" + kFingerprint +
                            "\", authorities: [\"000160\"]}\n";
  const auto parsed = Policy::parse(twice, "policy.yaml");
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().message.starts_with("policy.yaml:9:"));
  CHECK(parsed.error().message.ends_with("two clients have the same certificate"));
  const auto namesake =
      Policy::parse(kPolicy + "  - {name: lab, authorities: [\"000160\"]}\n", "policy.yaml");
  REQUIRE_FALSE(namesake.has_value());
  CHECK(namesake.error().message == "policy.yaml:9:12: two clients have the same name");
}

TEST_CASE("a client is known by a whole name of its certificate, and by its tokens") {
  const Policy policy = policy_of(
      kPolicy +
      R"(  - {name: host, certificate_san: "dns:software.land.example", authorities: ["000160"]}
  - {name: urn, certificate_san: "uri:urn:land:software", token_client: land, authorities: ["000251"]}
  - {name: token, token_client: other, authorities: ["099045"]}
)");
  struct Row {
    std::vector<std::string> names;
    const char* token;   // nullptr: none
    const char* client;  // nullptr: nobody
    bool with_fingerprint = false;
  };
  const Row rows[] = {
      {{"dns:software.land.example"}, nullptr, "host"},
      {{"dns:other", "dns:software.land.example"}, nullptr, "host"},
      {{"uri:urn:land:software"}, nullptr, "urn"},
      {{"uri:urn:land:Software"}, nullptr, nullptr},
      {{"uri:software.land.example"}, nullptr, nullptr},
      {{"dns:*.land.example"}, nullptr, nullptr},
      {{"dns:land.example", "dns:software.land.example.org"}, nullptr, nullptr},
      {{"dns:software.land.example", "uri:urn:land:software"}, nullptr, nullptr},
      {{"dns:software.land.example"}, nullptr, nullptr, true},
      {{}, nullptr, "lab", true},
      {{}, "other", "token"},
      {{}, "land", "urn"},
      {{}, "urn", nullptr},
      {{}, "Other", nullptr},
      {{}, "", nullptr},
      {{"dns:unknown"}, "other", "token"},
      {{"uri:urn:land:software"}, "land", "urn"},
      {{"uri:urn:land:software"}, "other", nullptr},
      {{"uri:urn:land:software"}, "unknown", nullptr},
      {{}, "other", nullptr, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.client);
    CAPTURE(row.token);
    Credentials shown;
    if (row.with_fingerprint) shown.certificate_sha256 = kFingerprint;
    shown.certificate_names = row.names;
    if (row.token != nullptr) shown.token = Token{row.token, 1000};
    const auto caller = policy.authenticate(shown, false);
    REQUIRE(caller.has_value() == (row.client != nullptr));
    if (caller) CHECK(caller->client == row.client);
    if (caller) CHECK(policy.find(*caller) != nullptr);
    const Policy earlier = policy_of(kPolicy);
    if (caller) CHECK((earlier.find(*caller) != nullptr) == row.with_fingerprint);
    // Who shows something of a client is not made another by the development header.
    shown.development_header = "000160";
    const bool shows_name = std::ranges::any_of(row.names, [](const std::string& name) {
      return name == "dns:software.land.example" || name == "uri:urn:land:software";
    });
    const bool nothing = !shows_name && row.token == nullptr && !row.with_fingerprint;
    const auto developer = policy.authenticate(shown, true);
    CHECK(developer.has_value() == (row.client != nullptr || nothing));
  }
}

TEST_CASE("a caller is valid until its token ends") {
  const Policy policy =
      policy_of(kPolicy + "  - {name: token, token_client: t, authorities: [\"099045\"]}\n");
  Credentials shown;
  shown.token = Token{"t", 1000};
  const Caller caller = *policy.authenticate(shown, false);
  CHECK(caller.is_valid_at(999));
  CHECK_FALSE(caller.is_valid_at(1000));
  CHECK(policy.authenticate({kFingerprint, std::nullopt}, false)->is_valid_at(1000));
}

TEST_CASE("a name or a token of two clients, or with a pattern, is a mistake with its place") {
  const char* const lines[] = {R"(certificate_san: "dns:software.land.example")",
                               R"(token_client: software)",
                               R"(certificate_san: "dns:*.land.example")",
                               R"(certificate_san: "dns:LAND.example")",
                               R"(certificate_san: "dns:")",
                               R"(certificate_san: "uri:")",
                               R"(certificate_san: "uri:urn:a b")",
                               R"(certificate_san: "email:a@land.example")",
                               R"(certificate_san: "CN=software")",
                               R"(token_client: "")"};
  const std::string first =
      kPolicy +
      R"(  - {name: one, certificate_san: "dns:software.land.example", token_client: software, authorities: ["000160"]}
)";
  for (const char* line : lines) {
    CAPTURE(line);
    const auto parsed = Policy::parse(
        first + "  - {name: two, " + line + ", authorities: [\"000160\"]}\n", "policy.yaml");
    REQUIRE_FALSE(parsed.has_value());
    CHECK_MESSAGE(parsed.error().message.starts_with("policy.yaml:10:"), parsed.error().message);
  }
}

TEST_CASE("the policy of the sample configuration is good") {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/policy.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const Policy policy = policy_of(text.str());
  REQUIRE(policy.authority("000250") != nullptr);
  CHECK(policy.authority("000250")->land == "DE-NI");
  CHECK(policy.authority("123456") == nullptr);
}

TEST_CASE("rates are the defaults, those of the file, or an authority's own") {
  const Rates defaults = policy_of(kPolicy).authority("000250")->rates;
  CHECK(defaults.requests == Rates().requests);
  CHECK(defaults.events == Rates().events);
  const Policy policy = policy_of(
      "rates: {events: {per_second: 20, burst: 3000}, anonymous: {burst: 7}}\n" +
      replaced(kPolicy, "land: DE-NW, role: AE",
               "land: DE-NW, role: AE, rates: {events: {burst: 5000}, requests: {per_second: 1}}"));
  CHECK(policy.authority("000250")->rates.events == Rate{20, 3000});
  CHECK(policy.authority("000250")->rates.requests == Rates().requests);
  CHECK(policy.authority("000160")->rates.events == Rate{20, 5000});
  CHECK(policy.authority("000160")->rates.requests == Rate{1, Rates().requests.burst});
  CHECK(policy.anonymous_rate() == Rate{kAnonymousRate.per_second, 7});
}

TEST_CASE("a mistake in the rates is named with its place") {
  struct Mistake {
    const char* line;
    const char* message;
  };
  const Mistake mistakes[] = {
      {"rates: {event: {}}", "policy.yaml:1:9: unknown key \"event\""},
      {"rates: {events: {rate: 1}}", "policy.yaml:1:18: unknown key \"rate\""},
      {"rates: {events: 5}", "policy.yaml:1:17: a mapping is expected"},
      {"rates: {events: {burst: 999}}",
       "policy.yaml:1:25: a number from 1000 to 1000000 is expected"},
      {"rates: {events: {per_second: 9}}",
       "policy.yaml:1:30: a number from 10 to 1000000 is expected"},
      {"rates: {requests: {burst: 0}}", "policy.yaml:1:27: a number from 1 to 1000000 is expected"},
      {"rates: {requests: {burst: 1000001}}",
       "policy.yaml:1:27: a number from 1 to 1000000 is expected"},
      {"rates: {requests: {burst: 1.5}}",
       "policy.yaml:1:27: a number from 1 to 1000000 is expected"}};
  for (const Mistake& one : mistakes) {
    CAPTURE(one.line);
    const auto parsed = Policy::parse(one.line + ("\n" + kPolicy), "policy.yaml");
    REQUIRE_FALSE(parsed.has_value());
    CHECK_MESSAGE(parsed.error().message.find(one.message) != std::string::npos,
                  parsed.error().message);
  }
  const auto own = Policy::parse(
      replaced(kPolicy, "land: DE-NW, role: AE", "land: DE-NW, role: AE, rates: {anonymous: {}}"),
      "policy.yaml");
  CHECK_FALSE(own.has_value());
}

TEST_CASE("the rates of config/policy.yaml are the defaults") {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/config/policy.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const Policy policy = policy_of(text.str());
  for (const Authority& authority : policy.authorities()) {
    CHECK(authority.rates.requests == Rates().requests);
    CHECK(authority.rates.events == Rates().events);
  }
  CHECK(policy.anonymous_rate() == kAnonymousRate);
}
