// POST /v1/status-events in every form.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "tests/gateway/api_fixture.h"
#include "tests/gateway/details_examples.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr const char* kPath = "/v1/status-events";

Headers binary_headers(const Json& event) {
  Headers headers = {{"ce-specversion", "1.0"},
                     {"ce-type", "de.bamf.flora.status-event.v1"},
                     {"ce-id", event.at("id")},
                     {"ce-source", event.at("source")}};
  if (event.contains("occurredAt")) headers.emplace_back("ce-time", event.at("occurredAt"));
  return headers;
}

std::string reporter_of(const Status& status) {
  const std::map<Role, std::string> authorities = {
      {Role::ae, kAe}, {Role::ld, kLd}, {Role::abh, kAbh}, {Role::bamf, kBamf}};
  return authorities.at(status.reporters.front());
}

}  // namespace

TEST_CASE("a new event is committed with its receipt, the same again gets the first receipt") {
  Gateway gateway;
  const Response first = gateway.report(event("e-secret-1"));
  REQUIRE(first.status == 201);
  const Json answer = first.json();
  CHECK(answer["state"] == "COMMITTED");
  CHECK(answer["logIndex"] == 0);
  CHECK(first.header("location") ==
        "/v1/transactions/" + answer["transactionId"].get<std::string>());
  CHECK(first.header("cache-control") == "no-store");
  const Json entry = Json::parse(answer["receipt"]["entry"].get<std::string>());
  CHECK(entry["id"] == answer["transactionId"]);
  CHECK(entry["procedure"] == answer["procedureId"]);
  CHECK(entry["status"] == "REGISTRIERUNG_ABGESCHLOSSEN");
  CHECK(entry["occurredAt"] == "2026-11-03T08:15:30.123Z");
  CHECK(entry["land"] == "DE-NI");
  CHECK(entry["role"] == "AE");

  gateway.env.advance_ms(100'000);
  const Response again = gateway.report(event("e-secret-1"));
  CHECK(again.status == 200);
  CHECK(again.json()["receipt"] == answer["receipt"]);
  CHECK(gateway.ledger_size() == 1);
}

TEST_CASE("every form of an event is the same event") {
  Gateway gateway;
  const Json one = event("e-1");
  const Response first = gateway.report(one);
  REQUIRE(first.status == 201);
  const Json id = first.json()["transactionId"];
  const Json structured = cloud_event(one);

  const Response ce = gateway.post(kPath, "application/cloudevents+json", structured.dump(), kAe);
  CHECK(ce.status == 200);
  CHECK(ce.json()["transactionId"] == id);

  const Response binary =
      gateway.post(kPath, "application/json", structured["data"].dump(), kAe, binary_headers(one));
  CHECK(binary.status == 200);
  CHECK(binary.json()["transactionId"] == id);

  const Response batch = gateway.post(kPath, "application/cloudevents-batch+json",
                                      Json::array({structured}).dump(), kAe);
  CHECK(batch.json()["items"][0]["status"] == 200);
  CHECK(batch.json()["items"][0]["submission"]["transactionId"] == id);

  const Response stream = gateway.post(kPath, "application/x-ndjson", one.dump(), kAe);
  REQUIRE(stream.lines().size() == 1);
  CHECK(stream.lines()[0]["submission"]["transactionId"] == id);
  CHECK(gateway.ledger_size() == 1);
}

TEST_CASE("the same identity with another content is a conflict in every form") {
  Gateway gateway;
  Json one = event("e-secret-1");
  REQUIRE(gateway.report(one).status == 201);
  one["sourceSequence"] = 3;
  const Response single = gateway.report(one);
  CHECK(single.status == 409);
  CHECK(single.problem() == "event-conflict");
  const Response batch = gateway.post(kPath, "application/cloudevents-batch+json",
                                      Json::array({cloud_event(one)}).dump(), kAe);
  CHECK(batch.json()["items"][0]["problem"]["type"] == "/problems/event-conflict");
}

TEST_CASE("binary mode: fields are percent-encoded, and named when they are missing or broken") {
  Gateway gateway;
  Json one = event("ä 1");
  const std::string data = cloud_event(one)["data"].dump();
  Headers headers = binary_headers(one);
  headers[2].second = "%C3%A4%201";
  REQUIRE(gateway.post(kPath, "application/json", data, kAe, headers).status == 201);
  CHECK(gateway.report(one).status == 200);

  for (std::size_t missing = 1; missing < 4; ++missing) {
    Headers fewer = headers;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(missing));
    const Response response = gateway.post(kPath, "application/json", data, kAe, fewer);
    CHECK(response.status == 400);
    CHECK(response.json()["errors"][0]["pointer"] == "header " + headers[missing].first);
  }
  headers[2].second = "%zz";
  CHECK(gateway.post(kPath, "application/json", data, kAe, headers).status == 400);
  headers[2].second = "e-2";
  headers[0].second = "0.3";
  CHECK(gateway.post(kPath, "application/json", data, kAe, headers).status == 400);
}

