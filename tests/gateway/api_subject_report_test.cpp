// The data-subject report: what it says, to whom, and what it never says.
#include <doctest/doctest.h>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

const std::string kAeOfficer = "musterstadt-datenschutz";  // Of kAe.
const std::string kBamfOfficer = "bamf-datenschutz";
const std::string kAzr = "260815000001";
const std::string kOtherAzr = "260815000002";

Json identifier(const std::string& type, const std::string& value) {
  return {{"type", type}, {"value", value}};
}

Response report(Gateway& gateway, const std::string& officer, const std::string& azr) {
  const Json body = {{"identifiers", Json::array({identifier("AZR_NUMMER", azr)})}};
  return gateway.post("/v1/data-subject-reports", "application/json", body.dump(), officer);
}

Json committed(Gateway& gateway, const Json& one, Headers headers = {}) {
  const Response response = gateway.report(one, std::move(headers));
  REQUIRE_MESSAGE(response.status == 201, response.body);
  return response.json();
}

Json foreign_event() { return event_of("e-9", kOtherAzr, kOtherAe, "REGISTRIERUNG_ABGESCHLOSSEN"); }

// But for the time at which it was made.
Json timeless(const Response& response) {
  REQUIRE(response.status == 200);
  Json body = response.json();
  body.erase("generatedAt");
  return body;
}

}  // namespace

TEST_CASE("a report says what is stored, where, and who has read it") {
  Gateway gateway;
  Json first = event("e-1", kAzr);
  first["procedure"]["identifiers"].push_back(identifier("EURODAC_NUMMER", "DE1260101ABC45678"));
  const Json made = committed(gateway, first, {{"idempotency-key", "\"key\""}});
  const std::string id = made["procedureId"];
  REQUIRE(gateway.get("/v1/procedures/" + id, kBamf).status == 200);

  const Response response = report(gateway, kAeOfficer, kAzr);
  REQUIRE(response.status == 200);
  CHECK(response.header("cache-control") == "no-store");
  const Json body = response.json();
  REQUIRE(body["procedures"].size() == 1);
  const Json& procedure = body["procedures"][0];
  CHECK(procedure["procedureId"] == id);
  CHECK(procedure["mapping"]["identifierTypes"] == Json{"AZR_NUMMER", "EURODAC_NUMMER"});
  CHECK(procedure["submissions"] == Json::array({{{"transactionId", made["transactionId"]},
                                                  {"authority", kAe},
                                                  {"state", "COMMITTED"},
                                                  {"logIndex", 0}}}));
  CHECK(procedure["outbox"] == 0);
  CHECK(procedure["keptAnswers"]["count"] == 1);
  CHECK(procedure["readModel"] == 1);
  CHECK(procedure["ledger"][0]["status"] == "REGISTRIERUNG_ABGESCHLOSSEN");
  const Json& accesses = procedure["audit"]["records"];
  REQUIRE(accesses.size() == 2);
  CHECK(accesses[0]["action"] == "REPORT");
  CHECK(accesses[1]["authorities"] == Json{kBamf});
  for (const Json& text : body["explanations"]) {
    CHECK(text.begin().key() == "de");
    CHECK_FALSE(text["en"].get<std::string>().empty());
  }
  for (const std::string& value : std::vector<std::string>{kAzr, "DE1260101ABC45678", "e-1\""}) {
    CHECK(response.body.find(value) == std::string::npos);
  }
}

TEST_CASE(
    "what is unknown and what is another authority's are reported alike, and the BAMF is told") {
  Gateway gateway;
  committed(gateway, foreign_event());
  const Json foreign = timeless(report(gateway, kAeOfficer, kOtherAzr));
  CHECK(foreign["procedures"].empty());
  CHECK(foreign == timeless(report(gateway, kAeOfficer, "260815000009")));
  CHECK(report(gateway, kBamfOfficer, kOtherAzr).json()["procedures"].size() == 1);
}

