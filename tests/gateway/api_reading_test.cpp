// Reading back: transactions, receipts, search, procedures, history.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "gateway/base/sqlite.h"
#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

const std::string kHandover = R"({"empfaengerBehoerde":"999905","empfaengerLand":"DE-BB"})";

Json committed(Gateway& gateway, const Json& one) {
  const Response response = gateway.report(one);
  REQUIRE_MESSAGE(response.status == 201, response.body);
  return response.json();
}

Response search(Gateway& gateway, const std::string& azr, const std::string& authority) {
  const Json body = event("x", azr)["procedure"];
  return gateway.post("/v1/procedures/search", "application/json", body.dump(), authority);
}

std::string path_of(const Json& answer, const std::string& rest = "") {
  return "/v1/procedures/" + answer["procedureId"].get<std::string>() + rest;
}

std::vector<std::string> ids_of(const Json& entries) {
  std::vector<std::string> ids;
  for (const Json& entry : entries) ids.push_back(entry["transactionId"]);
  return ids;
}

// Without what depends on when the caller asked, and how often: nothing of it on the object.
Headers without_count(Headers headers) {
  std::erase_if(headers, [](const auto& field) {
    return field.first == "date" || field.first == "Date" || field.first == "ratelimit";
  });
  return headers;
}

}  // namespace

TEST_CASE("a transaction and its receipt are its reporter's and the BAMF's, and nobody else's") {
  Gateway gateway;
  const Json answer = committed(gateway, event("e-1"));
  const std::string path = "/v1/transactions/" + answer["transactionId"].get<std::string>();
  for (const char* authority : {kAe, kBamf}) {
    const Json transaction = gateway.get(path, authority).json();
    CHECK(transaction["state"] == "COMMITTED");
    CHECK(transaction["logIndex"] == 0);
    CHECK(transaction["status"] == "REGISTRIERUNG_ABGESCHLOSSEN");
    CHECK(transaction["submittedAt"] == "2026-11-03T07:15:30.123Z");
    CHECK(gateway.get(path + "/receipt", authority).json() == answer["receipt"]);
  }
  const std::string unknown = "/v1/transactions/019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968";
  for (const char* authority : {kAbh, kLd, kOtherAe}) {
    CAPTURE(authority);
    for (const std::string rest : {"", "/receipt"}) {
      const Response foreign = gateway.get(path + rest, authority);
      const Response none = gateway.get(unknown + rest, authority);
      CHECK(foreign.status == 404);
      CHECK(foreign.body == none.body);
      CHECK(without_count(foreign.headers) == without_count(none.headers));
    }
  }
}

TEST_CASE("an entry of several channels is committed when it has left the outbox, of one at once") {
  Gateway gateway;
  const Json answer = committed(gateway, event("e-1"));
  const std::string id = answer["transactionId"];
  auto store = sqlite::Database::open(gateway.folder() + "/store.db", sqlite::Mode::read_write);
  REQUIRE(store.has_value());
  const auto state_of = [&](const std::string& row) {
    REQUIRE(store->execute("DELETE FROM outbox").has_value());
    auto insert = store->prepare(
        "INSERT INTO outbox(n, transaction_id, body, nonce, failed, channels) VALUES(9, ?, ?, "
        "zeroblob(24), " +
        row + ")");
    REQUIRE(insert.has_value());
    REQUIRE(insert->bind_blob(1, parse_uuid(id)->bytes)
                .bind_text(2, answer["receipt"]["entry"].get<std::string>())
                .run()
                .has_value());
    return gateway.get("/v1/transactions/" + id, kAe).json()["state"].get<std::string>();
  };
  CHECK(state_of("NULL, ''") == "COMMITTED");
  CHECK(state_of("'refused', 'flora'") == "COMMITTED");
  CHECK(state_of("NULL, 'flora flora-ni'") == "ACCEPTED");
  CHECK(state_of("'refused', 'flora flora-ni'") == "FAILED");
  REQUIRE(store->execute("DELETE FROM outbox").has_value());
}