TEST_CASE("the status of each event of a batch is its own") {
  Gateway gateway;
  Json wrong = cloud_event(event("e-2"));
  wrong["data"]["status"] = "ERFUNDEN";
  const Json batch = {cloud_event(event("e-1")), wrong, cloud_event(event("e-1")),
                      cloud_event(event_of("e-3", "260815000001", kBamf, "ANHOERUNG_ERFOLGT"))};
  const Response response =
      gateway.post(kPath, "application/cloudevents-batch+json", batch.dump(), kAe);
  REQUIRE(response.status == 200);
  const Json items = response.json()["items"];
  REQUIRE(items.size() == 4);
  const std::vector<int> expected = {201, 422, 200, 403};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(items[i]["item"] == i);
    CHECK(items[i]["status"] == expected[i]);
  }
  CHECK(gateway.post(kPath, "application/cloudevents-batch+json", "[]", kAe).json()["items"] ==
        Json::array());
  CHECK(gateway.post(kPath, "application/cloudevents-batch+json", "{}", kAe).status == 422);
  CHECK(gateway.post(kPath, "application/cloudevents-batch+json", "[", kAe).status == 400);
  const Json many(1001, 0);
  CHECK(gateway.post(kPath, "application/cloudevents-batch+json", many.dump(), kAe).status == 422);
}

