// What each authority and each address may ask for, and that nobody else pays for it.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "gateway/api/throttle.h"
#include "gateway/policy/policy.h"
#include "tests/gateway/api_fixture.h"
#include "tests/gateway/test_bundle.h"

using namespace flora;
using namespace flora::test;
using http::test::Client;

namespace {

constexpr const char* kFewEvents =
    "{events: {per_second: 10, burst: 1000}, requests: {per_second: 200, burst: 2000}}";

/// A batch of so many events, none of which is good.
Response send_batch(Gateway& gateway, std::size_t count, const std::string& authority) {
  std::string batch = "[{}";
  for (std::size_t i = 1; i < count; ++i) batch += ",{}";
  return gateway.post("/v1/status-events", "application/cloudevents-batch+json", batch + "]",
                      authority);
}

void check_refused(const Response& response, const std::string& policy) {
  CHECK(response.status == 429);
  CHECK(response.problem() == "quota-exceeded");
  CHECK(response.json()["violated-policies"] == Json::array({policy}));
  CHECK_FALSE(response.header("retry-after").empty());
  CHECK_FALSE(response.header("ratelimit").empty());
  CHECK_FALSE(response.header("ratelimit-policy").empty());
}

/// The value of a sample of the metrics; 0 if there is none.
std::uint64_t metric(Gateway& gateway, const std::string& sample) {
  const std::string text = gateway.send({"GET", "/metrics", "", {}, {}, true}).body;
  const std::size_t at = text.find('\n' + sample + ' ');
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + sample.size() + 2));
}

/// Asks until it is so, for a minute at most.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("an authority that has used up its events is refused until they come back") {
  Gateway gateway({{}, 0, kFewEvents});
  const Response batch = send_batch(gateway, 1000, kAe);
  CHECK(batch.status == 200);
  CHECK(batch.header("ratelimit-policy") ==
        R"("requests";q=2000;w=10, "events";q=1000;w=100, "streams";q=1;qu="concurrent-requests")");
  CHECK(batch.header("ratelimit") == R"("requests";r=1999;t=1, "events";r=0;t=100)");

  const Response single = gateway.report(event("e-1"));
  check_refused(single, "events");
  CHECK(single.header("retry-after") == "1");
  const Response again = send_batch(gateway, 1000, kAe);
  check_refused(again, "events");
  CHECK(again.header("retry-after") == "100");
  CHECK(gateway.ledger_size() == 0);  // Nothing was written.
  CHECK(metric(gateway, R"(flora_refusals_total{limit="events"})") == 2);

  Json other = event("e-2", "260815000002");
  other["reporter"]["authority"] = kOtherAe;
  CHECK(gateway.report(other).status == 201);
  CHECK(gateway.get("/v1/statuses", kAe).status == 200);
  gateway.env.advance_ms(1'000);
  CHECK(gateway.report(event("e-1")).status == 201);
  CHECK(gateway.ledger_size() == 2);
}