TEST_CASE("a search finds what the caller may see, and answers all else alike") {
  Gateway gateway;
  const Json answer = committed(gateway, event("e-1"));
  committed(gateway, event_of("e-2", "260815000002", kOtherAe, "REGISTRIERUNG_ABGESCHLOSSEN"));
  for (const char* authority : {kAe, kBamf}) {
    const Response found = search(gateway, "2608 1500 0001", authority);
    CHECK(found.status == 200);
    CHECK(found.json()["procedureId"] == answer["procedureId"]);
    CHECK(found.header("cache-control") == "no-store");
  }
  const Response foreign = search(gateway, "260815000002", kAe);
  const Response unknown = search(gateway, "260815000003", kAe);
  CHECK(foreign.status == 404);
  CHECK(unknown.status == 404);
  CHECK(foreign.body == unknown.body);
  CHECK(without_count(foreign.headers) == without_count(unknown.headers));
  CHECK(search(gateway, "260815000001", kAbh).status == 404);
  CHECK(search(gateway, "26081500", kAe).problem() == "identifier-malformed");
}

TEST_CASE("a file number with a person who is not known finds no relative") {
  Gateway gateway;
  const Json file = {{"type", "BAMF_AKTENZEICHEN"}, {"value", "2608150"}};
  Json one = event("e-1");
  one["procedure"]["identifiers"].push_back(file);
  committed(gateway, one);
  Json other = event("x", "260815000002")["procedure"];
  other["identifiers"].push_back(file);
  const auto status = [&](const Json& body) {
    return gateway.post("/v1/procedures/search", "application/json", body.dump(), kAe).status;
  };
  CHECK(status(other) == 404);
  CHECK(status(one["procedure"]) == 200);
  CHECK(status({{"identifiers", Json::array({file})}}) == 200);
}

TEST_CASE("a procedure shows its current state and who took it over") {
  Gateway gateway;
  const Json answer = committed(gateway, event("e-1"));
  Json moved = event_of("e-2", "260815000001", kAe, "EASY_ABVERTEILUNG", kHandover);
  CHECK(gateway.get(path_of(answer), kOtherAbh).status == 404);
  moved["occurredAt"] = "2026-11-04T08:00:00Z";
  const Json second = committed(gateway, moved);
  const Json state = gateway.get(path_of(answer), kOtherAbh).json();
  CHECK(state["procedureId"] == answer["procedureId"]);
  CHECK(state["current"]["transactionId"] == second["transactionId"]);
  CHECK(state["current"]["details"] == Json::parse(kHandover));
  CHECK(state["handedOverTo"] == Json{{"land", "DE-BB"}, {"authority", kOtherAbh}});
  CHECK(state["events"] == 2);
  CHECK(gateway.get("/v1/procedures/5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10", kBamf).status == 404);
}

TEST_CASE("who has only reported sees the own reports") {
  Gateway gateway;
  const Json answer = committed(gateway, event("e-1"));
  const Json own = committed(
      gateway, event_of("e-2", "260815000001", kOtherAe, "AVB_ANGEBOTEN", R"({"stufe":1})"));
  CHECK(own["procedureId"] == answer["procedureId"]);
  const Json history = gateway.get(path_of(answer, "/history"), kOtherAe).json();
  CHECK(ids_of(history["entries"]) == std::vector<std::string>{own["transactionId"]});
  CHECK(gateway.get(path_of(answer, "/history"), kAe).json()["entries"].size() == 2);
}