TEST_CASE("a stream is answered line by line, blank lines and the last line feed aside") {
  Gateway gateway;
  const std::string body = event("e-1").dump() + "\n\n  \r\n{\"id\":\n" + event("e-2").dump() +
                           "\r\n" + std::string(70'000, 'x') + "\n" + event("e-1").dump();
  const Response response = gateway.post(kPath, "application/x-ndjson", body, kAe);
  CHECK(response.status == 200);
  const auto lines = response.lines();
  const std::vector<int> expected = {201, 400, 201, 413, 200};
  REQUIRE(lines.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(lines[i]["item"] == i);
    CHECK(lines[i]["status"] == expected[i]);
  }
  CHECK(gateway.post(kPath, "application/x-ndjson", "", kAe).lines().empty());
}

TEST_CASE("a stream of 20,000 lines with bad ones between is answered in order") {
  Gateway gateway;
  constexpr int kLines = 20'000;
  const auto is_bad = [](int line) { return line % 7 == 3; };
  Request request{"POST",
                  kPath,
                  kAe,
                  {{"content-type", "application/x-ndjson"},
                   {"transfer-encoding", "chunked"},
                   {"prefer", "return=minimal"}},
                  "",
                  false};
  http::test::Client client = gateway.start(request);
  std::thread sender([&] {
    std::string chunk;
    for (int line = 0; line < kLines; ++line) {
      const std::string azr = std::to_string(260815000000 + line % 50);
      chunk += is_bad(line) ? "{\"no\":\"event\"}\n"
                            : event("e-" + std::to_string(line), azr).dump() + "\n";
      if (chunk.size() < 10'000 && line + 1 < kLines) continue;
      std::stringstream size;
      size << std::hex << chunk.size();
      if (!client.send(size.str() + "\r\n" + chunk + "\r\n")) return;
      chunk.clear();
    }
    (void)client.send("0\r\n\r\n");
  });
  const Response response = gateway.finish(client, request);
  sender.join();
  const auto lines = response.lines();
  REQUIRE(lines.size() == kLines);
  std::uint64_t last_index = 0;
  for (int line = 0; line < kLines; ++line) {
    const Json& answer = lines[static_cast<std::size_t>(line)];
    REQUIRE(answer["item"] == line);
    REQUIRE(answer["status"] == (is_bad(line) ? 422 : 201));
    if (is_bad(line)) continue;
    const std::uint64_t index = answer["submission"]["logIndex"];
    REQUIRE((line == 0 || index > last_index));
    last_index = index;
  }
  CHECK(response.header("preference-applied") == "return=minimal");
}

TEST_CASE("a client that goes away in the middle of a stream holds nothing back") {
  Gateway gateway;
  const Request request{
      "POST", kPath,
      kAe,    {{"content-type", "application/x-ndjson"}, {"transfer-encoding", "chunked"}},
      "",     false};
  gateway.hold_writer();
  for (int stream = 0; stream < 3; ++stream) {
    http::test::Client client = gateway.start(request);
    const std::string line = event("e-" + std::to_string(stream)).dump() + "\n";
    std::stringstream chunk;
    chunk << std::hex << line.size() << "\r\n" << line << "\r\n";
    REQUIRE(client.send(chunk.str()));
    if (stream == 0) gateway.wait_for_writer();
    client.reset();
  }
  gateway.release_writer();
  CHECK(gateway.report(event("e-9")).status == 201);
}

TEST_CASE("preferences") {
  Gateway gateway;
  const auto report = [&](const std::string& id, const std::string& prefer) {
    return gateway.report(event(id), {{"prefer", prefer}});
  };
  const Response early = report("e-1", "respond-async");
  CHECK(early.status == 202);
  CHECK(early.json()["state"] == "ACCEPTED");
  CHECK(early.header("preference-applied") == "respond-async");
  CHECK(early.header("location") ==
        "/v1/transactions/" + early.json()["transactionId"].get<std::string>());

  const Response minimal = report("e-2", "return=minimal");
  CHECK(minimal.status == 201);
  CHECK_FALSE(minimal.json().contains("receipt"));
  CHECK(minimal.header("preference-applied") == "return=minimal");
  CHECK(report("e-2", "return=minimal").json() == minimal.json());

  CHECK(report("e-3", "wait=5").header("preference-applied").empty());
  CHECK(report("e-4", "respond-async, wait=5").status == 201);
  CHECK(report("e-5", "handling=lenient, Respond-Async; foo=\"a,b\"").status == 202);
  const Response both =
      gateway.report(event("e-6"), {{"prefer", "respond-async"}, {"prefer", "return=\"minimal\""}});
  CHECK(both.status == 202);
  CHECK(both.header("preference-applied") == "respond-async, return=minimal");
  CHECK(report("e-7", "wait=x").status == 201);
}

TEST_CASE("what was answered with 202 is committed, and then repeated with its receipt") {
  Gateway gateway;
  const Response early = gateway.report(event("e-1"), {{"prefer", "respond-async"}});
  REQUIRE(early.status == 202);
  const Response again = gateway.report(event("e-1"));
  CHECK(again.status == 200);
  CHECK(again.json()["transactionId"] == early.json()["transactionId"]);
  CHECK(again.json()["receipt"]["transactionId"] == early.json()["transactionId"]);
}

TEST_CASE("an event with the test mark is checked and never committed") {
  Gateway gateway;
  Json one = event("e-1");
  one["test"] = true;
  const Response response = gateway.report(one);
  CHECK(response.status == 200);
  CHECK(response.json() == Json{{"committed", false}});
  CHECK(gateway.ledger_size() == 0);
  one["status"] = "ANHOERUNG_ERFOLGT";
  CHECK(gateway.report(one).status == 403);
  const Json batch = Json::array({cloud_event(event("e-1")), cloud_event([] {
                                    Json marked = event("e-2");
                                    marked["test"] = true;
                                    return marked;
                                  }())});
  const Json items =
      gateway.post(kPath, "application/cloudevents-batch+json", batch.dump(), kAe).json()["items"];
  CHECK(items[0]["status"] == 201);
  CHECK(items[1]["submission"] == Json{{"committed", false}});
  CHECK(gateway.ledger_size() == 1);
}

TEST_CASE("each status of the catalogue is committed, with each form of its details") {
  Gateway gateway;
  std::set<std::string> committed;
  int number = 0;
  for (const Status& status : gateway.catalogue().statuses()) {
    CAPTURE(status.name);
    for (const std::string& details : details_examples().at(status.name)) {
      const std::string id = "e-" + std::to_string(++number);
      Json one = event_of(id, "260815000001", reporter_of(status), status.name, details);
      if (status.name == "VERFAHREN_ZUSAMMENGEFUEHRT") {
        one["mergedInto"] = event("x", "260815000002")["procedure"];
      }
      const Response response = gateway.report(one);
      REQUIRE(response.status == 201);
      const Json entry = Json::parse(response.json()["receipt"]["entry"].get<std::string>());
      CHECK(entry["status"] == status.name);
      CHECK(entry.contains("details") == !details.empty());
      if (!details.empty()) CHECK(entry["details"] == Json::parse(details));
      committed.insert(status.name);
    }
  }
  CHECK(committed.size() == gateway.catalogue().statuses().size());
}

TEST_CASE("who may report what") {
  Gateway gateway;
  const auto refused = [&](const Json& one, const char* authority, int status,
                           const char* problem) {
    const Response response = gateway.post(kPath, "application/json", one.dump(), authority);
    CHECK(response.status == status);
    CHECK(response.problem() == problem);
  };
  refused(event("e-1"), kLd, 403, "not-your-authority");
  refused(event_of("e-1", "260815000001", kAe, "ANHOERUNG_ERFOLGT"), kAe, 403, "not-your-status");
  refused(event_of("e-1", "260815000001", kAuditor, "ANHOERUNG_ERFOLGT"), kAuditor, 403,
          "not-your-status");
  Json one = event("e-1");
  one["reporter"]["land"] = "DE-SN";
  refused(one, kAe, 422, "validation-failed");
  one["reporter"] = {{"authority", kAe}, {"role", "LD"}};
  refused(one, kAe, 422, "validation-failed");
  one["reporter"] = {{"authority", kAe}};
  one["site"] = "DRESDEN";
  refused(one, kAe, 422, "validation-failed");
  one["site"] = "MUSTERSTADT";
  CHECK(gateway.report(one).status == 201);
}

TEST_CASE("a refused event says why, and leaves nothing") {
  Gateway gateway;
  const Json registered = gateway.report(event("e-1")).json();
  const auto refused = [&](Json one, const char* problem) {
    CAPTURE(problem);
    const Response response = gateway.report(one);
    CHECK(response.status == 422);
    CHECK(response.problem() == problem);
  };
  const std::string foreign =
      gateway.report(event_of("e-2", "260815000001", kLd, "REGISTRIERUNG_ABGESCHLOSSEN"))
          .json()["transactionId"];
  Json one = event("e-secret-3");
  one["corrects"] = {{"transactionId", foreign}};
  refused(one, "reference-unknown");
  one["corrects"] = {{"transactionId", "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"}};
  refused(one, "reference-unknown");
  one["corrects"] = {{"source", "urn:example:land-system"}, {"id", "e-secret-3"}};
  refused(one, "reference-cycle");
  one = event("e-secret-3", "260815000009");
  one["corrects"] = {{"transactionId", registered["transactionId"]}};
  refused(one, "reference-mismatch");
  one = event("e-secret-3");
  one["procedure"] = {{"procedureId", "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"}};
  refused(one, "procedure-unknown");
  one = event("e-secret-3");
  one["procedure"]["identifiers"][0]["value"] = "2608150000";
  refused(one, "identifier-malformed");
  one = event_of("e-secret-3", "260815000001", kBamf, "VERFAHREN_ZUSAMMENGEFUEHRT");
  one["mergedInto"] = one["procedure"];
  refused(one, "merge-with-itself");
  REQUIRE(gateway.report(event("e-4", "260815000002")).status == 201);
  one = event("e-secret-3");
  one["procedure"]["identifiers"].push_back({{"type", "AZR_NUMMER"}, {"value", "260815000002"}});
  refused(one, "identifier-conflict");
  one = event_of("e-secret-3", "260815000001", kAe, "WEITERLEITUNG",
                 R"({"empfaengerBehoerde":"123456","empfaengerLand":"DE-BB"})");
  refused(one, "validation-failed");
  CHECK(gateway.ledger_size() == 3);
  CHECK(gateway.report(event("e-secret-3")).status == 201);
}

TEST_CASE("a file number that a family shares needs an identifier of the person") {
  Gateway gateway;
  const Json file = {{"type", "BAMF_AKTENZEICHEN"}, {"value", "2608150"}};
  for (int person = 1; person <= 2; ++person) {
    Json one = event("e-" + std::to_string(person), "26081500000" + std::to_string(person));
    one["procedure"]["identifiers"].push_back(file);
    REQUIRE(gateway.report(one).status == 201);
  }
  Json one = event("e-3");
  one["procedure"]["identifiers"] = Json::array({file});
  const Response response = gateway.report(one);
  CHECK(response.status == 422);
  CHECK(response.problem() == "identifier-ambiguous");
}

TEST_CASE("two simultaneous sends of one event get the same answer") {
  Gateway gateway;
  gateway.hold_writer();
  const Request request{
      "POST", kPath, kAe, {{"content-type", "application/json"}}, event("e-1").dump(), false};
  auto first = gateway.start(request);
  gateway.wait_for_writer();
  auto second = gateway.start(request);
  gateway.release_writer();
  const Response one = gateway.finish(first, request);
  const Response other = gateway.finish(second, request);
  CHECK(one.status == 201);
  CHECK((other.status == 200 || other.status == 201));
  CHECK(one.json()["receipt"] == other.json()["receipt"]);
  CHECK(gateway.ledger_size() == 1);
}

TEST_CASE("a body that is no JSON is refused with its place") {
  Gateway gateway;
  const Response response = gateway.post(kPath, "application/json", "{\n \"id\": Mustermann}", kAe);
  CHECK(response.status == 400);
  CHECK(response.problem() == "malformed-json");
  CHECK(response.json()["errors"][0]["line"] == 2);
  CHECK(gateway.post(kPath, "application/json", "", kAe).status == 400);
}
