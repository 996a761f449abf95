// What is decided by a request's head: caller, method, media types, parameters.
#include <doctest/doctest.h>

#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

/// A path of the operation that names something possible.
std::string sample_path(const openapi::Operation& operation) {
  std::string path = operation.path;
  const std::vector<std::pair<std::string, std::string>> values = {
      {"{adapter}", "de-ni-xauslaender"},
      {"{id}", "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"},
      {"{level}", "0"},
      {"{index}", "000"},
      {"{hash}", std::string(64, 'a')},
      {"{asset}", "swagger-ui.css"},
      {"{name}", "not-found"}};
  for (const auto& [from, to] : values) {
    const std::size_t at = path.find(from);
    if (at != path.npos) path.replace(at, from.size(), to);
  }
  REQUIRE(path.find('{') == path.npos);
  return path;
}

Request sample_request(const openapi::Operation& operation) {
  Request request;
  request.method = operation.method;
  request.path = sample_path(operation);
  request.operations = operation.listener == openapi::Listener::operations;
  if (!operation.bodies.empty()) {
    request.headers.emplace_back("content-type", operation.bodies.front().name);
    request.body = "{}";
  }
  return request;
}

}  // namespace

TEST_CASE("each route asks for a caller, but for those that are open to all") {
  Gateway gateway;
  int open = 0;
  int closed = 0;
  for (const openapi::Operation& operation : gateway.document().operations()) {
    CAPTURE(operation.id);
    Request request = sample_request(operation);
    const bool is_open = operation.access == openapi::Access::open;
    ++(is_open ? open : closed);
    const Response response = gateway.send(request);
    CHECK((response.status == 401) != is_open);
    if (is_open) {
      CHECK(response.status == 200);
      continue;
    }
    CHECK(response.problem() == "unauthenticated");
    CHECK_FALSE(response.header("www-authenticate").empty());
    for (const char* nobody : {"123456", "", "0009990299", "999902, 999901"}) {
      request.headers.emplace_back("flora-dev-authority", nobody);
      CHECK(gateway.send(request).status == 401);
      request.headers.pop_back();
    }
    for (const openapi::MediaType& body : operation.bodies) {
      request.headers.front().second = body.name;
      CHECK(gateway.send(request).status == 401);
    }
  }
  CHECK(open == 10);
  CHECK(closed == 22);
}

TEST_CASE("only what describes the gateway is open") {
  Gateway gateway;
  for (const openapi::Operation& operation : gateway.document().operations()) {
    if (operation.access != openapi::Access::open) continue;
    CAPTURE(operation.path);
    const bool harmless = !operation.path.starts_with("/v1/") && operation.method == "GET";
    CHECK(harmless);
  }
}

TEST_CASE("paths and methods that there are not") {
  Gateway gateway;
  for (const char* path : {"/", "/v1", "/v1/nothing", "/v1/status-events/", "/v1//statuses",
                           "/metrics", "/health/ready", "/V1/statuses"}) {
    CAPTURE(path);
    const Response response = gateway.get(path, kAe);
    CHECK(response.status == 404);
    CHECK(response.problem() == "not-found");
  }
  const Response put = gateway.send({"PUT", "/v1/statuses", kAe});
  CHECK(put.status == 405);
  CHECK(put.header("allow") == "GET, HEAD");
  CHECK(gateway.send({"GET", "/v1/status-events", kAe}).header("allow") == "POST");
  CHECK(gateway.send({"DELETE", "/v1/procedures/search", kAe}).status == 405);
  for (const char* method : {"BREW", "get", "PROPFIND"}) {
    const Response response = gateway.send({method, "/v1/statuses", kAe});
    CHECK(response.status == 501);
    CHECK(response.problem() == "not-implemented");
  }
  CHECK(gateway.send({"GET", "/v1/statuses", kAe, {}, {}, true}).status == 404);
}

