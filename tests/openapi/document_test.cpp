// The document compiles, its routes lead where they should, and what would make it looser or leave
// something unhandled is refused with its place.
#include "openapi/document.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "gateway/model/catalogue.h"
#include "openapi/viewer.h"

namespace flora::openapi {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const Document& document() {
  static const Document loaded = [] {
    auto result = Document::load();
    REQUIRE_MESSAGE(result.has_value(), result.error().message);
    return std::move(result).value();
  }();
  return loaded;
}

/// The embedded document with the first `from` replaced by `to`, loaded; the error's message.
std::string refusal(std::string_view from, std::string_view to) {
  std::string text(Document::embedded());
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const auto result = Document::load(text, "x.yaml");
  return result ? "loaded" : result.error().message;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Match match(std::string_view method, std::string_view path) {
  return document().match(Listener::public_, method, path);
}

}  // namespace

TEST_CASE("the document is embedded byte for byte") {
  CHECK(Document::embedded() == read_file("openapi/flora-gateway.yaml"));
  CHECK(document().yaml() == Document::embedded());
}

TEST_CASE("every operation of the document is found by its own path") {
  CHECK(document().operations().size() == 32);
  for (const Operation& operation : document().operations()) {
    std::string path = operation.path;
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      path.replace(at, path.find('}') - at + 1, "x1");
    }
    const Match found = document().match(operation.listener, operation.method, path);
    REQUIRE(found.operation != nullptr);
    CHECK(found.operation->id == operation.id);
  }
}

TEST_CASE("a path parameter is decoded, a broken encoding is malformed") {
  const Match plain = match("GET", "/v1/adapters/de-ni-xauslaender");
  CHECK(plain.outcome == Match::Outcome::found);
  CHECK(plain.value("adapter") == "de-ni-xauslaender");
  CHECK(match("GET", "/v1/adapters/a%2Fb").value("adapter") == "a/b");
  CHECK(match("GET", "/v1/%61dapters").operation->id == "listAdapters");
  for (const std::string_view bad :
       {"/v1/adapters/%", "/v1/adapters/%4", "/v1/adapters/%zz", "/v1/adapters/%ff",
        "/v1/adapters/%00", "/v1/adapters/a%0Ab", "/v1/adapters/\xff", "/v1/adapters/a\nb"}) {
    CHECK(match("GET", bad).outcome == Match::Outcome::malformed);
  }
}

TEST_CASE("a path that is nearly one of ours is not found") {
  for (const std::string_view path :
       {"", "/", "//", "/v1", "/v1/adapters/", "/v1//adapters", "/v1/adapters/x/messages/",
        "v1/adapters", "/V1/adapters", "/v1/log/tile/0/", "/docs/", "/health/ready", "/metrics",
        "/v1/adapters/.."}) {
    INFO(path);
    const Match found = match("GET", path);
    CHECK((found.outcome == Match::Outcome::not_found || found.value("adapter") == ".."));
  }
  const auto ready = document().match(Listener::operations, "GET", "/health/ready");
  CHECK(ready.operation->id == "getReady");
  CHECK(document().match(Listener::operations, "GET", "/v1/statuses").outcome ==
        Match::Outcome::not_found);
}

TEST_CASE("another method of a known path is refused with the methods that it allows") {
  const Match wrong = match("DELETE", "/v1/statuses");
  CHECK(wrong.outcome == Match::Outcome::method_not_allowed);
  CHECK(wrong.allow == "GET, HEAD");
  CHECK(match("GET", "/v1/status-events").allow == "POST");
  CHECK(match("HEAD", "/v1/statuses").operation->id == "listStatuses");
  CHECK(match("HEAD", "/v1/status-events").outcome == Match::Outcome::method_not_allowed);
}

TEST_CASE("a tile's index spans segments, and entry bundles come before tiles") {
  const Match tile = match("GET", "/v1/log/tile/0/x001/x234/067.p/12");
  CHECK(tile.operation->id == "getTile");
  CHECK(tile.value("level") == "0");
  CHECK(tile.value("index") == "x001/x234/067.p/12");
  const Match bundle = match("GET", "/v1/log/tile/entries/x001/067");
  CHECK(bundle.operation->id == "getEntryBundle");
  CHECK(bundle.value("index") == "x001/067");
}

