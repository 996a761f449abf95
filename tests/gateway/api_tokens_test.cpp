// Access tokens at the API: who a token makes the caller, how it is asked for one, and what ends
// with it. What tokens are refused is shown by tokens_test.cpp and, over TLS, tests/process.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>

#include "tests/gateway/api_fixture.h"
#include "tests/gateway/test_issuer.h"

using namespace flora;
using namespace flora::test;
using http::test::Client;

namespace {

// A gateway that takes the tokens of an issuer; its client "lab" acts for the AE of DE-NI.
struct World {
  TestIssuer issuer;
  Gateway gateway{{.keys = &issuer}};

  World() {
    auto text =
        Env::system().read_file(std::string(FLORA_SOURCE_DIR) + "/config/policy.yaml", 1 << 20);
    REQUIRE(text);
    const std::string list = "\nclients:\n";
    gateway.replace_policy(text->insert(text->find(list) + list.size(),
                                        "  - {name: lab, token_client: lab, authorities: "
                                        "[\"999902\"]}\n"));
  }

  std::string authorization() {
    return "Bearer " + issuer.token(TestIssuer::claims_at(gateway.env.now_ms() / 1000));
  }
  Response get(const std::string& authorization) {
    return gateway.get("/v1/statuses", {}, {{"authorization", authorization}});
  }
};

std::vector<std::string> challenges_of(const Response& response) {
  std::vector<std::string> out;
  for (const auto& [name, value] : response.headers) {
    if (name == "www-authenticate") out.push_back(value);
  }
  return out;
}

const std::string kCertificate = R"(ClientCertificate realm="flora")";
const std::string kBearer = R"(Bearer realm="flora")";

}  // namespace

TEST_CASE("a token makes the caller the client that the policy knows by it") {
  World world;
  CHECK(world.get(world.authorization()).status == 200);
  const Headers headers = {{"authorization", world.authorization()}};
  const auto report = [&](const std::string& authority) {
    return world.gateway
        .post("/v1/status-events", "application/json",
              event_of("e-secret-1", "260815000001", authority, "ANKUNFT_AE",
                       R"({"zustaendigeAE":true})")
                  .dump(),
              {}, headers)
        .status;
  };
  CHECK(report(kAe) == 201);
  CHECK(report(kOtherAe) == 403);
}

TEST_CASE("a token decides, whatever the development header says") {
  World world;
  const Headers bad = {{"authorization", "Bearer x"}};
  CHECK(world.gateway.get("/v1/statuses", kAe, bad).status == 401);
  const Headers basic = {{"authorization", "Basic bGFiOmxhYg=="}};
  CHECK(world.gateway.get("/v1/statuses", kAe, basic).status == 401);
  // The entries are for auditors; the token's client acts for an AE.
  const Headers good = {{"authorization", world.authorization()}};
  CHECK(world.gateway.get("/v1/log/tile/entries/000", kAuditor, good).status == 403);
}

TEST_CASE("who sends no token is asked for one, who sends a bad one is told what is wrong") {
  World world;
  using Challenges = std::vector<std::string>;
  const Challenges plain = {kCertificate, kBearer};
  CHECK(challenges_of(world.gateway.get("/v1/statuses")) == plain);
  for (const char* other : {"Basic bGFiOmxhYg==", "Bearer", "Bearer ", "", "DPoP a.b.c"}) {
    CHECK(challenges_of(world.get(other)) == plain);
  }
  CHECK(challenges_of(world.get("Bearer x")) ==
        Challenges{kCertificate, kBearer + R"(, error="invalid_token", error_description=)" +
                                     R"("The token is no signed JWT in compact form")"});
  const Headers twice(2, {"authorization", world.authorization()});
  CHECK(challenges_of(world.gateway.get("/v1/statuses", {}, twice)) ==
        Challenges{kCertificate, kBearer + R"(, error="invalid_request", error_description=)" +
                                     R"("Authorization stands there more than once")"});
}

TEST_CASE("a gateway that takes no tokens does not ask for them") {
  Gateway gateway;
  const TestIssuer issuer;
  const std::string token = issuer.token(TestIssuer::claims_at(gateway.env.now_ms() / 1000));
  const Response response =
      gateway.get("/v1/statuses", kAe, {{"authorization", "Bearer " + token}});
  CHECK(response.status == 401);
  CHECK(challenges_of(response) == std::vector<std::string>{kCertificate});
}

TEST_CASE("while the issuer's keys are not there yet, a token is to be sent again") {
  World world;
  const std::string authorization = world.authorization();
  world.issuer.withdraw();
  const Response response = world.get(authorization);
  CHECK(response.status == 503);
  CHECK(response.problem() == "not-ready");
  CHECK_FALSE(response.header("retry-after").empty());
  CHECK(world.gateway.get("/v1/statuses", kAe).status == 200);
}

TEST_CASE("a stream ends with its token, and what was accepted stays") {
  World world;
  Client client = world.gateway.start({"POST",
                                       "/v1/status-events",
                                       {},
                                       {{"content-type", "application/x-ndjson"},
                                        {"transfer-encoding", "chunked"},
                                        {"authorization", world.authorization()}},
                                       {}});
  const auto send = [&](const Json& one) {
    const std::string line = one.dump() + '\n';
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", line.size());
    REQUIRE(client.send(size.data() + line + "\r\n"));
  };
  std::string seen;
  send(event("e-secret-1"));
  while (seen.find("\"status\":201") == std::string::npos) {
    const std::string more = client.receive(65536, 120);
    REQUIRE_FALSE(more.empty());
    seen += more;
  }
  world.gateway.env.advance_ms(331'000);  // Five minutes and the leeway.
  send(event("e-secret-2", "260815000002"));
  for (std::string more = "x"; !more.empty(); seen += more) more = client.receive(65536, 120);
  CHECK(seen.find("\r\n0\r\n\r\n") == std::string::npos);
  CHECK(seen.find("\"index\":1") == std::string::npos);
  CHECK(world.gateway.ledger_size() == 1);
}

// The fixture holds it of every answer of every test; here of those that no handler gives.
TEST_CASE("a development gateway says so also where the parser answers") {
  Gateway gateway;
  CHECK(gateway.send({"GET", "no-slash"}).status == 400);
  CHECK(gateway.send({"GET", "/" + std::string(20'000, 'a')}).status == 414);
  CHECK(gateway.send({"BREW", "/v1/statuses"}).status == 501);
}
