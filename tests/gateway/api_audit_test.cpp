// Each access to procedure data leaves exactly its record, and nothing is told without one.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/gateway/api_fixture.h"
#include "tests/ledger-client/fault_vfs.h"

using namespace flora;
using namespace flora::test;

namespace {

const std::string kUnknown = "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968";

/// The records that came since the last look, without number and time.
class Audit {
 public:
  explicit Audit(const Gateway& gateway) : gateway_(gateway) { (void)take(); }

  std::vector<Json> take() {
    std::vector<Json> all = gateway_.audit();
    std::vector<Json> fresh(all.begin() + static_cast<std::ptrdiff_t>(seen_), all.end());
    seen_ = all.size();
    for (Json& record : fresh) {
      record.erase("n");
      record.erase("at");
    }
    return fresh;
  }

  /// The one record that came.
  Json one() {
    const std::vector<Json> fresh = take();
    REQUIRE(fresh.size() == 1);
    return fresh.front();
  }

 private:
  const Gateway& gateway_;
  std::size_t seen_ = 0;
};

Json record(const std::string& action, const std::string& authority, const std::string& role,
            const std::string& outcome, const Json& more = Json::object()) {
  Json made = {{"action", action},
               {"client", "development-" + authority},
               {"authorities", {authority}},
               {"role", role},
               {"outcome", outcome}};
  made.update(more);
  return made;
}

Json committed(Gateway& gateway, const Json& one) {
  const Response response = gateway.report(one);
  REQUIRE_MESSAGE(response.status == 201, response.body);
  return response.json();
}

Json ids(const Json& answer) {
  return {{"procedures", {answer["procedureId"]}}, {"transaction", answer["transactionId"]}};
}

Response search(Gateway& gateway, const std::string& azr, const std::string& authority) {
  const Json body = event("x", azr)["procedure"];
  return gateway.post("/v1/procedures/search", "application/json", body.dump(), authority);
}

}  // namespace

