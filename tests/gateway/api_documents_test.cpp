// What describes the gateway, the log as tiles, and what operators read.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "gateway/model/problem.h"
#include "tests/gateway/api_fixture.h"

using namespace flora;
using namespace flora::test;

namespace {

struct Entry {
  std::string path;
  std::string authority;
};

const std::vector<Entry> kCacheable = {{"/v1/statuses", kAe},
                                       {"/v1/log/checkpoint", kAe},
                                       {"/v1/log/tile/0/000.p/1", kAe},
                                       {"/openapi.yaml", ""},
                                       {"/openapi.json", ""},
                                       {"/openapi-3.0.json", ""},
                                       {"/docs", ""},
                                       {"/docs/swagger-ui.css", ""},
                                       {"/docs/page.js", ""},
                                       {"/problems", ""},
                                       {"/problems/not-found", ""},
                                       {"/v1/log/tile/entries/000.p/1", kAuditor}};

}  // namespace

TEST_CASE("what does not change is answered with 304 to who has it") {
  Gateway gateway;
  REQUIRE(gateway.report(event("e-1")).status == 201);
  for (const auto& [target, authority] : kCacheable) {
    const std::string path = target;
    CAPTURE(path);
    const Response first = gateway.get(path, authority);
    CHECK(first.status == 200);
    const std::string tag(first.header("etag"));
    REQUIRE(tag.size() > 2);
    for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
      const Response again = gateway.get(path, authority, {{"if-none-match", known}});
      CHECK(again.status == 304);
      CHECK(again.body.empty());
      CHECK(again.header("etag") == tag);
    }
    const Response other = gateway.get(path, authority, {{"if-none-match", "\"other\""}});
    CHECK(other.status == 200);
    CHECK(other.body == first.body);
  }
}

TEST_CASE("HEAD has the fields of GET and no body") {
  Gateway gateway;
  REQUIRE(gateway.report(event("e-1")).status == 201);
  for (const auto& [target, authority] : kCacheable) {
    const std::string path = target;
    CAPTURE(path);
    const Response get = gateway.get(path, authority);
    const Response head = gateway.send({"HEAD", path, authority});
    CHECK(head.status == get.status);
    for (const char* name : {"etag", "content-type", "content-length", "cache-control"}) {
      CHECK(head.header(name) == get.header(name));
    }
  }
  CHECK(gateway.send({"HEAD", "/v1/nothing", kAe}).status == 404);
  CHECK(gateway.send({"HEAD", "/v1/statuses"}).status == 401);
}

TEST_CASE("the document is served byte for byte") {
  Gateway gateway;
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/openapi/flora-gateway.yaml");
  std::stringstream text;
  text << file.rdbuf();
  CHECK(gateway.get("/openapi.yaml").body == text.str());
  CHECK(gateway.get("/openapi.json").json()["openapi"].get<std::string>().starts_with("3.1"));
  CHECK(gateway.get("/openapi-3.0.json").json()["openapi"] == "3.0.3");
}

TEST_CASE("the page of the document runs nothing but the gateway's own files") {
  Gateway gateway;
  const Response page = gateway.get("/docs");
  const std::string_view policy = page.header("content-security-policy");
  CHECK(policy.find("default-src 'none'") != std::string_view::npos);
  CHECK(policy.find("http") == std::string_view::npos);
  CHECK(page.body.find("//") == std::string::npos);
  CHECK(gateway.get("/docs/nothing.js").status == 404);
}

TEST_CASE("each kind of problem has its page") {
  Gateway gateway;
  const std::string list = gateway.get("/problems").body;
  for (const ProblemKind& kind : problem_kinds()) {
    CAPTURE(kind.name);
    const std::string path = "/problems/" + std::string(kind.name);
    CHECK(list.find('"' + path + '"') != std::string::npos);
    const Response page = gateway.get(path);
    CHECK(page.status == 200);
    CHECK(page.body.find(kind.title) != std::string::npos);
    CHECK(page.body.find("<code>" + type_of(kind) + "</code>") != std::string::npos);
  }
  CHECK(gateway.get("/problems/nothing").status == 404);
}

