// A policy that changes while the gateway runs: who may do what follows at once, and what was
// reported stays.
#include <doctest/doctest.h>

#include <sstream>

#include "gateway/base/env.h"
#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;
using http::test::Client;

namespace {

// The sample policy without the lines of an authority and of its clients.
std::string policy_without(const std::string& authority) {
  std::istringstream lines(sample_policy());
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.find('"' + authority + '"') == std::string::npos) text += line + '\n';
  }
  REQUIRE(text.size() < sample_policy().size());
  return text;
}

Json ready_of(Gateway& gateway) {
  const Response ready = gateway.send({"GET", "/health/ready", {}, {}, {}, true});
  REQUIRE(ready.status == 200);
  return ready.json();
}

}  // namespace

TEST_CASE("who is not in the policy any more is refused, and what he reported stays readable") {
  Gateway gateway;
  const Response sent = gateway.report(event("e-secret-1"));
  REQUIRE(sent.status == 201);
  const std::string procedure = sent.json()["procedureId"];
  gateway.replace_policy(policy_without(kAe));
  CHECK(gateway.report(event("e-secret-2")).status == 401);
  const Response history = gateway.get("/v1/procedures/" + procedure + "/history", kBamf);
  CHECK(history.status == 200);
  CHECK(history.json()["entries"].size() == 1);
  CHECK(history.json()["entries"][0].dump().find(kAe) != std::string::npos);
  gateway.replace_policy(sample_policy());
  CHECK(gateway.report(event("e-secret-2")).status == 201);
}

TEST_CASE("a client that is not there for casework is refused wherever casework is done") {
  Gateway gateway;
  for (const char* client : {"musterstadt-datenschutz", "bamf-loeschung"}) {
    CHECK(gateway.get("/v1/statuses", client).status == 200);
    const Response read = gateway.get("/v1/adapters", client);
    CHECK(read.status == 403);
    CHECK(read.problem() == "not-permitted");
    const Response reported =
        gateway.post("/v1/status-events", "application/json", event("e-1").dump(), client);
    CHECK(reported.problem() == "not-permitted");
  }
  CHECK(gateway.get("/v1/statuses", "nobody-of-that-name").status == 401);
  CHECK(gateway.ledger_size() == 0);
}

TEST_CASE("a new authority and its sites pass the guard at once") {
  Gateway gateway;
  const Json made = event_of("e-secret-1", "260815000001", "999777", "REGISTRIERUNG_ABGESCHLOSSEN");
  CHECK(gateway.report(made).status == 401);
  std::string policy = sample_policy();
  policy.insert(policy.find("  - {id: \"000250\""),
                "  - {id: \"999777\", name: \"Neu\", land: DE-NI, role: AE, sites: [NEUSTADT]}\n");
  gateway.replace_policy(policy);
  CHECK(gateway.report(made).status == 201);
  Json with_site = made;
  with_site["id"] = "e-secret-2";
  with_site["site"] = "NEUSTADT";
  CHECK(gateway.report(with_site).status == 201);
}

TEST_CASE("each event of an open stream is judged by the policy of its time") {
  Gateway gateway;
  Client client =
      gateway.start({"POST",
                     "/v1/status-events",
                     kAe,
                     {{"content-type", "application/x-ndjson"}, {"transfer-encoding", "chunked"}},
                     {}});
  const auto send = [&](const Json& one) {
    const std::string line = one.dump() + '\n';
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", line.size());
    REQUIRE(client.send(size.data() + line + "\r\n"));
  };
  std::string seen;
  const auto wait_for = [&](const std::string& text) {
    while (seen.find(text) == std::string::npos) {
      const std::string more = client.receive(65536, 120);
      REQUIRE_FALSE(more.empty());
      seen += more;
    }
  };
  send(event("e-secret-1"));
  wait_for("\"status\":201");
  gateway.replace_policy(policy_without(kAe));
  send(event("e-secret-2"));
  wait_for("/problems/not-your-authority");
  gateway.replace_policy(sample_policy());
  seen.clear();
  send(event("e-secret-3"));
  wait_for("\"status\":201");
  REQUIRE(client.send("0\r\n\r\n"));
  wait_for("\r\n0\r\n\r\n");
}

TEST_CASE("readiness names what is not in force, and ends when the gateway retires") {
  Gateway gateway;
  CHECK(ready_of(gateway)["configuration"].empty());
  gateway.set_configuration("policy", {"policy.yaml:7:61: no such Land"});
  gateway.set_configuration("settings", {});
  const Json states = ready_of(gateway)["configuration"];
  REQUIRE(states.size() == 2);
  CHECK(states[0]["name"] == "policy");
  CHECK(states[0]["state"] == "STALE");
  CHECK(states[0]["reasons"][0] == "policy.yaml:7:61: no such Land");
  CHECK(states[1]["state"] == "CURRENT");
  const Response metrics = gateway.send({"GET", "/metrics", {}, {}, {}, true});
  CHECK(metrics.body.find("flora_configuration_stale 1\n") != std::string::npos);
  gateway.retire();
  CHECK(gateway.send({"GET", "/health/ready", {}, {}, {}, true}).status == 503);
  CHECK(gateway.get("/health/live").status == 200);
}