TEST_CASE("reports, corrections, revocations, merges and repeats are recorded") {
  Gateway gateway;
  Audit audit(gateway);
  const Json first = committed(gateway, event("e-1"));
  CHECK(audit.one() == record("REPORT", kAe, "AE", "ACCEPTED", ids(first)));
  CHECK(gateway.report(event("e-1")).status == 200);
  CHECK(audit.one() == record("REPORT", kAe, "AE", "REPEAT", ids(first)));

  Json correction = event("e-2");
  correction["corrects"] = {{"transactionId", first["transactionId"]}};
  const Json second = committed(gateway, correction);
  CHECK(audit.one() == record("CORRECT", kAe, "AE", "ACCEPTED", ids(second)));
  Json revocation = event("e-3");
  revocation["revokes"] = {{"transactionId", second["transactionId"]}};
  const Json third = committed(gateway, revocation);
  CHECK(audit.one() == record("REVOKE", kAe, "AE", "ACCEPTED", ids(third)));

  const Json other = committed(gateway, event("e-4", "260815000002"));
  (void)audit.take();
  Json merge = event_of("e-5", "260815000001", kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  merge["mergedInto"] = {{"procedureId", other["procedureId"]}};
  const Json merged = committed(gateway, merge);
  Json expected = ids(merged);
  expected["procedures"] = {first["procedureId"], other["procedureId"]};
  CHECK(audit.one() == record("MERGE", kBamf, "BAMF", "ACCEPTED", expected));
}

TEST_CASE(
    "reports that are denied or refused are recorded with the problem, what is malformed is not") {
  Gateway gateway;
  Audit audit(gateway);
  committed(gateway, event("e-1"));
  (void)audit.take();
  const auto as = [&gateway](const char* authority, const Json& body) {
    return gateway.post("/v1/status-events", "application/json", body.dump(), authority);
  };
  CHECK(as(kAbh, event("e-2")).problem() == "not-your-authority");
  CHECK(audit.one() ==
        record("REPORT", kAbh, "ABH", "REFUSED", {{"problem", "not-your-authority"}}));
  CHECK(as(kAe, event_of("e-3", "260815000001", kAe, "ID_CHECK_ABGESCHLOSSEN")).problem() ==
        "not-your-status");
  CHECK(audit.one() == record("REPORT", kAe, "AE", "REFUSED", {{"problem", "not-your-status"}}));
  Json conflict = event("e-1");
  conflict["occurredAt"] = "2026-11-03T09:15:30.123Z";
  CHECK(as(kAe, conflict).problem() == "event-conflict");
  CHECK(audit.one() == record("REPORT", kAe, "AE", "REFUSED", {{"problem", "event-conflict"}}));
  Json unknown = event("e-4");
  unknown["procedure"] = {{"procedureId", kUnknown}};
  CHECK(as(kAe, unknown).problem() == "procedure-unknown");
  CHECK(audit.one() == record("REPORT", kAe, "AE", "REFUSED", {{"problem", "procedure-unknown"}}));

  CHECK(as(kAe, Json::object()).status == 422);
  CHECK(gateway.post("/v1/status-events", "application/json", "{", kAe).status == 400);
  Json test_mark = event("e-5");
  test_mark["test"] = true;
  CHECK(as(kAe, test_mark).status == 200);
  CHECK(gateway.get("/v1/statuses", kAe).status == 200);
  CHECK(gateway.get("/v1/log/checkpoint", kAe).status == 200);
  CHECK(gateway.get("/v1/procedures/" + kUnknown).status == 401);
  CHECK(audit.take().empty());
}

TEST_CASE("each item of a batch and of a stream has its record") {
  Gateway gateway;
  Audit audit(gateway);
  const Json batch = {cloud_event(event("e-1")), Json::object(), cloud_event(event("e-2")),
                      cloud_event(event_of("e-3", "260815000001", kAbh, "ANKUNFT_KOMMUNE"))};
  CHECK(gateway.post("/v1/status-events", "application/cloudevents-batch+json", batch.dump(), kAe)
            .status == 200);
  std::vector<Json> records = audit.take();
  REQUIRE(records.size() == 3);
  CHECK(std::ranges::count(records, Json("ACCEPTED"), [](const Json& r) { return r["outcome"]; }) ==
        2);
  CHECK(std::ranges::count(records, Json("not-your-authority"),
                           [](const Json& r) { return r.value("problem", Json()); }) == 1);
  std::string lines;
  for (int i = 0; i < 30; ++i) lines += event("s-" + std::to_string(i)).dump() + "\n";
  CHECK(gateway.post("/v1/status-events", "application/x-ndjson", lines, kAe).status == 200);
  CHECK(audit.take().size() == 30);
}

TEST_CASE("readings are recorded with what was told, hidden or not there") {
  Gateway gateway;
  const Json answer = committed(gateway, event("e-1"));
  committed(gateway, event("e-2"));
  Audit audit(gateway);
  const Json procedure = {{"procedures", {answer["procedureId"]}}};
  const auto with = [](Json base, const Json& more) {
    base.update(more);
    return base;
  };
  const std::string path = "/v1/procedures/" + answer["procedureId"].get<std::string>();

  CHECK(gateway.get(path, kAe).status == 200);
  CHECK(audit.one() == record("READ_PROCEDURE", kAe, "AE", "FOUND", procedure));
  CHECK(gateway.get(path, kLd).status == 404);
  CHECK(audit.one() == record("READ_PROCEDURE", kLd, "LD", "HIDDEN", procedure));
  CHECK(gateway.get("/v1/procedures/" + kUnknown, kAe).status == 404);
  CHECK(audit.one() == record("READ_PROCEDURE", kAe, "AE", "NOT_FOUND"));
  CHECK(gateway.get(path + "/history?limit=1", kAe).status == 200);
  CHECK(audit.one() ==
        record("READ_HISTORY", kAe, "AE", "FOUND", with(procedure, {{"first", 0}, {"count", 1}})));
  CHECK(gateway.get(path + "/history", kLd).status == 404);
  CHECK(audit.one() == record("READ_HISTORY", kLd, "LD", "HIDDEN", procedure));

  const Json types = {{"types", {"AZR_NUMMER"}}};
  CHECK(search(gateway, "260815000001", kAe).status == 200);
  CHECK(audit.one() == record("SEARCH", kAe, "AE", "FOUND", with(procedure, types)));
  CHECK(search(gateway, "260815000001", kLd).status == 404);
  CHECK(audit.one() == record("SEARCH", kLd, "LD", "HIDDEN", with(procedure, types)));
  CHECK(search(gateway, "260815000009", kAe).status == 404);
  CHECK(audit.one() == record("SEARCH", kAe, "AE", "NOT_FOUND", types));

  const std::string transaction = "/v1/transactions/" + answer["transactionId"].get<std::string>();
  for (const auto& [rest, action] :
       {std::pair{"", "READ_TRANSACTION"}, std::pair{"/receipt", "READ_RECEIPT"}}) {
    CHECK(gateway.get(transaction + rest, kAe).status == 200);
    CHECK(audit.one() == record(action, kAe, "AE", "FOUND", ids(answer)));
    CHECK(gateway.get(transaction + rest, kAbh).status == 404);
    CHECK(audit.one() == record(action, kAbh, "ABH", "HIDDEN", ids(answer)));
    CHECK(gateway.get("/v1/transactions/" + kUnknown + rest, kAe).status == 404);
    CHECK(audit.one() == record(action, kAe, "AE", "NOT_FOUND"));
  }
}

TEST_CASE("who reads a procedure reads those that were merged into it") {
  Gateway gateway;
  const Json first = committed(gateway, event("e-1"));
  const Json second = committed(gateway, event("e-2", "260815000002"));
  Json merge = event_of("e-3", "260815000001", kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  merge["mergedInto"] = {{"procedureId", second["procedureId"]}};
  committed(gateway, merge);
  Audit audit(gateway);
  CHECK(gateway.get("/v1/procedures/" + second["procedureId"].get<std::string>(), kBamf).status ==
        200);
  CHECK(audit.one() == record("READ_PROCEDURE", kBamf, "BAMF", "FOUND",
                              {{"procedures", {second["procedureId"], first["procedureId"]}}}));
}

TEST_CASE("entries of the ledger, kept answers and foreign adapters are recorded") {
  Gateway gateway;
  const Headers key = {{"idempotency-key", "\"key\""}};
  const Response first = gateway.report(event("e-1"), key);
  REQUIRE(first.status == 201);
  Audit audit(gateway);
  CHECK(gateway.report(event("e-1"), key).body == first.body);
  CHECK(audit.one() ==
        record("READ_ANSWER", kAe, "AE", "FOUND", {{"procedures", {first.json()["procedureId"]}}}));
  CHECK(gateway.get("/v1/log/tile/entries/000.p/1", kAuditor).status == 200);
  CHECK(audit.one() ==
        record("READ_ENTRIES", kAuditor, "AUDITOR", "FOUND", {{"first", 0}, {"count", 1}}));
  CHECK(gateway.get("/v1/log/tile/entries/000.p/1", kAe).status == 403);
  CHECK(audit.one() ==
        record("READ_ENTRIES", kAe, "AE", "REFUSED", {{"problem", "not-permitted"}}));
  const std::string adapter = "/v1/adapters/de-ni-xauslaender/";
  CHECK(gateway.post(adapter + "messages", "application/xml", "<x/>", kLd).status == 403);
  CHECK(audit.one() == record("REPORT", kLd, "LD", "REFUSED", {{"problem", "not-permitted"}}));
  CHECK(gateway.post(adapter + "translations", "application/xml", "<x/>", kLd).status == 403);
  CHECK(audit.take().empty());
}

TEST_CASE("without a durable record nothing is told") {
  FaultVfs vfs;
  Options options;
  options.store_vfs = vfs.name();
  Gateway gateway(options);
  const Json answer = committed(gateway, event("e-1"));
  const std::string procedure = "/v1/procedures/" + answer["procedureId"].get<std::string>();
  const std::string transaction = "/v1/transactions/" + answer["transactionId"].get<std::string>();
  REQUIRE(gateway.get(procedure, kAe).status == 200);
  const std::size_t before = gateway.audit().size();
  vfs.set_disk_full(true);
  vfs.fail_forever_from(1);
  for (const std::string& path : {procedure, procedure + "/history", transaction,
                                  transaction + "/receipt", "/v1/procedures/" + kUnknown}) {
    const Response refused = gateway.get(path, kAe);
    CHECK(refused.status == 503);
    CHECK(refused.problem() == "unavailable");
    CHECK_FALSE(refused.header("retry-after").empty());
  }
  CHECK(search(gateway, "260815000001", kAe).status == 503);
  CHECK(gateway.get("/v1/log/tile/entries/000.p/1", kAuditor).status == 503);
  CHECK(gateway.get("/v1/log/tile/entries/000.p/1", kAe).status == 503);
  const Json foreign = event_of("e-2", "260815000001", kAbh, "ANKUNFT_KOMMUNE");
  CHECK(gateway.post("/v1/status-events", "application/json", foreign.dump(), kAe).status == 503);
  vfs.heal();
  vfs.set_disk_full(false);
  CHECK(gateway.audit().size() == before);
}
