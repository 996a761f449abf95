// What describes the gateway: catalogue, OpenAPI document, viewer, problem pages.
#include "gateway/api/api.h"
#include "gateway/api/json_writer.h"
#include "openapi/viewer.h"

namespace flora::api {
namespace {

constexpr std::string_view kRevalidate = "public, no-cache";
constexpr std::string_view kPagePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

std::string catalogue_json(const Catalogue& catalogue) {
  JsonWriter json;
  json.begin_object().member("version", catalogue.version()).name("statuses").begin_array();
  for (const Status& status : catalogue.statuses()) {
    json.begin_object().member("name", status.name).name("label").begin_object();
    json.member("de", status.label_de).member("en", status.label_en).end_object();
    json.member("subprocess", status.subprocess).name("reporters").begin_array();
    for (const Role role : status.reporters) json.text(to_string(role));
    json.end_array().member("details", status.details);
    json.name("handsOver").boolean(status.hands_over).name("xauslaender").begin_array();
    for (const std::string& message : status.messages) json.text(message);
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

// A 304 leaves the fields of the page as the browser has them.
void add_page_headers(http::Response& response, std::string_view policy) {
  if (response.status == 304) return;
  response.headers.push_back({"content-security-policy", std::string(policy)});
  response.headers.push_back({"x-content-type-options", "nosniff"});
  response.headers.push_back({"referrer-policy", "no-referrer"});
}

std::string page(std::string_view title, const std::string& content) {
  std::string out = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>";
  out += title;
  out +=
      "</title>\n<style>body{font:1rem/1.5 sans-serif;max-width:45rem;margin:2rem auto;"
      "padding:0 1rem}dt{font-weight:bold}</style>\n<h1>";
  out += title;
  return out + "</h1>\n" + content + "</html>\n";
}

http::Response html_page(const http::RequestHead& head, std::string body) {
  http::Response response =
      cacheable_response(head, "text/html; charset=utf-8", kRevalidate, std::move(body));
  add_page_headers(response, kPagePolicy);
  return response;
}

}  // namespace

void Api::list_statuses(Call call, Reply reply) {
  reply->send(cacheable_response(call.head, "application/json", "private, no-cache",
                                 catalogue_json(*parts_.catalogue)));
}

void Api::get_openapi_yaml(Call call, Reply reply) {
  reply->send(
      lasting_response(call.head, "application/yaml", kRevalidate, parts_.document->yaml(), tags_));
}

void Api::get_openapi_json(Call call, Reply reply) {
  reply->send(
      lasting_response(call.head, "application/json", kRevalidate, parts_.document->json(), tags_));
}

void Api::get_openapi_30(Call call, Reply reply) {
  reply->send(lasting_response(call.head, "application/json", kRevalidate,
                               parts_.document->json_30(), tags_));
}

void Api::get_docs(Call call, Reply reply) {
  const openapi::Asset asset = openapi::viewer_page();
  http::Response response =
      lasting_response(call.head, asset.media_type, kRevalidate, asset.bytes, tags_);
  add_page_headers(response, openapi::kViewerPolicy);
  reply->send(std::move(response));
}

void Api::get_docs_asset(Call call, Reply reply) {
  const openapi::Asset* asset = openapi::viewer_asset(call.match.value("asset"));
  if (asset == nullptr) return reply->send(problem_response({"not-found", {}, {}}));
  http::Response response =
      lasting_response(call.head, asset->media_type, kRevalidate, asset->bytes, tags_);
  response.headers.push_back({"x-content-type-options", "nosniff"});
  reply->send(std::move(response));
}

void Api::list_problems(Call call, Reply reply) {
  std::string list = "<dl>\n";
  for (const ProblemKind& kind : problem_kinds()) {
    list += "<dt>" + std::to_string(kind.status) + " <a href=\"/problems/" +
            std::string(kind.name) + "\">" + std::string(kind.name) + "</a></dt><dd>" +
            std::string(kind.title) + "</dd>\n";
  }
  reply->send(html_page(call.head, page("Problems", list + "</dl>\n")));
}

void Api::get_problem(Call call, Reply reply) {
  const ProblemKind* kind = find_problem_kind(call.match.value("name"));
  if (kind == nullptr) return reply->send(problem_response({"not-found", {}, {}}));
  const std::string content = "<p>" + std::string(kind->explanation) + "</p>\n<p>HTTP status " +
                              std::to_string(kind->status) + ", type <code>" + type_of(*kind) +
                              "</code></p>\n<p><a href=\"/problems\">All problems</a></p>\n";
  reply->send(html_page(call.head, page(kind->title, content)));
}

}  // namespace flora::api