TEST_CASE("who may call what is read from the document") {
  const auto open = [](const char* id) { return document().operation(id)->access == Access::open; };
  for (const char* id : {"getLive", "getOpenApiYaml", "getOpenApiJson", "getOpenApi30", "getDocs",
                         "getDocsAsset", "getProblem", "listProblems", "getReady", "getMetrics"}) {
    CHECK(open(id));
  }
  const auto closed = std::ranges::count_if(
      document().operations(), [](const Operation& o) { return o.access == Access::authority; });
  CHECK(closed == 22);
}

TEST_CASE("handlers and operations that do not fit are named") {
  std::set<std::string> handlers;
  for (const Operation& operation : document().operations()) handlers.insert(operation.id);
  CHECK(document().check_handlers(handlers).has_value());
  handlers.erase("getTile");
  handlers.insert("getCoffee");
  const auto result = document().check_handlers(handlers);
  REQUIRE_FALSE(result.has_value());
  CHECK(contains(result.error().message, "The operation getTile has no handler."));
  CHECK(contains(result.error().message, "The handler getCoffee has no operation."));
}

TEST_CASE("statuses and details of the catalogue are those of the document") {
  const auto catalogue = Catalogue::parse(read_file("config/statuses.yaml"), "statuses.yaml");
  REQUIRE_MESSAGE(catalogue.has_value(), catalogue.error().message);
  std::vector<std::string> names;
  for (const Status& status : catalogue->statuses()) {
    names.push_back(status.name);
    INFO(status.name);
    CHECK(document().schema("#/components/schemas/" + status.details).has_value());
    CHECK(status.hands_over == (status.details == "DetailsUebergabe"));
  }
  std::vector<std::string> in_document = document().enum_values("#/components/schemas/Status");
  std::ranges::sort(in_document);
  CHECK(names == in_document);
}

TEST_CASE("an unknown schema keyword refuses to load, with its place") {
  const std::string message =
      refusal("enum: [csv, fixed, json, soap, xml]", "patternProperties: {}");
  CHECK(message.starts_with("x.yaml:"));
  CHECK(contains(message, "`patternProperties` is not part of the subset"));
  CHECK(
      contains(refusal("enum: [csv, fixed, json, soap, xml]", "format: email"), "format `email`"));
  CHECK(contains(refusal("type: [object, 'null']", "type: [object, string]"), "`type` must be"));
  CHECK(contains(refusal("'#/components/schemas/Uuid'", "'#/components/schemas/Guid'"),
                 "leads to nothing"));
}

TEST_CASE("an operation without its parts refuses to load") {
  CHECK(contains(refusal("      operationId: listAdapters\n", ""), "`operationId` is missing"));
  CHECK(contains(refusal("operationId: getAdapter", "operationId: listAdapters"), "used twice"));
  CHECK(contains(refusal("openapi: 3.1.0", "openapi: 3.0.3"), "OpenAPI 3.1 is expected"));
  CHECK(contains(refusal("/v1/adapters/{adapter}:", "/v1/adapters/{name}:"), "getAdapter"));
  CHECK(contains(refusal("x-flora-listener: operations", "x-flora-listener: secret"), "listener"));
}

TEST_CASE("whatever loosens what may stand on the ledger refuses to load") {
  const auto loose = [](std::string_view from, std::string_view to) {
    const std::string message = refusal(from, to);
    INFO(message);
    return message.starts_with("x.yaml:") && contains(message, "too loose for the ledger");
  };
  CHECK(
      loose("enum: [ABGESCHOBEN, FREIWILLIG_NACHGEWIESEN, FREIWILLIG_VERMUTET]", "maxLength: 20"));
  CHECK(loose("enum: [P80_5, P80_7, P123]", "pattern: '^[A-Z0-9]+$'"));
  CHECK(loose("pattern: '^[0-9]{6}$'\n      maxLength: 6",
              "pattern: '^[0-9]{6,9}$'\n      maxLength: 9"));
  CHECK(loose("minimum: 0\n      maximum: 9999", "minimum: 0\n      maximum: 10000"));
  CHECK(loose("minimum: 1\n      maximum: 2\n", "minimum: 1\n"));
  CHECK(
      loose("      description: No details.\n      type: object\n      additionalProperties: false",
            "      description: No details.\n      type: object"));
  CHECK(loose("pattern: '^[A-Z][A-Z_]{1,31}$'", "pattern: '^[A-Z][A-Z_0-9]{1,31}$'"));
  CHECK(loose("pattern: '^[0-9a-f]{32}$'", "pattern: '^.{32}$'"));
  CHECK(
      loose("        maxItems: 16\n          items:\n            $ref: "
            "'#/components/schemas/CodeDublinEnde'",
            "        items:\n            $ref: '#/components/schemas/CodeDublinEnde'"));
}