TEST_CASE("a history is paged in the order of time, each entry once") {
  Gateway gateway;
  Json answer;
  std::vector<std::string> expected;
  constexpr int kEvents = 23;
  for (int i = 0; i < kEvents; ++i) {
    Json one = event("e-" + std::to_string(i));
    one["occurredAt"] = "2026-11-03T08:15:" + std::to_string(59 - i) + "Z";
    answer = committed(gateway, one);
    expected.insert(expected.begin(), answer["transactionId"].get<std::string>());
  }
  for (const int limit : {1, 5, 23, 1000}) {
    CAPTURE(limit);
    std::vector<std::string> seen;
    std::string cursor;
    for (int page = 0; page <= kEvents; ++page) {
      const Json history = gateway
                               .get(path_of(answer, "/history?limit=") + std::to_string(limit) +
                                        (cursor.empty() ? "" : "&cursor=" + cursor),
                                    kAe)
                               .json();
      std::ranges::copy(ids_of(history["entries"]), std::back_inserter(seen));
      CHECK(history["entries"].size() <= static_cast<std::size_t>(limit));
      if (!history.contains("next")) break;
      cursor = history["next"];
    }
    CHECK(seen == expected);
  }
  CHECK(gateway.get(path_of(answer, "/history"), kAe).json()["entries"].size() == kEvents);
}

TEST_CASE("a history shows corrections and revocations") {
  Gateway gateway;
  const Json first = committed(gateway, event("e-1"));
  Json correction = event("e-2");
  correction["corrects"] = {{"source", "urn:example:land-system"}, {"id", "e-1"}};
  const Json second = committed(gateway, correction);
  Json revocation = event("e-3");
  revocation["revokes"] = {{"transactionId", second["transactionId"]}};
  const auto entry = [&](const Json& answer) {
    const Json entries = gateway.get(path_of(first, "/history"), kAe).json()["entries"];
    return *std::ranges::find_if(
        entries, [&](const Json& one) { return one["transactionId"] == answer["transactionId"]; });
  };
  CHECK(entry(second)["corrects"] == first["transactionId"]);
  CHECK(entry(first)["replacedBy"] == second["transactionId"]);
  CHECK(entry(first)["effective"] == false);
  CHECK(gateway.get(path_of(first), kAe).json()["current"]["transactionId"] ==
        second["transactionId"]);
  const Json third = committed(gateway, revocation);
  CHECK(entry(first)["effective"] == true);
  CHECK(entry(second)["revokedBy"] == third["transactionId"]);
  CHECK(entry(third)["effective"] == false);
  CHECK(gateway.get(path_of(first), kAe).json()["current"]["transactionId"] ==
        first["transactionId"]);
}

