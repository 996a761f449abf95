// DELETE of a procedure's mapping: who may, what it answers, and what it leaves.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

const std::string kEraser = "bamf-loeschung";  // Of kBamf.
const std::string kAzr = "260815000001";

Json committed(Gateway& gateway, const Json& one, Headers headers = {}) {
  const Response response = gateway.report(one, std::move(headers));
  REQUIRE_MESSAGE(response.status == 201, response.body);
  return response.json();
}

std::string mapping_of(const Json& receipt) {
  return "/v1/procedures/" + receipt["procedureId"].get<std::string>() + "/mapping";
}

Response erase(Gateway& gateway, const std::string& path, const std::string& caller = kEraser) {
  return gateway.send({"DELETE", path, caller});
}

Response search(Gateway& gateway, const std::string& azr, const std::string& authority) {
  const Json body = {{"identifiers", {{{"type", "AZR_NUMMER"}, {"value", azr}}}}};
  return gateway.post("/v1/procedures/search", "application/json", body.dump(), authority);
}

void add_client(Gateway& gateway, const std::string& line) {
  std::ifstream file(gateway.folder() + "/policy.yaml");
  std::stringstream text;
  text << file.rdbuf();
  std::string policy = text.str();
  const std::size_t at = policy.find("  - {name: bamf-loeschung");
  REQUIRE(at != std::string::npos);
  gateway.replace_policy(policy.insert(at, line));
}

}  // namespace

TEST_CASE("an erasure ends with 204, and the procedure is unknown to everybody") {
  Gateway gateway;
  const Json made = committed(gateway, event("e-1", kAzr), {{"idempotency-key", "\"key\""}});
  const std::string id = made["procedureId"];
  REQUIRE(search(gateway, kAzr, kAe).status == 200);
  const Response erased = erase(gateway, mapping_of(made));
  CHECK(erased.status == 204);
  CHECK(erased.body.empty());
  CHECK(erased.header("cache-control") == "no-store");
  for (const char* authority : {kAe, kBamf}) {
    CHECK(search(gateway, kAzr, authority).status == 404);
    CHECK(gateway.get("/v1/procedures/" + id, authority).status == 404);
    CHECK(gateway.get("/v1/procedures/" + id + "/history", authority).status == 404);
  }
  CHECK(gateway.ledger_size() == 2);
}

TEST_CASE("an event that comes again after an erasure starts a new procedure") {
  Gateway gateway;
  const Json before = committed(gateway, event("e-1", kAzr), {{"idempotency-key", "\"key\""}});
  REQUIRE(erase(gateway, mapping_of(before)).status == 204);
  const Json after = committed(gateway, event("e-1", kAzr), {{"idempotency-key", "\"key\""}});
  CHECK(after["procedureId"] != before["procedureId"]);
  CHECK(after["transactionId"] != before["transactionId"]);
  CHECK(search(gateway, kAzr, kAe).json()["procedureId"] == after["procedureId"]);
}

TEST_CASE("who has ordered an erasure gets the same answer again") {
  Gateway gateway;
  const Json made = committed(gateway, event("e-1", kAzr));
  REQUIRE(erase(gateway, mapping_of(made)).status == 204);
  CHECK(erase(gateway, mapping_of(made)).status == 204);
  CHECK(gateway.ledger_size() == 2);
}

TEST_CASE("an erasure is for clients of its duty alone, and they read nothing") {
  Gateway gateway;
  const Json made = committed(gateway, event("e-1", kAzr));
  for (const std::string caller : {kBamf, kAe, "bamf-datenschutz"}) {
    CHECK(erase(gateway, mapping_of(made), caller).status == 403);
  }
  CHECK(gateway.get("/v1/procedures/" + made["procedureId"].get<std::string>(), kEraser).status ==
        403);
  CHECK(search(gateway, kAzr, kAe).status == 200);
}

TEST_CASE("an authority erases what nobody else has reported about; all else is unknown to it") {
  Gateway gateway;
  add_client(gateway, "  - {name: ae-eraser, authorities: [\"999902\"], duty: ERASURE}\n");
  const Json own = committed(gateway, event("e-1", kAzr));
  const Json shared = committed(gateway, event("e-2", "260815000002"));
  committed(gateway, event_of("e-3", "260815000002", kBamf, "ID_CHECK_ABGESCHLOSSEN"));
  const Json foreign =
      committed(gateway, event_of("e-4", "260815000003", kOtherAe, "REGISTRIERUNG_ABGESCHLOSSEN"));
  const Response unknown =
      erase(gateway, "/v1/procedures/5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10/mapping", "ae-eraser");
  CHECK(unknown.status == 404);
  for (const Json& one : {shared, foreign}) {
    const Response refused = erase(gateway, mapping_of(one), "ae-eraser");
    CHECK(refused.status == 404);
    Json body = refused.json();
    Json expected = unknown.json();
    body.erase("instance");
    expected.erase("instance");
    CHECK(body == expected);
  }
  CHECK(erase(gateway, mapping_of(own), "ae-eraser").status == 204);
  CHECK(erase(gateway, mapping_of(own)).status == 404);
  CHECK(erase(gateway, mapping_of(shared)).status == 204);
  CHECK(erase(gateway, mapping_of(shared), "ae-eraser").status == 404);
}

TEST_CASE("the audit names who has ordered an erasure, and the pseudonym alone") {
  Gateway gateway;
  const Json made = committed(gateway, event("e-1", kAzr));
  REQUIRE(erase(gateway, mapping_of(made)).status == 204);
  const std::vector<Json> records = gateway.audit();
  REQUIRE(records.size() == 3);
  CHECK(records[1]["action"] == "ERASE");
  CHECK(records[1]["client"] == "development-" + kEraser);
  CHECK(records[1]["outcome"] == "ACCEPTED");
  CHECK(records[1]["procedures"] == Json::array({made["procedureId"]}));
  CHECK(records[2]["action"] == "ERASED");
  CHECK(records[2]["outcome"] == "DONE");
  CHECK(records[2]["procedures"] == Json::array({made["procedureId"]}));
  for (const Json& record : records) CHECK(record.dump().find(kAzr) == std::string::npos);
}

TEST_CASE("a tombstone is no submission: nobody finds a transaction or a receipt of it") {
  Gateway gateway;
  const Json made = committed(gateway, event("e-1", kAzr));
  REQUIRE(erase(gateway, mapping_of(made)).status == 204);
  const std::string id = gateway.audit()[1]["transaction"];
  CHECK(gateway.get("/v1/transactions/" + id, kBamf).status == 404);
  CHECK(gateway.get("/v1/transactions/" + id + "/receipt", kBamf).status == 404);
  // The receipt of what was reported stays: it attributes nothing.
  const std::string reported = made["transactionId"];
  CHECK(gateway.get("/v1/transactions/" + reported + "/receipt", kAe).status == 200);
}
