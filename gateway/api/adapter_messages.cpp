// Native messages of the states' software, through their adapters.
#include <algorithm>

#include "gateway/api/answers.h"
#include "gateway/api/api.h"

namespace flora::api {
namespace {

constexpr std::size_t kMaxItems = 1000;

http::Response not_found() { return problem_response({"not-found", {}, {}}); }

// An adapter is for its own Land, and for the BAMF, which receives and sends its messages.
bool may_use(const policy::Caller& caller, const adapter::BundleInfo& info) {
  return caller.role == Role::bamf || caller.land == info.land;
}

void write_info(JsonWriter& json, const adapter::BundleInfo& info) {
  json.begin_object().member("id", info.id).member("version", info.version);
  json.member("hash", info.hash).member("land", info.land).member("title", info.title);
  json.member("format", info.format).member("mediaType", info.media_types.front());
  json.name("simulation").boolean(info.simulation).name("codeLists").begin_array();
  for (const std::string& list : info.code_lists) json.text(list);
  json.end_array().end_object();
}

Problem message_rejected(const std::vector<adapter::Issue>& issues) {
  Problem problem{"message-rejected", {}, {}};
  for (const adapter::Issue& issue : issues) problem.causes.push_back(cause_of(issue));
  return problem;
}

void write_issues(JsonWriter& json, const std::vector<adapter::Issue>& issues) {
  json.begin_array();
  for (const adapter::Issue& issue : issues) {
    std::string text;
    append_json(text, cause_of(issue));
    json.raw(text);
  }
  json.end_array();
}

void write_translated(JsonWriter& json, const adapter::Item& item) {
  constexpr std::string_view kOutcomes[] = {"EVENT", "REJECTED", "SKIPPED"};
  json.begin_object().name("item").number(item.number);
  json.member("outcome", kOutcomes[static_cast<std::size_t>(item.outcome)]);
  if (item.outcome == adapter::Item::Outcome::event) json.name("event").raw(item.event);
  if (!item.issues.empty()) {
    json.name("issues");
    write_issues(json, item.issues);
  }
  if (item.at.line > 0) json.name("line").number(item.at.line);
  if (item.at.column > 0) json.name("column").number(item.at.column);
  json.optional("path", item.at.path).end_object();
}

bool is_of(const Call& call, const adapter::BundleInfo& info) {
  return std::ranges::find(info.media_types, call.media_type) != info.media_types.end();
}

http::Response wrong_media_type(const adapter::BundleInfo& info) {
  http::Response response = problem_response({"unsupported-media-type", {}, {}});
  std::string accepted;
  for (const std::string& type : info.media_types) {
    accepted += (accepted.empty() ? "" : ", ") + type;
  }
  response.headers.push_back({"accept", std::move(accepted)});
  return response;
}

}  // namespace

void Api::list_adapters(Call, Reply reply) {
  JsonWriter json;
  json.begin_object().name("adapters").begin_array();
  for (const auto& [id, adapter] : *parts_.adapters) write_info(json, adapter->info());
  reply->send(json_response(200, json.end_array().end_object().take()));
}

void Api::get_adapter(Call call, Reply reply) {
  const auto at = parts_.adapters->find(call.match.value("adapter"));
  if (at == parts_.adapters->end()) return reply->send(not_found());
  JsonWriter json;
  write_info(json, at->second->info());
  reply->send(json_response(200, json.take()));
}

void Api::translate_message(Call call, Reply reply) {
  const auto at = parts_.adapters->find(call.match.value("adapter"));
  if (at == parts_.adapters->end()) return reply->send(not_found());
  const adapter::BundleInfo& info = at->second->info();
  if (!may_use(*call.caller, info)) return reply->send(problem_response({"not-permitted", {}, {}}));
  if (!is_of(call, info)) return reply->send(wrong_media_type(info));
  const adapter::Translation translation = at->second->translate(call.body);
  if (!translation.rejection.empty()) {
    return reply->send(problem_response(message_rejected(translation.rejection)));
  }
  if (translation.items.size() > kMaxItems) {
    return reply->send(
        problem_response({"content-too-large", "A message holds at most 1000 items.", {}}));
  }
  JsonWriter json;
  json.begin_object().name("adapter").begin_object().member("hash", info.hash);
  json.member("id", info.id).member("version", info.version).end_object();
  json.name("items").begin_array();
  for (const adapter::Item& item : translation.items) write_translated(json, item);
  reply->send(json_response(200, json.end_array().end_object().take()));
}

void Api::submit_message(Call call, Reply reply) {
  const auto at = parts_.adapters->find(call.match.value("adapter"));
  if (at == parts_.adapters->end()) return reply->send(not_found());
  const adapter::BundleInfo& info = at->second->info();
  if (!may_use(*call.caller, info)) return reply->send(problem_response({"not-permitted", {}, {}}));
  if (!is_of(call, info)) return reply->send(wrong_media_type(info));
  if (call.head.find("idempotency-key")) {
    return reply->send(problem_response({"idempotency-key-not-allowed", {}, {}}));
  }
  adapter::Translation translation = at->second->translate(call.body);
  if (!translation.rejection.empty()) {
    return reply->send(problem_response(message_rejected(translation.rejection)));
  }
  if (translation.items.size() > kMaxItems) {
    return reply->send(
        problem_response({"content-too-large", "A message holds at most 1000 items.", {}}));
  }
  const Preferences preferences = preferences_of(call.head);
  intake::Submission submission;
  submission.answer_early = preferences.answer_early();
  submission.with_receipts = !preferences.minimal;
  const AdapterMark mark{info.id, info.version, info.hash};
  // Items often share one record, the whole message: it is hashed once.
  std::string_view record;
  Digest record_hash{};
  for (const adapter::Item& item : translation.items) {
    if (item.outcome == adapter::Item::Outcome::skipped) continue;
    intake::Item one;
    if (item.outcome == adapter::Item::Outcome::event) {
      one.parsed = parts_.parser->parse(item.event);
      one.adapter = mark;
      const std::string_view own = item.native_record;
      if (own.data() != record.data() || own.size() != record.size()) {
        record = own;
        record_hash = parts_.keys->content_hash(own);
      }
      if (!own.empty()) one.native = record_hash;
    } else {
      one.parsed = message_rejected(item.issues);
    }
    submission.items.push_back(std::move(one));
  }
  auto items = std::make_shared<std::vector<adapter::Item>>(std::move(translation.items));
  parts_.intake->submit(
      *call.caller, std::move(submission), [this, preferences, items, reply](auto answers) {
        JsonWriter json;
        json.begin_object().name("items").begin_array();
        std::size_t next = 0;
        for (const adapter::Item& item : *items) {
          if (item.outcome == adapter::Item::Outcome::skipped) {
            json.begin_object().name("item").number(item.number).name("status").number(200);
            json.name("skipped");
            write_issues(json, item.issues);
            json.end_object();
            continue;
          }
          metrics_.count_item(answers[next].status());
          write_item(json, item.number, answers[next++], parts_.ledger->vkeys());
        }
        http::Response response = json_response(200, json.end_array().end_object().take());
        const std::string applied = preferences.applied();
        if (!applied.empty()) response.headers.push_back({"preference-applied", applied});
        reply->send(std::move(response));
      });
}

}  // namespace flora::api
