// Who sees what of a procedure, through the interface: decisions and their details, references to
// what is not shown, operations that are not open, and how many persons a client may look for.
#include <doctest/doctest.h>

#include <algorithm>

#include "gateway/base/env.h"
#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr const char* kAzr = "260815000001";
constexpr const char* kUnknownProcedure = "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10";
constexpr const char* kUnknownTransaction = "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968";

const std::string kToAbh = R"({"empfaengerBehoerde":"999903","empfaengerLand":"DE-NI"})";
const std::string kDecision =
    R"({"entscheidung":{"list":"urn:xoev-de:xauslaender:codeliste:asyl.entscheidungssachverhalt","version":"1","code":"05"}})";
const std::string kServed = R"({"bescheidVom":"2026-11-05"})";

// A procedure, reported event by event, a day each.
class Procedure {
 public:
  explicit Procedure(Gateway& gateway, std::string azr = kAzr)
      : gateway_(gateway), azr_(std::move(azr)) {}

  Json add(const std::string& authority, const std::string& status, const std::string& details = {},
           const Json& more = Json::object()) {
    ++day_;
    Json one =
        event_of("e-secret-" + azr_ + std::to_string(day_), azr_, authority, status, details);
    one.erase("occurredAt");
    one["occurredOn"] = "2026-11-" + std::string(day_ < 10 ? "0" : "") + std::to_string(day_);
    one.update(more);
    const Response response = gateway_.report(one);
    REQUIRE_MESSAGE(response.status == 201, response.body);
    id_ = response.json()["procedureId"];
    return response.json();
  }

  std::string path(const std::string& rest = "") const { return "/v1/procedures/" + id_ + rest; }

  std::vector<std::string> seen_by(const std::string& authority) const {
    std::vector<std::string> seen;
    for (const Json& entry : entries(authority)) {
      std::string text = entry["status"];
      if (entry.contains("detailsWithheld")) text += " without details";
      CHECK_FALSE((entry.contains("detailsWithheld") && entry.contains("details")));
      seen.push_back(text);
    }
    return seen;
  }

  Json entries(const std::string& authority) const {
    const Response history = gateway_.get(path("/history"), authority);
    return history.status == 200 ? history.json()["entries"] : Json::array();
  }

  Json current(const std::string& authority) const {
    return gateway_.get(path(), authority).json()["current"];
  }

 private:
  Gateway& gateway_;
  const std::string azr_;
  std::string id_;
  int day_ = 0;
};

Response search(Gateway& gateway, const std::string& azr, const std::string& authority) {
  const Json body = event("x", azr)["procedure"];
  return gateway.post("/v1/procedures/search", "application/json", body.dump(), authority);
}

using Statuses = std::vector<std::string>;

// All fields but those that say when the caller asked, and how often.
Headers lasting(Headers headers) {
  std::erase_if(headers, [](const auto& field) {
    return field.first == "date" || field.first == "Date" || field.first == "ratelimit";
  });
  return headers;
}

// Values that are drawn anew or counted for each submission.
constexpr std::string_view kDrawn[] = {"transactionId", "procedureId", "logIndex", "entry",
                                       "proof"};

// The same answer with those values by their kinds alone.
Json without_drawn(Json answer) {
  for (auto& [name, value] : answer.items()) {
    if (value.is_structured()) {
      value = without_drawn(value);
    } else if (std::ranges::find(kDrawn, name) != std::end(kDrawn)) {
      value = value.type_name();
    }
  }
  return answer;
}

// Of a field that names the submission, the name goes; of the length, which is that of a proof, the
// value.
Headers without_drawn(Headers headers) {
  for (auto& [name, value] : headers) {
    if (name == "location" || name == "Location") value.erase(value.find_last_of('/'));
    if (name == "content-length" || name == "Content-Length") value.clear();
  }
  return headers;
}

void check_alike(const Response& one, const Response& other) {
  CHECK(one.status == other.status);
  CHECK(one.body == other.body);
  CHECK(lasting(one.headers) == lasting(other.headers));
}

}  // namespace

TEST_CASE("the reception centre sees that a decision was made, and not which one") {
  Gateway gateway;
  Procedure procedure(gateway);
  procedure.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  procedure.add(kBamf, "ANHOERUNG_ERFOLGT");
  procedure.add(kBamf, "BESCHEID_ERLASSEN", kDecision);
  CHECK(procedure.current(kAe)["status"] == "BESCHEID_ERLASSEN");
  CHECK(procedure.current(kAe)["detailsWithheld"] == true);
  CHECK_FALSE(procedure.current(kAe).contains("details"));
  CHECK(procedure.current(kBamf)["details"] == Json::parse(kDecision));
  procedure.add(kBamf, "EILANTRAG_EINGEGANGEN", R"({"antrag":"P80_5"})");
  CHECK(procedure.seen_by(kAe) == Statuses{"REGISTRIERUNG_ABGESCHLOSSEN", "ANHOERUNG_ERFOLGT",
                                           "BESCHEID_ERLASSEN without details"});
  CHECK(procedure.seen_by(kBamf).size() == 4);
  const Json state = gateway.get(procedure.path(), kAe).json();
  CHECK(state["current"]["status"] == "BESCHEID_ERLASSEN");
  CHECK(state["events"] == 3);
}