TEST_CASE("an answer under an Idempotency-Key that was 429 is not kept") {
  Gateway gateway({{}, 0, kFewEvents});
  CHECK(send_batch(gateway, 1000, kAe).status == 200);
  const Headers key = {{"idempotency-key", "\"k-1\""}};
  check_refused(gateway.report(event("e-1"), key), "events");
  gateway.env.advance_ms(1'000);
  CHECK(gateway.report(event("e-1"), key).status == 201);
}

TEST_CASE("a native message and its dry run are taken as a whole or refused") {
  const TestBundle bundle;
  Gateway gateway({{bundle.folder()}, 0, kFewEvents});
  const std::string file = export_file(600);
  const std::string adapter = "/v1/adapters/de-ni-export";
  CHECK(gateway.post(adapter + "/messages", "text/csv", file, kAe).status == 200);
  const std::uint64_t size = gateway.ledger_size();
  check_refused(gateway.post(adapter + "/messages", "text/csv", file, kAe), "events");
  check_refused(gateway.post(adapter + "/translations", "text/csv", file, kAe), "events");
  CHECK(gateway.ledger_size() == size);
  gateway.env.advance_ms(20'000);
  CHECK(gateway.post(adapter + "/translations", "text/csv", file, kAe).status == 200);
}

TEST_CASE("another policy brings other rates, and forgives nothing") {
  const auto policy_of = [](const std::string& rates) {
    return rates + "authorities:\n  - {id: \"999902\", name: one, land: DE-NI, role: AE}\n";
  };
  Gateway gateway({{}, 0, "{requests: {per_second: 1, burst: 3}}"});
  for (int i = 0; i < 3; ++i) CHECK(gateway.get("/v1/statuses", kAe).status == 200);
  check_refused(gateway.get("/v1/statuses", kAe), "requests");
  gateway.replace_policy(policy_of("rates: {requests: {per_second: 1, burst: 2}}\n"));
  check_refused(gateway.get("/v1/statuses", kAe), "requests");
  gateway.replace_policy(policy_of("rates: {requests: {per_second: 1, burst: 10}}\n"));
  const Response more = gateway.get("/v1/statuses", kAe);
  CHECK(more.status == 200);
  CHECK(more.header("ratelimit") == R"("requests";r=6;t=4)");
}

TEST_CASE("each request costs its authority a token, whatever it is answered") {
  Gateway gateway({{}, 0, "{requests: {per_second: 1, burst: 3}}"});
  const Response first = gateway.get("/v1/statuses", kAe);
  CHECK(first.header("ratelimit-policy") == R"("requests";q=3;w=3)");
  CHECK(first.header("ratelimit") == R"("requests";r=2;t=1)");
  CHECK(gateway.get("/v1/procedures/5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10", kAe).status == 404);
  CHECK(gateway.post("/v1/status-events", "text/plain", "x", kAe).status == 415);
  check_refused(gateway.get("/v1/statuses", kAe), "requests");
  check_refused(gateway.report(event("e-1")), "requests");
  check_refused(gateway.post("/v1/status-events", "application/x-ndjson", "{}\n", kAe), "requests");
  CHECK(gateway.get("/v1/statuses", kAbh).status == 200);
  CHECK(gateway.get("/health/live", kAe).status == 200);
  CHECK(gateway.send({"GET", "/metrics", "", {}, {}, true}).status == 200);
  gateway.env.advance_ms(1'000);
  CHECK(gateway.get("/v1/statuses", kAe).status == 200);
}

TEST_CASE("what is open to all, and refused callers, are counted by address") {
  Gateway gateway({{}, 0, "{anonymous: {per_second: 1, burst: 3}}"});
  CHECK(gateway.get("/problems").header("ratelimit") == R"("anonymous";r=2;t=1)");
  CHECK(gateway.get("/v1/statuses").status == 401);
  CHECK(gateway.get("/v1/statuses", "123456").header("ratelimit") == R"("anonymous";r=0;t=3)");
  check_refused(gateway.get("/v1/statuses"), "anonymous");
  check_refused(gateway.get("/openapi.yaml"), "anonymous");
  CHECK(gateway.get("/health/live").status == 200);
  CHECK(gateway.get("/health/live").header("ratelimit").empty());
  CHECK(gateway.get("/v1/statuses", kAe).status == 200);
  gateway.env.advance_ms(1'000);
  CHECK(gateway.get("/problems").status == 200);
}

TEST_CASE("a stream is slowed, not refused") {
  Gateway gateway({{}, 0, kFewEvents});
  std::string lines;
  constexpr std::size_t kLines = 760;  // 750 of 1000 tokens are for streams.
  for (std::size_t i = 0; i < kLines; ++i) lines += "{}\n";
  Request request{"POST", "/v1/status-events", kAe};
  request.headers = {{"content-type", "application/x-ndjson"}};
  request.body = lines;
  Client client = gateway.start(request);
  const std::string refused_items = R"(flora_events_total{status="422"})";
  REQUIRE(eventually([&] { return metric(gateway, refused_items) >= 512; }));
  // Single events go on meanwhile, with what streams leave.
  CHECK(gateway.report(event("e-1")).status == 201);
  CHECK(metric(gateway, refused_items) == 512);
  gateway.env.advance_ms(1'100);
  const Response response = gateway.finish(client, request);
  CHECK(response.status == 200);
  const std::vector<Json> items = response.lines();
  REQUIRE(items.size() == kLines);
  for (std::size_t i = 0; i < kLines; ++i) CHECK(items[i]["item"] == i);
  CHECK(metric(gateway, "flora_stream_pauses_total") == 1);
}

TEST_CASE("a stream that waits does not hold up the end of the gateway") {
  std::optional<Gateway> gateway;
  gateway.emplace(Options{{}, 0, kFewEvents});
  std::string lines;
  for (int i = 0; i < 1100; ++i) lines += "{}\n";
  Request request{"POST", "/v1/status-events", kAe};
  request.headers = {{"content-type", "application/x-ndjson"}};
  request.body = lines;
  Client client = gateway->start(request);
  REQUIRE(eventually([&] { return metric(*gateway, R"(flora_events_total{status="422"})") > 0; }));
  client.reset();
  gateway.reset();
}

TEST_CASE("an authority has so many streams at the same time as its rate allows") {
  Gateway gateway({{}, 0, kFewEvents});  // One.
  Client open = gateway.start({"HEAD", "/health/live"});
  REQUIRE(open.read(true).has_value());
  REQUIRE(open.send(std::string("POST /v1/status-events HTTP/1.1\r\nhost: gateway\r\n") +
                    "content-type: application/x-ndjson\r\ncontent-length: 100\r\n" +
                    "flora-dev-authority: " + kAe + "\r\n\r\n{}\n"));
  REQUIRE(open.receive(12).starts_with("HTTP/1.1 200"));
  const auto stream = [&](const char* authority) {
    return gateway.post("/v1/status-events", "application/x-ndjson", "{}\n", authority);
  };
  check_refused(stream(kAe), "streams");
  CHECK(stream(kAbh).status == 200);
  CHECK(gateway.report(event("e-1")).status == 201);
  open.reset();
  CHECK(eventually([&] { return stream(kAe).status == 200; }));
}

TEST_CASE("an event is charged to its reporter, and a batch to all of them or to none") {
  Gateway gateway;
  FakeEnv env;
  auto parsed_policy = policy::Policy::parse(
      "rates: {events: {per_second: 10, burst: 1000}}\n"
      "authorities:\n"
      "  - {id: \"000001\", name: one, land: DE-NI, role: AE}\n"
      "  - {id: \"000002\", name: two, land: DE-NI, role: AE, rates: {events: {burst: 2000}}}\n"
      "  - {id: \"000003\", name: three, land: DE-NI, role: AE}\n",
      "policy.yaml");
  REQUIRE(parsed_policy.has_value());
  const policy::InForce policy(std::move(*parsed_policy));
  api::Metrics metrics(gateway.document(), {});
  api::Throttle throttle(env, policy, metrics);
  policy::Caller caller;
  caller.authorities = {"000001", "000002"};
  const auto items = [](std::vector<std::pair<const char*, int>> counts) {
    std::vector<intake::Item> out;
    for (const auto& [authority, count] : counts) {
      intake::ParsedEvent parsed;
      parsed.event.authority = authority;
      for (int i = 0; i < count; ++i) out.push_back({parsed, {}, {}});
    }
    return out;
  };
  CHECK_FALSE(throttle.take_events(caller, items({{"000001", 900}, {"000002", 1500}})));
  CHECK(throttle.take_events(caller, items({{"000001", 50}, {"000002", 501}})));
  CHECK_FALSE(throttle.take_events(caller, items({{"000001", 50}, {"000002", 500}})));
  // Whom the caller does not act for does not pay.
  CHECK_FALSE(throttle.take_events(caller, items({{"000003", 50}})));
  CHECK(throttle.take_events(caller, items({{"000003", 1}})));
  CHECK(throttle.take_events(caller, 1));
}