TEST_CASE("a path that names nothing possible names nothing") {
  Gateway gateway;
  for (const char* path :
       {"/v1/transactions/1", "/v1/transactions/1/receipt", "/v1/procedures/260815000001",
        "/v1/procedures/x/history", "/v1/adapters/Nirgends", "/v1/log/tile/0/1",
        "/v1/log/tile/x/000", "/v1/log/tile/0/000.p/300"}) {
    CAPTURE(path);
    CHECK(gateway.get(path, kBamf).status == 404);
  }
}

TEST_CASE("media types are negotiated by the document") {
  Gateway gateway;
  const std::string body = event("e-1").dump();
  const Response wrong = gateway.post("/v1/status-events", "text/plain", body, kAe);
  CHECK(wrong.status == 415);
  CHECK(wrong.header("accept").find("application/json") != std::string_view::npos);
  CHECK(gateway.send({"POST", "/v1/status-events", kAe, {}, body}).status == 415);
  const Response coded =
      gateway.send({"POST",
                    "/v1/status-events",
                    kAe,
                    {{"content-type", "application/json"}, {"content-encoding", "gzip"}},
                    body});
  CHECK(coded.status == 415);
  CHECK(coded.header("accept-encoding") == "identity");
  CHECK(gateway.post("/v1/status-events", "application/json; charset=utf-8", body, kAe).status ==
        201);
  CHECK(gateway.post("/v1/status-events", "Application/JSON", body, kAe).status == 200);

  for (const char* accept : {"text/html", "application/xml, text/*", "application/json;q=0"}) {
    CAPTURE(accept);
    const Response response = gateway.get("/v1/statuses", kAe, {{"accept", accept}});
    CHECK(response.status == 406);
    CHECK(response.problem() == "not-acceptable");
  }
  for (const char* accept : {"*/*", "application/*", "text/html, application/json;q=0.1"}) {
    CAPTURE(accept);
    CHECK(gateway.get("/v1/statuses", kAe, {{"accept", accept}}).status == 200);
  }
}

TEST_CASE("a body where none belongs is refused") {
  Gateway gateway;
  const Response response = gateway.send({"GET", "/v1/statuses", kAe, {}, "x"});
  CHECK(response.status == 400);
  CHECK(response.problem() == "malformed-request");
}

TEST_CASE("a body that is too large is refused") {
  Gateway gateway;
  const Response response =
      gateway.post("/v1/status-events", "application/json", std::string((1 << 20) + 1, ' '), kAe);
  CHECK(response.status == 413);
}

TEST_CASE("parameters are held to the document and named without their value") {
  Gateway gateway;
  const std::string history = "/v1/procedures/5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10/history";
  for (const char* query : {"?limit=0", "?limit=1001", "?limit=x", "?limit=1&limit=2",
                            "?Mustermann=1", "?limit=%zz", "?cursor=!", "?cursor=QQ"}) {
    CAPTURE(query);
    const Response response = gateway.get(history + query, kBamf);
    CHECK(response.status == 400);
    CHECK(response.problem() == "malformed-request");
  }
  CHECK(gateway.get(history + "?limit=1000", kBamf).status == 404);
  CHECK(gateway.get("/v1/transactions", kBamf).status == 400);
  CHECK(gateway.get("/v1/transactions?cursor=f0", kBamf).status == 400);
  CHECK(gateway.get("/v1/transactions?state=COMMITTED", kBamf).status == 400);
  const Response failed = gateway.get("/v1/transactions?state=FAILED&cursor=f0", kBamf);
  CHECK(failed.status == 200);
  CHECK(failed.body == R"({"transactions":[]})");
}

TEST_CASE("what HTTP itself refuses is a problem of the document") {
  Gateway gateway;
  const Response line = gateway.get("/v1/statuses?" + std::string(20'000, 'x'), kAe);
  CHECK(line.status == 414);
  const Response head = gateway.get("/v1/statuses", kAe, {{"x", std::string(40'000, 'x')}});
  CHECK(head.status == 431);
  const Response twice = gateway.get("/v1/statuses", kAe, {{"host", "other"}});
  CHECK(twice.status == 400);
}