TEST_CASE("the Ausländerbehörde sees a decision once it is served") {
  Gateway gateway;
  Procedure procedure(gateway);
  procedure.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  CHECK(procedure.seen_by(kAbh).empty());
  procedure.add(kAe, "ZUWEISUNG_KOMMUNE", kToAbh);
  procedure.add(kBamf, "BESCHEID_ERLASSEN", kDecision);
  CHECK(procedure.seen_by(kAbh) == Statuses{"REGISTRIERUNG_ABGESCHLOSSEN", "ZUWEISUNG_KOMMUNE"});
  CHECK(procedure.current(kAbh)["status"] == "ZUWEISUNG_KOMMUNE");
  const Json served = procedure.add(kBamf, "BESCHEID_ZUGESTELLT", kServed);
  CHECK(procedure.seen_by(kAbh) == Statuses{"REGISTRIERUNG_ABGESCHLOSSEN", "ZUWEISUNG_KOMMUNE",
                                            "BESCHEID_ERLASSEN", "BESCHEID_ZUGESTELLT"});
  CHECK(procedure.entries(kAbh)[2]["details"] == Json::parse(kDecision));
  procedure.add(kBamf, "BESCHEID_ZUGESTELLT", {},
                {{"revokes", {{"transactionId", served["transactionId"]}}}});
  CHECK(procedure.seen_by(kAbh).size() == 2);
}

TEST_CASE("no reference leads to an entry that is not shown") {
  Gateway gateway;
  Procedure procedure(gateway);
  procedure.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  const Json own = procedure.add(kOtherAe, "AVB_ANGEBOTEN", R"({"stufe":1})");
  procedure.add(kBamf, "AVB_ANGEBOTEN", R"({"stufe":2})",
                {{"corrects", {{"transactionId", own["transactionId"]}}}});
  const Json to_reporter = procedure.entries(kOtherAe);
  REQUIRE(to_reporter.size() == 1);
  CHECK(to_reporter[0]["effective"] == false);
  CHECK_FALSE(to_reporter[0].contains("replacedBy"));
  CHECK(procedure.entries(kAe)[1].contains("replacedBy"));
}

TEST_CASE("where a procedure was joined to is told to whom the joining is shown") {
  Gateway gateway;
  Procedure from(gateway);
  from.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  from.add(kOtherAe, "AVB_ANGEBOTEN", R"({"stufe":1})");
  Procedure into(gateway, "260815000002");
  const Json target = into.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  from.add(kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT", {},
           {{"mergedInto", {{"procedureId", target["procedureId"]}}}});
  CHECK(gateway.get(from.path(), kAe).json()["mergedInto"] == target["procedureId"]);
  CHECK_FALSE(gateway.get(from.path(), kOtherAe).json().contains("mergedInto"));
}

TEST_CASE("an operation that is not open is refused with its reason, whatever it is about") {
  Gateway gateway;
  Procedure procedure(gateway);
  const Json answer = procedure.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  const std::string transaction = answer["transactionId"];
  const auto refused = [](const Response& response) {
    CHECK(response.status == 403);
    CHECK(response.problem() == "not-permitted");
    return response.json()["detail"].get<std::string>();
  };
  for (const std::string& id :
       {procedure.path(), "/v1/procedures/" + std::string(kUnknownProcedure)}) {
    CHECK(refused(gateway.get(id, kAuditor)) ==
          "The policy lets the role AUDITOR read no PROCEDURES.");
    CHECK(refused(gateway.get(id + "/history", kAuditor)) ==
          "The policy lets the role AUDITOR read no PROCEDURES.");
  }
  CHECK(refused(search(gateway, kAzr, kAuditor)) ==
        "The policy lets the role AUDITOR read no PROCEDURES.");
  CHECK(gateway.audit().back()["outcome"] == "REFUSED");
  for (const std::string& id : {transaction, std::string(kUnknownTransaction)}) {
    for (const char* rest : {"", "/receipt"}) {
      refused(gateway.get("/v1/transactions/" + id + rest, kAuditor));
    }
  }
  CHECK(refused(gateway.get("/v1/log/tile/entries/000.p/1", kBamf)) ==
        "The policy lets the role BAMF read no LOG_ENTRIES.");
  CHECK(refused(gateway.get(procedure.path(), "bamf-loeschung")) ==
        "The operation getProcedure is not open to clients of the duty ERASURE.");
  Json report = event_of("e-secret-9", kAzr, kAe, "BESCHEID_ERLASSEN", kDecision);
  const Response reported = gateway.report(report);
  CHECK(reported.problem() == "not-your-status");
  CHECK(reported.json()["detail"] ==
        "The role AE does not report BESCHEID_ERLASSEN; the catalogue names BAMF.");
}