TEST_CASE("a merged procedure leads to the one that remains, whose history holds both") {
  Gateway gateway;
  const Json from = committed(gateway, event("e-1"));
  const Json into = committed(gateway, event("e-2", "260815000002"));
  Json merge = event_of("e-3", "260815000001", kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  merge["mergedInto"] = {{"procedureId", into["procedureId"]}};
  const Json merged = committed(gateway, merge);
  CHECK(merged["procedureId"] == from["procedureId"]);
  CHECK(gateway.get(path_of(from), kAe).json()["mergedInto"] == into["procedureId"]);
  CHECK(gateway.get(path_of(into, "/history"), kAe).json()["entries"].size() == 3);
  CHECK(search(gateway, "260815000001", kAe).json()["procedureId"] == into["procedureId"]);
  Json last = event("e-4");
  last["occurredAt"] = "2026-11-04T08:00:00Z";
  const Json later = committed(gateway, last);
  CHECK(later["procedureId"] == from["procedureId"]);
  const Json state = gateway.get(path_of(into), kAe).json();
  CHECK(state["current"]["transactionId"] == later["transactionId"]);
  CHECK(state["events"] == 4);
  const Json history = gateway.get(path_of(into, "/history"), kAe).json();
  for (const Json& entry : history["entries"]) {
    const bool own = entry["transactionId"] == into["transactionId"];
    CHECK(entry.contains("procedureId") != own);
    if (!own) CHECK(entry["procedureId"] == from["procedureId"]);
  }

  Json revocation = event_of("e-5", "260815000001", kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  revocation["revokes"] = {{"transactionId", merged["transactionId"]}};
  committed(gateway, revocation);
  CHECK_FALSE(gateway.get(path_of(from), kAe).json().contains("mergedInto"));
  CHECK(search(gateway, "260815000001", kAe).json()["procedureId"] == from["procedureId"]);
  CHECK(gateway.get(path_of(into, "/history"), kAe).json()["entries"].size() == 1);
  CHECK(gateway.get(path_of(from, "/history"), kAe).json()["entries"].size() == 4);
}

TEST_CASE("merges of merges lead to one procedure that shows everything, and come apart again") {
  Gateway gateway;
  std::vector<Json> persons;
  for (const char digit : {'1', '2', '3'}) {
    const std::string azr = std::string("26081500000") + digit;
    persons.push_back(committed(gateway, event(std::string("e-") + digit, azr)));
  }
  const auto merge = [&](const std::string& id, std::size_t from, std::size_t into) {
    Json made =
        event_of(id, "26081500000" + std::to_string(from + 1), kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
    made["mergedInto"] = {{"procedureId", persons[into]["procedureId"]}};
    return committed(gateway, made);
  };
  const auto entries = [&](std::size_t of) {
    return gateway.get(path_of(persons[of], "/history"), kBamf).json()["entries"].size();
  };
  const auto remains = [&](std::size_t of) {
    return search(gateway, "26081500000" + std::to_string(of + 1), kBamf).json()["procedureId"];
  };
  const Json first = merge("m-1", 0, 1);
  merge("m-2", 1, 2);
  merge("m-3", 2, 0);  // They are one already: nothing changes.
  for (const std::size_t one : {0U, 1U, 2U}) CHECK(remains(one) == persons[2]["procedureId"]);
  for (const std::size_t one : {0U, 1U}) {
    CHECK(gateway.get(path_of(persons[one]), kBamf).json()["mergedInto"] ==
          persons[2]["procedureId"]);
  }
  CHECK_FALSE(gateway.get(path_of(persons[2]), kBamf).json().contains("mergedInto"));
  CHECK(entries(2) == 6);
  CHECK(entries(1) == 2);
  Json revocation = event_of("r-1", "260815000001", kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  revocation["revokes"] = {{"transactionId", first["transactionId"]}};
  const Json taken_back = committed(gateway, revocation);
  for (const std::size_t one : {0U, 1U, 2U}) CHECK(remains(one) == persons[0]["procedureId"]);
  CHECK(entries(0) == 7);
  revocation["id"] = "r-2";
  revocation["revokes"] = {{"transactionId", taken_back["transactionId"]}};
  committed(gateway, revocation);
  for (const std::size_t one : {0U, 1U, 2U}) CHECK(remains(one) == persons[2]["procedureId"]);
  CHECK(entries(2) == 8);
}

TEST_CASE("a rectification of data stands beside the current state and does not take its place") {
  Gateway gateway;
  const Json first = committed(gateway, event("e-1"));
  Json rectified = event_of(
      "e-2", "260815000001", kBamf, "DATEN_BERICHTIGT",
      R"({"anlass":{"list":"urn:xoev-de:xauslaender:codeliste:asyl.datenberichtigungsanlass",)"
      R"("version":"1","code":"02"}})");
  rectified["occurredAt"] = "2026-11-05T08:00:00Z";
  const Json second = committed(gateway, rectified);
  const Json state = gateway.get(path_of(first), kAe).json();
  CHECK(state["current"]["transactionId"] == first["transactionId"]);
  CHECK(state["rectified"] == Json{{"transactionId", second["transactionId"]},
                                   {"occurredAt", "2026-11-05T08:00:00.000Z"},
                                   {"authority", kBamf},
                                   {"details", rectified["details"]}});
  rectified["id"] = "e-3";
  rectified.erase("details");
  rectified["revokes"] = {{"transactionId", second["transactionId"]}};
  committed(gateway, rectified);
  CHECK_FALSE(gateway.get(path_of(first), kAe).json().contains("rectified"));
}

TEST_CASE("a procedure whose only event was revoked has no current state") {
  Gateway gateway;
  const Json first = committed(gateway, event("e-1"));
  Json revocation = event("e-2");
  revocation["revokes"] = {{"transactionId", first["transactionId"]}};
  committed(gateway, revocation);
  CHECK(gateway.get(path_of(first), kAe).json()["current"] == nullptr);
}