TEST_CASE("who has only reported is told of the own reports") {
  Gateway gateway;
  const Json theirs =
      committed(gateway, event_of("e-1", kAzr, kOtherAe, "REGISTRIERUNG_ABGESCHLOSSEN"));
  const Json own = committed(gateway, event_of("e-2", kAzr, kAe, "FORTZUG_UNBEKANNT"));
  REQUIRE(own["procedureId"] == theirs["procedureId"]);
  const Json all = report(gateway, kBamfOfficer, kAzr).json()["procedures"][0];
  CHECK(all["submissions"].size() == 2);
  CHECK(all["ledger"].size() == 2);
  const Json some = report(gateway, kAeOfficer, kAzr).json()["procedures"][0];
  REQUIRE(some["submissions"].size() == 1);
  CHECK(some["submissions"][0]["transactionId"] == own["transactionId"]);
  REQUIRE(some["ledger"].size() == 1);
  CHECK(some["ledger"][0]["transactionId"] == own["transactionId"]);
}

TEST_CASE("of a person who was merged all procedures are reported") {
  Gateway gateway;
  const Json first = committed(gateway, event("e-1", kAzr));
  const Json second = committed(gateway, event("e-2", kOtherAzr));
  Json merge = event_of("e-3", kAzr, kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  merge["mergedInto"] = {{"procedureId", second["procedureId"]}};
  committed(gateway, merge);
  for (const std::string& azr : {kAzr, kOtherAzr}) {
    CHECK(report(gateway, kBamfOfficer, azr).json()["procedures"].size() == 2);
  }
}

TEST_CASE("a report is recorded by pseudonym and types") {
  Gateway gateway;
  const Json made = committed(gateway, event("e-1", kAzr));
  committed(gateway, foreign_event());
  (void)report(gateway, kAeOfficer, kAzr);
  (void)report(gateway, kAeOfficer, kOtherAzr);
  (void)report(gateway, kAeOfficer, "260815000009");
  const auto records = gateway.audit();
  REQUIRE(records.size() == 5);
  for (std::size_t i = 2; i < 5; ++i) {
    CHECK(records[i]["action"] == "SUBJECT_REPORT");
    CHECK(records[i]["types"] == Json{"AZR_NUMMER"});
  }
  CHECK(records[2]["outcome"] == "FOUND");
  CHECK(records[2]["procedures"] == Json::array({made["procedureId"]}));
  CHECK(records[3]["outcome"] == "HIDDEN");
  CHECK(records[4]["outcome"] == "NOT_FOUND");
}

TEST_CASE(
    "nobody but a data protection officer gets a report, and a bad identifier is not repeated") {
  Gateway gateway;
  for (const std::string& caller : std::vector<std::string>{kAe, kBamf, "bamf-loeschung"}) {
    CHECK(report(gateway, caller, kAzr).problem() == "not-permitted");
  }
  CHECK(report(gateway, {}, kAzr).status == 401);
  const Response bad = report(gateway, kAeOfficer, "99063077712399");
  CHECK(bad.problem() == "identifier-malformed");
  CHECK(bad.body.find("9906307771") == std::string::npos);
}

TEST_CASE("reports about too many persons are refused, as searches are") {
  Gateway gateway;
  std::string policy = sample_policy();
  policy.replace(policy.find("identifiers: 1000"), 17, "identifiers: 1");
  gateway.replace_policy(policy);
  CHECK(report(gateway, kAeOfficer, kAzr).status == 200);
  const Response refused = report(gateway, kAeOfficer, kOtherAzr);
  CHECK(refused.status == 429);
  CHECK(refused.problem() == "quota-exceeded");
  const Json record = gateway.audit().back();
  CHECK(record["action"] == "SUBJECT_REPORT");
  CHECK(record["problem"] == "quota-exceeded");
  CHECK(report(gateway, kBamfOfficer, kOtherAzr).status == 200);
}

TEST_CASE("the BAMF is told which channels hold a procedure's entries, and nobody else") {
  Gateway gateway({.channels = ChannelRule("flora", {{"DE-NI", "flora-ni"}})});
  committed(gateway, event("e-1", kAzr));
  const Json all = report(gateway, kBamfOfficer, kAzr).json()["procedures"][0];
  CHECK(all["mapping"]["channels"] == Json::array({"flora-ni"}));
  const Json own = report(gateway, kAeOfficer, kAzr).json()["procedures"][0];
  CHECK_FALSE(own["mapping"].contains("channels"));
}