TEST_CASE("what is foreign and what is unknown are answered alike by every operation that reads") {
  Gateway gateway;
  Procedure procedure(gateway);
  const Json answer = procedure.add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  for (const char* authority : {kAbh, kLd, kOtherAe, kOtherAbh}) {
    CAPTURE(authority);
    for (const char* rest : {"", "/history", "/history?limit=1"}) {
      check_alike(
          gateway.get(procedure.path(rest), authority),
          gateway.get("/v1/procedures/" + std::string(kUnknownProcedure) + rest, authority));
    }
    for (const char* rest : {"", "/receipt"}) {
      check_alike(
          gateway.get("/v1/transactions/" + answer["transactionId"].get<std::string>() + rest,
                      authority),
          gateway.get("/v1/transactions/" + std::string(kUnknownTransaction) + rest, authority));
    }
    check_alike(search(gateway, kAzr, authority), search(gateway, "260815000009", authority));
  }
}

TEST_CASE("a report about a foreign and about an unknown person are accepted alike") {
  Gateway gateway;
  Procedure(gateway).add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  // Each person is told of twice: as a single event and in a batch.
  for (const char* media_type : {"application/json", "application/cloudevents-batch+json"}) {
    CAPTURE(media_type);
    const bool batch = std::string_view(media_type) != "application/json";
    const auto report = [&](const std::string& id, const std::string& azr) {
      const Json made = event_of(id, azr, kOtherAe, "AVB_ANGEBOTEN", R"({"stufe":1})");
      const Json body = batch ? Json::array({cloud_event(made)}) : made;
      return gateway.post("/v1/status-events", media_type, body.dump(), kOtherAe);
    };
    const std::string form = batch ? "batch" : "single";
    const Response foreign = report("e-secret-foreign-" + form, kAzr);
    const Response unknown = report("e-secret-unknown-" + form, "260815000002");
    CHECK(foreign.status == (batch ? 200 : 201));
    CHECK(foreign.status == unknown.status);
    CHECK(without_drawn(foreign.json()) == without_drawn(unknown.json()));
    CHECK(without_drawn(lasting(foreign.headers)) == without_drawn(lasting(unknown.headers)));
    // What comes of it is read in the same way too.
    for (const Response& one : {foreign, unknown}) {
      const Json told = batch ? one.json()["items"][0]["submission"] : one.json();
      const std::string path = "/v1/procedures/" + told["procedureId"].get<std::string>();
      CHECK(gateway.get(path, kOtherAe).json()["events"] == (batch ? 2 : 1));
    }
  }
}

TEST_CASE("a correction of a foreign and of an unknown report are refused alike") {
  Gateway gateway;
  const Json foreign = Procedure(gateway).add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  const auto correct = [&gateway](const Json& reference) {
    Json one = event_of("e-secret-3", kAzr, kOtherAe, "AVB_ANGEBOTEN", R"({"stufe":1})");
    one["corrects"] = reference;
    return gateway.report(one);
  };
  const Response to_foreign = correct({{"transactionId", foreign["transactionId"]}});
  CHECK(to_foreign.problem() == "reference-unknown");
  check_alike(to_foreign, correct({{"transactionId", kUnknownTransaction}}));
}

TEST_CASE("a client that searches for too many persons is stopped, and the operators are told") {
  Gateway gateway;
  std::string policy = sample_policy();
  policy.replace(policy.find("identifiers: 1000"), 17, "identifiers: 3");
  gateway.replace_policy(policy);
  Procedure(gateway).add(kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
  CHECK(search(gateway, kAzr, kAe).status == 200);
  CHECK(search(gateway, "260815000002", kAe).status == 404);
  CHECK(search(gateway, "260815000003", kAe).status == 404);
  for (int i = 0; i < 2; ++i) {
    const Response refused = search(gateway, "260815000004", kAe);
    CHECK(refused.status == 429);
    CHECK(refused.problem() == "quota-exceeded");
    CHECK(refused.json()["violated-policies"] == Json::array({"identifiers"}));
    CHECK(refused.header("retry-after") == "3600");
  }
  const Json record = gateway.audit().back();
  CHECK(record["outcome"] == "REFUSED");
  CHECK(record["problem"] == "quota-exceeded");
  const std::string metrics = gateway.send({"GET", "/metrics", "", {}, {}, true}).body;
  CHECK(metrics.find("\nflora_refusals_total{limit=\"identifiers\"} 2\n") != std::string::npos);
  CHECK(search(gateway, kAzr, kAe).status == 200);
  CHECK(search(gateway, "260815000004", kBamf).status == 404);
  gateway.env.advance_ms(3'600'000);
  CHECK(search(gateway, "260815000004", kAe).status == 404);
}
