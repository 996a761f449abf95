// The audit trail for data protection officers: whose records they see, by what filters, page by
// page; exports that can be verified; and that their reading is recorded, too.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "gateway/audit/export.h"
#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

// Clients of config/policy.yaml.
const std::string kAeOfficer = "musterstadt-datenschutz";  // Of kAe.
const std::string kBamfOfficer = "bamf-datenschutz";

std::string committed(Gateway& gateway, const Json& one) {
  const Response response = gateway.report(one);
  REQUIRE_MESSAGE(response.status == 201, response.body);
  return response.json()["procedureId"];
}

/// All records that the officer sees by the query, page by page.
std::vector<Json> records(Gateway& gateway, const std::string& officer, const std::string& query,
                          int limit = 1000) {
  std::vector<Json> all;
  std::string cursor;
  while (true) {
    const Response page =
        gateway.get("/v1/audit/records?limit=" + std::to_string(limit) + query + cursor, officer);
    REQUIRE_MESSAGE(page.status == 200, page.body);
    const Json body = page.json();
    for (const Json& record : body["records"]) all.push_back(record);
    if (!body.contains("next")) return all;
    cursor = "&cursor=" + body["next"].get<std::string>();
  }
}

std::vector<std::string> actions(const std::vector<Json>& records) {
  std::vector<std::string> out;
  for (const Json& record : records) {
    out.push_back(record["action"].get<std::string>() + ' ' +
                  record["authorities"][0].get<std::string>());
  }
  return out;
}

using Texts = std::vector<std::string>;

/// A procedure of kAe that kAe, kLd and the BAMF have read, kLd in vain; and one of another Land.
struct Accesses {
  explicit Accesses(Gateway& gateway) {
    own = committed(gateway, event("e-1"));
    Json other = event_of("e-2", "260815000002", kOtherAe, "REGISTRIERUNG_ABGESCHLOSSEN");
    foreign = committed(gateway, other);
    CHECK(gateway.get("/v1/procedures/" + own, kAe).status == 200);
    CHECK(gateway.get("/v1/procedures/" + own, kLd).status == 404);
    CHECK(gateway.get("/v1/procedures/" + own, kBamf).status == 200);
    CHECK(gateway.get("/v1/procedures/" + foreign, kOtherAe).status == 200);
  }

  std::string own;
  std::string foreign;
};

audit::ExportReport checked(const Gateway& gateway, const std::string& text) {
  audit::ExportCheck check(gateway.audit_verifier());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) check.line(line);
  return check.finish();
}

}  // namespace

TEST_CASE("an officer sees what was done for the own authorities, and the BAMF's sees all") {
  Gateway gateway;
  const Accesses made(gateway);
  CHECK(actions(records(gateway, kAeOfficer, "")) ==
        Texts{std::string("REPORT ") + kAe, std::string("READ_PROCEDURE ") + kAe});
  const auto all = records(gateway, kBamfOfficer, "");
  CHECK(all.size() == 7);
  CHECK(all.back()["action"] == "READ_AUDIT");
  CHECK(all.back()["authorities"][0] == kAe);
}

TEST_CASE("of an own procedure an officer sees who was told of it, and of a foreign one nothing") {
  Gateway gateway;
  const Accesses made(gateway);
  CHECK(actions(records(gateway, kAeOfficer, "&procedure=" + made.own)) ==
        Texts{std::string("REPORT ") + kAe, std::string("READ_PROCEDURE ") + kAe,
              std::string("READ_PROCEDURE ") + kBamf});
  CHECK(records(gateway, kAeOfficer, "&procedure=" + made.foreign).empty());
  CHECK(actions(records(gateway, kBamfOfficer, "&procedure=" + made.foreign)) ==
        Texts{std::string("REPORT ") + kOtherAe, std::string("READ_PROCEDURE ") + kOtherAe,
              std::string("READ_AUDIT ") + kAe});
}

