// Idempotency-Key, to the letter of draft-ietf-httpapi-idempotency-key-header.
#include <doctest/doctest.h>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr const char* kPath = "/v1/status-events";
constexpr const char* kKey = "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"";
constexpr std::int64_t kDay = 24LL * 3600 * 1000;

Response report(Gateway& gateway, const Json& one, const std::string& key) {
  return gateway.report(one, {{"idempotency-key", key}});
}

}  // namespace

TEST_CASE("the same request with the same key gets the stored status and answer") {
  Gateway gateway;
  const Response first = report(gateway, event("e-1"), kKey);
  REQUIRE(first.status == 201);
  const Response replay = report(gateway, event("e-1"), kKey);
  CHECK(replay.status == 201);
  CHECK(replay.body == first.body);
  CHECK(replay.header("location") == first.header("location"));
  CHECK(replay.header("content-type") == first.header("content-type"));
  CHECK(gateway.report(event("e-1")).status == 200);
  CHECK(gateway.ledger_size() == 1);
}

TEST_CASE("another request with the same key is refused") {
  Gateway gateway;
  REQUIRE(report(gateway, event("e-1"), kKey).status == 201);
  const Response other = report(gateway, event("e-2"), kKey);
  CHECK(other.status == 422);
  CHECK(other.problem() == "idempotency-key-reused");
  // The same bytes in another form are another request.
  Headers headers = {{"idempotency-key", kKey},
                     {"ce-specversion", "1.0"},
                     {"ce-type", "de.bamf.flora.status-event.v1"},
                     {"ce-id", "e-1"},
                     {"ce-source", "urn:example:land-system"}};
  CHECK(gateway.post(kPath, "application/json", event("e-1").dump(), kAe, headers).problem() ==
        "idempotency-key-reused");
  CHECK(gateway.ledger_size() == 1);
  CHECK(report(gateway, event("e-2"), "\"another\"").status == 201);
}

TEST_CASE("a key belongs to its client") {
  Gateway gateway;
  REQUIRE(report(gateway, event("e-1"), kKey).status == 201);
  const Json other = event_of("e-1", "260815000001", kLd, "REGISTRIERUNG_ABGESCHLOSSEN");
  CHECK(report(gateway, other, kKey).status == 201);
  CHECK(gateway.ledger_size() == 2);
}

TEST_CASE("a malformed key is refused") {
  Gateway gateway;
  for (const std::string& key : {std::string("plain"), std::string("\"\""), std::string("\"open"),
                                 std::string("\"a\" \"b\""), std::string("\"a\\b\""),
                                 '"' + std::string(256, 'x') + '"', std::string("\"ä\"")}) {
    CAPTURE(key);
    const Response response = report(gateway, event("e-1"), key);
    CHECK(response.status == 400);
    CHECK(response.problem() == "idempotency-key-malformed");
  }
  const Response twice =
      gateway.report(event("e-1"), {{"idempotency-key", "\"a\""}, {"idempotency-key", "\"a\""}});
  CHECK(twice.problem() == "idempotency-key-malformed");
  CHECK(gateway.ledger_size() == 0);
  CHECK(report(gateway, event("e-1"), '"' + std::string(255, 'x') + '"').status == 201);
  CHECK(report(gateway, event("e-1"), "\"a\\\"b\"").status == 200);
}

TEST_CASE("while the first request is under way, a second one is refused") {
  Gateway gateway;
  gateway.hold_writer();
  const Request request{"POST",
                        kPath,
                        kAe,
                        {{"content-type", "application/json"}, {"idempotency-key", kKey}},
                        event("e-1").dump(),
                        false};
  auto first = gateway.start(request);
  gateway.wait_for_writer();
  const Response second = gateway.send(request);
  CHECK(second.status == 409);
  CHECK(second.problem() == "idempotency-key-in-flight");
  gateway.release_writer();
  const Response done = gateway.finish(first, request);
  CHECK(done.status == 201);
  CHECK(gateway.send(request).body == done.body);
}

TEST_CASE("a key is not possible where items are idempotent by themselves") {
  Gateway gateway;
  const Headers headers = {{"idempotency-key", kKey}};
  const std::string batch = Json::array({cloud_event(event("e-1"))}).dump();
  const std::string message = fixture_message("accepted/111207-two-persons.xml");
  for (const Response& response :
       {gateway.post(kPath, "application/cloudevents-batch+json", batch, kAe, headers),
        gateway.post(kPath, "application/x-ndjson", event("e-1").dump(), kAe, headers),
        gateway.post("/v1/adapters/de-ni-xauslaender/messages", "application/xml", message, kAe,
                     headers)}) {
    CHECK(response.status == 400);
    CHECK(response.problem() == "idempotency-key-not-allowed");
  }
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("a kept answer expires by the clock") {
  Gateway gateway;
  REQUIRE(report(gateway, event("e-1"), kKey).status == 201);
  gateway.env.advance_ms(kDay - 1);
  CHECK(report(gateway, event("e-1"), kKey).status == 201);
  CHECK(report(gateway, event("e-2"), kKey).problem() == "idempotency-key-reused");
  gateway.env.advance_ms(1);
  CHECK(report(gateway, event("e-1"), kKey).status == 200);
  gateway.env.advance_ms(kDay);
  CHECK(report(gateway, event("e-2"), kKey).status == 201);
}

TEST_CASE("refusals that say something lasting are kept, others are not") {
  Gateway gateway;
  Json bad = event("e-1");
  bad["status"] = "ERFUNDEN";
  const Response refused = report(gateway, bad, kKey);
  CHECK(refused.status == 422);
  const Response replay = report(gateway, bad, kKey);
  CHECK(replay.status == 422);
  CHECK(replay.body == refused.body);
  CHECK(replay.header("content-type") == "application/problem+json");
  CHECK(report(gateway, event("e-1"), kKey).problem() == "idempotency-key-reused");

  const Json forbidden = event_of("e-1", "260815000001", kAe, "ANHOERUNG_ERFOLGT");
  CHECK(report(gateway, forbidden, "\"second\"").status == 403);
  CHECK(report(gateway, event("e-1"), "\"second\"").status == 201);
}

TEST_CASE("an answer with 202 is kept with its place") {
  Gateway gateway;
  const Headers headers = {{"idempotency-key", kKey}, {"prefer", "respond-async"}};
  const Response first = gateway.report(event("e-1"), headers);
  REQUIRE(first.status == 202);
  const Response replay = gateway.report(event("e-1"), headers);
  CHECK(replay.status == 202);
  CHECK(replay.body == first.body);
  CHECK(replay.header("location") == first.header("location"));
}
