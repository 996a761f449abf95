// What is installed to read native messages, and what was in use before.
#include "gateway/api/api.h"
#include "gateway/api/json_writer.h"

namespace flora::api {
namespace {

void write_bundle(JsonWriter& json, const adapter::InstalledBundle& bundle) {
  const adapter::BundleInfo& info = bundle.adapter->info();
  json.begin_object().member("id", info.id).member("version", info.version);
  json.member("hash", info.hash).member("land", info.land).member("title", info.title);
  json.member("format", info.format).member("mediaType", info.media_types.front());
  json.member("charset", info.charset).name("maxBytes").number(info.most_bytes);
  json.name("simulation").boolean(info.simulation).name("codeLists").begin_array();
  for (const std::string& list : info.code_lists) json.text(list);
  // What does not pass all of its fixtures does not come into use.
  json.end_array().name("conformance").begin_object();
  json.name("fixtures").number(bundle.fixtures).name("passed").number(bundle.fixtures);
  json.end_object().end_object();
}

std::string texts_json(const store::ArchivedAdapter& adapter) {
  const AdapterMark& mark = adapter.version.mark;
  JsonWriter json;
  json.begin_object().member("id", mark.id).member("version", mark.version);
  json.member("hash", mark.hash).member("firstUsed", to_string(adapter.version.first_used));
  json.name("files").begin_array();
  for (const auto& [name, text] : adapter.texts) {
    json.begin_object().member("name", name).member("text", text).end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace

void Api::list_adapters(Call, Reply reply) {
  JsonWriter json;
  json.begin_object().name("adapters").begin_array();
  for (const adapter::InstalledBundle& bundle : parts_.adapters->list()) {
    write_bundle(json, bundle);
  }
  reply->send(json_response(200, json.end_array().end_object().take()));
}

void Api::get_adapter(Call call, Reply reply) {
  for (const adapter::InstalledBundle& bundle : parts_.adapters->list()) {
    if (bundle.adapter->info().id != call.match.value("adapter")) continue;
    JsonWriter json;
    write_bundle(json, bundle);
    return reply->send(json_response(200, json.take()));
  }
  reply->send(not_found());
}

void Api::list_adapter_versions(Call call, Reply reply) {
  run_blocking(reply, [this, id = std::string(call.match.value("adapter")), reply] {
    const auto versions = parts_.store->adapter_versions(id);
    if (!versions) return reply->send(problem_response({"unavailable", {}, {}}));
    if (versions->empty()) return reply->send(not_found());
    JsonWriter json;
    json.begin_object().name("versions").begin_array();
    for (const store::AdapterVersion& version : *versions) {
      json.begin_object().member("version", version.mark.version);
      json.member("hash", version.mark.hash).member("firstUsed", to_string(version.first_used));
      json.end_object();
    }
    reply->send(json_response(200, json.end_array().end_object().take()));
  });
}

void Api::get_adapter_version(Call call, Reply reply) {
  const auto shared = std::make_shared<const Call>(std::move(call));
  run_blocking(reply, [this, shared, reply] {
    const auto found = parts_.store->find_adapter(shared->match.value("hash"));
    if (!found) return reply->send(problem_response({"unavailable", {}, {}}));
    if (!*found || (*found)->version.mark.id != shared->match.value("adapter")) {
      return reply->send(not_found());
    }
    reply->send(
        cacheable_response(shared->head, "application/json", kImmutable, texts_json(**found)));
  });
}

}  // namespace flora::api