TEST_CASE("the members of a schema are those of all its branches") {
  const auto members = [](std::string_view name) {
    std::string out;
    for (const Member& member : document().members("#/components/schemas/" + std::string(name))) {
      out += (out.empty() ? "" : " ") + member.name + (member.required ? "!" : "");
    }
    return out;
  };
  CHECK(members("DetailsUebergabe") == "empfaengerBehoerde! empfaengerLand!");
  CHECK(members("DetailsAnkunftAe") == "zustaendigeAE");
  CHECK(members("DetailsAvbTermin") == "stufe! terminAm terminUm");
  CHECK(members("DetailsNone").empty());
  CHECK(members("Nothing").empty());
}

TEST_CASE("a bad example of a response is found out") {
  const auto check = [](int status, std::string_view type, std::vector<Field> fields,
                        std::string_view body) {
    return document().check_response("listStatuses", status, type, fields, body);
  };
  const std::string_view good = R"({"version":"2026-11","statuses":[]})";
  CHECK(check(200, "application/json", {{"ETag", "\"a\""}, {"Date", "x"}}, good).empty());
  CHECK(check(200, "application/json; charset=utf-8", {{"etag", "\"a\""}}, good).empty());
  CHECK(check(304, "", {{"ETag", "\"a\""}}, "").empty());
  CHECK(check(200, "application/json", {}, good).at(0).detail == "The field is missing.");
  CHECK(check(200, "application/json", {{"ETag", "a"}}, good).at(0).rule == "pattern");
  CHECK(check(200, "application/json", {{"ETag", "\"a\""}, {"Server", "x"}}, good).size() == 1);
  CHECK(check(200, "text/plain", {{"ETag", "\"a\""}}, good).at(0).rule == "content-type");
  CHECK(check(200, "application/json", {{"ETag", "\"a\""}}, "{").at(0).rule == "json");
  CHECK(check(200, "application/json", {{"ETag", "\"a\""}}, "{}").size() == 2);
  CHECK(check(304, "", {{"ETag", "\"a\""}}, "x").at(0).rule == "content");
  CHECK(check(418, "", {}, "").at(0).rule == "status");
}

TEST_CASE("each line of a streamed answer is checked") {
  const auto check = [](std::string_view body) {
    return document().check_response("submitStatusEvents", 200, "application/x-ndjson", {}, body);
  };
  CHECK(check("{\"item\":0,\"status\":201}\n{\"item\":1,\"status\":422}\n").empty());
  CHECK(check("").empty());
  CHECK(check("{\"item\":0,\"status\":201}\n{\"item\":1}\n").at(0).pointer == "/1");
  CHECK(check("{\"item\":0,\"status\":201}").at(0).rule == "ndjson");
}

TEST_CASE("the document itself is a good answer, and another YAML text is none") {
  const auto check = [](std::string_view body) {
    const std::vector<Field> fields = {{"ETag", "\"a\""}};
    return document().check_response("getOpenApiYaml", 200, "application/yaml", fields, body);
  };
  CHECK(check(document().yaml()).empty());
  CHECK(check("a: [").at(0).rule == "yaml");
  CHECK(check("a: b").at(0).rule == "required");
}

TEST_CASE("the viewer's files are there, and nothing else") {
  CHECK(contains(viewer_page().bytes, "/docs/swagger-ui-bundle.js"));
  for (const char* name :
       {"page.js", "swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"}) {
    REQUIRE(viewer_asset(name) != nullptr);
    CHECK(viewer_asset(name)->bytes.size() > 100);
  }
  CHECK(viewer_asset("../flora-gateway.yaml") == nullptr);
  CHECK(viewer_asset("") == nullptr);
}

}  // namespace flora::openapi