TEST_CASE("the document lists the kinds of problems that there are") {
  Gateway gateway;
  const Json document = gateway.get("/openapi.json").json();
  Json kinds = Json::array();
  for (const ProblemKind& kind : problem_kinds()) kinds.push_back(type_of(kind));
  CHECK(document["components"]["schemas"]["Problem"]["properties"]["type"]["x-flora-types"] ==
        kinds);
  // Those that others know as well.
  const std::string registry = "https://iana.org/assignments/http-problem-types#";
  for (const char* name : {"quota-exceeded", "temporary-reduced-capacity"}) {
    CHECK(std::count(kinds.begin(), kinds.end(), registry + name) == 1);
  }
}

TEST_CASE("the catalogue is served as it is in force") {
  Gateway gateway;
  const Json catalogue = gateway.get("/v1/statuses", kAuditor).json();
  CHECK(catalogue["version"] == gateway.catalogue().version());
  REQUIRE(catalogue["statuses"].size() == gateway.catalogue().statuses().size());
  for (std::size_t i = 0; i < catalogue["statuses"].size(); ++i) {
    const Status& status = gateway.catalogue().statuses()[i];
    const Json& shown = catalogue["statuses"][i];
    CHECK(shown["name"] == status.name);
    CHECK(shown["label"]["de"] == status.label_de);
    CHECK(shown["handsOver"] == status.hands_over);
    CHECK(shown["reporters"].size() == status.reporters.size());
  }
}

TEST_CASE("the log is served as checkpoint, tiles and entry bundles") {
  Gateway gateway;
  std::vector<std::string> entries;
  for (int i = 0; i < 3; ++i) {
    const Json answer = gateway.report(event("e-" + std::to_string(i))).json();
    entries.push_back(answer["receipt"]["entry"]);
  }
  const std::string checkpoint = gateway.get("/v1/log/checkpoint", kAe).body;
  CHECK(checkpoint.starts_with("flora.example/development\n3\n"));
  const std::string tile = gateway.get("/v1/log/tile/0/000.p/3", kAe).body;
  CHECK(tile.size() == 3 * 32);
  const std::string bundle = gateway.get("/v1/log/tile/entries/000.p/3", kAuditor).body;
  std::string expected;
  for (const std::string& entry : entries) {
    expected += static_cast<char>(entry.size() >> 8);
    expected += static_cast<char>(entry.size() & 0xFF);
    expected += entry;
  }
  CHECK(bundle == expected);
  for (const char* path : {"/v1/log/tile/0/000", "/v1/log/tile/0/000.p/4", "/v1/log/tile/1/000",
                           "/v1/log/tile/0/001.p/1", "/v1/log/tile/63/000"}) {
    CAPTURE(path);
    CHECK(gateway.get(path, kAe).status == 404);
  }
  for (const char* authority : {kAe, kBamf}) {
    CHECK(gateway.get("/v1/log/tile/entries/000.p/3", authority).status == 403);
  }
}

TEST_CASE("operators read readiness and metrics, everybody liveness") {
  Gateway gateway;
  CHECK(gateway.get("/health/live").json()["status"] == "LIVE");
  const Response ready = gateway.send({"GET", "/health/ready", "", {}, {}, true});
  CHECK(ready.json()["status"] == "READY");
  REQUIRE(gateway.report(event("e-secret-1")).status == 201);
  REQUIRE(gateway.report(event("e-secret-1")).status == 200);
  const Response metrics = gateway.send({"GET", "/metrics", "", {}, {}, true});
  CHECK(metrics.body.ends_with("# EOF\n"));
  for (const char* secret : {"e-secret", "2608", "land-system", kAe}) {
    CHECK(metrics.body.find(secret) == std::string::npos);
  }
}

TEST_CASE("no identifier and no event id stands in plain text in a file of the gateway") {
  Gateway gateway;
  REQUIRE(gateway.report(event("e-secret-1")).status == 201);
  for (const char* name : {"ledger.db", "ledger.db-wal", "store.db", "store.db-wal", "view.db",
                           "view.db-wal", "checkpoint"}) {
    CAPTURE(name);
    std::ifstream file(gateway.folder() + "/" + name, std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    for (const char* secret : {"260815000001", "e-secret-1", "urn:example:land-system"}) {
      CHECK(bytes.str().find(secret) == std::string::npos);
    }
  }
}