TEST_CASE("filters select by action, client, authority and time") {
  Gateway gateway;
  const Accesses made(gateway);
  const auto count = [&gateway](const std::string& query) {
    return records(gateway, kBamfOfficer, query).size();
  };
  CHECK(count("&action=READ_PROCEDURE") == 4);
  CHECK(count("&action=READ_PROCEDURE&authority=" + std::string(kAe)) == 1);
  CHECK(count("&client=development-" + std::string(kLd)) == 1);
  const std::string at = gateway.audit().front()["at"];
  CHECK(count("&action=REPORT&from=" + at) == 2);
  CHECK(count("&to=" + at) == 0);
  CHECK(count("&from=9998-01-01T00:00:00Z") == 0);
  const Response no_action = gateway.get("/v1/audit/records?action=ALL", kBamfOfficer);
  CHECK(no_action.problem() == "malformed-request");
  CHECK(gateway.get("/v1/audit/records?from=2026-13-01T00:00:00Z", kBamfOfficer).problem() ==
        "malformed-request");
  CHECK(gateway.get("/v1/audit/records?cursor=bm9uZQ", kBamfOfficer).problem() ==
        "malformed-request");
}

TEST_CASE("pages give each record once and come to an end, although reading is recorded") {
  Gateway gateway;
  for (int i = 0; i < 25; ++i) committed(gateway, event("e-" + std::to_string(i)));
  const auto all = records(gateway, kBamfOfficer, "", 4);
  CHECK(all.size() == 25);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i]["n"] == i + 1);
  // A cursor that nobody gave ends, too.
  CHECK(gateway.get("/v1/audit/records?cursor=MS05MjIzMzcyMDM2ODU0Nzc1ODA3", kBamfOfficer).status ==
        200);
}

TEST_CASE("reading the trail is recorded with what was looked at, and not what a client made up") {
  Gateway gateway;
  const Accesses made(gateway);
  const std::size_t before = gateway.audit().size();
  (void)records(gateway, kAeOfficer, "&procedure=" + made.own);
  (void)records(gateway, kAeOfficer, "&procedure=019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968");
  CHECK(gateway.get("/v1/audit/export", kAeOfficer).status == 200);
  (void)records(gateway, kAeOfficer, "&procedure=" + made.foreign);
  const auto records = gateway.audit();
  REQUIRE(records.size() == before + 4);
  const Json& first = records[before];
  CHECK(first["action"] == "READ_AUDIT");
  CHECK(first["client"] == "development-" + kAeOfficer);
  CHECK(first["procedures"] == Json{made.own});
  CHECK(first["first"] == 1);
  CHECK(first["count"] == before);
  CHECK_FALSE(records[before + 1].contains("procedures"));
  CHECK(records[before + 2]["action"] == "EXPORT_AUDIT");
  CHECK(records[before + 3]["outcome"] == "HIDDEN");
  CHECK(gateway.get("/v1/audit/records?procedure=nobody", kAeOfficer).problem() ==
        "malformed-request");
}

TEST_CASE("nobody but a data protection officer reads the trail") {
  Gateway gateway;
  const Accesses made(gateway);
  for (const char* path : {"/v1/audit/records", "/v1/audit/export"}) {
    CHECK(gateway.get(path).status == 401);
    for (const std::string& caller :
         std::vector<std::string>{kAe, kBamf, kAuditor, "bamf-loeschung"}) {
      CHECK(gateway.get(path, caller).problem() == "not-permitted");
    }
  }
  CHECK(gateway.get("/v1/procedures/" + made.own, kAeOfficer).problem() == "not-permitted");
}

TEST_CASE("a whole export is closed by the chain, a filtered one by its statement") {
  Gateway gateway;
  const Accesses made(gateway);
  const Response whole = gateway.get("/v1/audit/export", kBamfOfficer);
  REQUIRE(whole.status == 200);
  auto report = checked(gateway, whole.body);
  CHECK(report.findings.empty());
  CHECK(report.records == 6);
  CHECK(report.statement.scope == "all");
  CHECK(report.statement.head.number == 6);

  const Response some = gateway.get("/v1/audit/export?procedure=" + made.own, kAeOfficer,
                                    {{"accept", "application/x-ndjson"}});
  REQUIRE(some.status == 200);
  report = checked(gateway, some.body);
  CHECK(report.findings.empty());
  CHECK(report.records == 3);
  CHECK(report.statement.scope == std::string(kAe) + " recipients");
  CHECK(report.statement.query == R"({"procedure":")" + made.own + R"("})");
  CHECK(gateway.get("/v1/audit/export", kAeOfficer, {{"accept", "application/json"}}).status ==
        406);
}
