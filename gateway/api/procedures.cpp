// Procedures: search by identifier, current state, history.
#include <algorithm>
#include <charconv>

#include "gateway/api/answers.h"
#include "gateway/api/api.h"
#include "gateway/api/json_writer.h"
#include "gateway/api/procedure_entries.h"
#include "gateway/base/bytes.h"
#include "gateway/intake/event_parser.h"
#include "gateway/view/history.h"

namespace flora::api {
namespace {

constexpr std::size_t kDefaultPage = 100;

std::string record_of(const policy::Caller& caller, audit::Action action,
                      const AuditEffect& effect) {
  return audit::body(audit::opening(intake::actor_of(caller), action), effect);
}

http::Response not_found() { return problem_response({"not-found", {}, {}}); }
http::Response unavailable() { return problem_response({"unavailable", {}, {}}); }

view::Reader reader_of(const policy::Caller& caller) {
  return {caller.authorities, caller.land, std::string(to_string(caller.role))};
}

struct Loaded {
  std::vector<view::HistoryEntry> entries;
  std::optional<Uuid> merged_into;
  std::vector<Uuid> procedures;  // Those that entries were read of, whether or not any may be seen.
};

// What the caller may see of a procedure, all that is joined to it included; no entries: nothing.
Result<Loaded> load(const Parts& parts, const Uuid& procedure, const policy::Caller& caller) {
  Loaded loaded;
  FLORA_ASSIGN(Joined joined, joined_with(parts, procedure));
  const Uuid remains = shown_in(procedure, joined);
  if (remains != procedure) loaded.merged_into = remains;
  for (auto& [id, entries] : joined) {
    if (entries.empty() || (loaded.merged_into && id != procedure)) continue;
    std::ranges::move(entries, std::back_inserter(loaded.entries));
    loaded.procedures.push_back(id);
  }
  view::settle(loaded.entries);
  const view::Reader reader = reader_of(caller);
  switch (view::competence(loaded.entries, reader)) {
    case view::Competence::full:
      break;
    case view::Competence::own_reports:
      std::erase_if(loaded.entries, [&caller](const view::HistoryEntry& entry) {
        return !caller.acts_for(entry.transaction.authority);
      });
      break;
    case view::Competence::none:
      loaded.entries.clear();
      break;
  }
  return loaded;
}

// What the audit says of it.
AuditEffect effect_of(const Loaded& loaded) {
  using Outcome = AuditEffect::Outcome;
  AuditEffect effect;
  effect.procedures = loaded.procedures;
  effect.outcome = loaded.procedures.empty() ? Outcome::not_found
                   : loaded.entries.empty()  ? Outcome::hidden
                                             : Outcome::found;
  return effect;
}

void write_time(JsonWriter& json, const Transaction& t) {
  const bool is_day = std::holds_alternative<Day>(t.occurred);
  json.member(is_day ? "occurredOn" : "occurredAt",
              std::visit([](const auto& time) { return to_string(time); }, t.occurred));
}

}  // namespace

void write_entry(JsonWriter& json, const view::HistoryEntry& entry, const Uuid& procedure) {
  const Transaction& t = entry.transaction;
  const auto reference = [&json](std::string_view name, const std::optional<Uuid>& id) {
    if (id) json.member(name, to_string(*id));
  };
  json.begin_object().member("transactionId", to_string(t.id));
  json.name("logIndex").number(entry.index).member("status", t.status);
  if (t.procedure != procedure) json.member("procedureId", to_string(t.procedure));
  json.optional("regime", t.regime);
  write_time(json, t);
  if (t.source_sequence) json.name("sourceSequence").number(*t.source_sequence);
  json.member("recordedAt", to_string(t.recorded_at)).member("authority", t.authority);
  json.member("land", t.land).member("role", t.role).optional("site", t.site);
  if (!t.details.empty()) json.name("details").raw(t.details);
  reference("corrects", t.corrects);
  reference("revokes", t.revokes);
  reference("mergedInto", t.merged_into);
  json.name("effective").boolean(entry.effective);
  reference("replacedBy", entry.replaced_by);
  reference("revokedBy", entry.revoked_by);
  json.end_object();
}

namespace {

std::string text_member(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(json::Kind::string) ? std::string(value->string()) : std::string();
}

// The last handing-over in effect.
void write_handover(JsonWriter& json, const std::vector<view::HistoryEntry>& entries,
                    const Catalogue& catalogue) {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const Status* status = catalogue.find(entry->transaction.status);
    if (!entry->effective || status == nullptr || !status->hands_over) continue;
    json::Document document;
    if (!document.parse(entry->transaction.details)) return;
    json.name("handedOverTo").begin_object();
    json.member("land", text_member(document.root(), "empfaengerLand"));
    json.member("authority", text_member(document.root(), "empfaengerBehoerde")).end_object();
    return;
  }
}

// The newest rectification of data that stands.
void write_rectification(JsonWriter& json, const std::vector<view::HistoryEntry>& entries) {
  const view::HistoryEntry* entry = view::newest(entries, "DATEN_BERICHTIGT");
  if (entry == nullptr) return;
  const Transaction& t = entry->transaction;
  json.name("rectified").begin_object().member("transactionId", to_string(t.id));
  write_time(json, t);
  json.member("authority", t.authority).name("details").raw(t.details).end_object();
}

// A page begins behind this many entries. Opaque to clients; nothing if it is none of ours.
std::optional<std::size_t> decode_cursor(std::string_view cursor) {
  std::string text(cursor);
  while (text.size() % 4 != 0) text += '=';
  const auto decoded = from_base64(text);
  std::size_t value = 0;
  if (!decoded) return std::nullopt;
  const char* const end = decoded->data() + decoded->size();
  const auto parsed = std::from_chars(decoded->data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::string encode_cursor(std::size_t position) {
  std::string text = to_base64(as_bytes(std::to_string(position)));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

http::Response malformed_cursor() {
  ProblemCause cause;
  cause.code = "cursor";
  cause.detail = "It is not a cursor that an answer has given.";
  cause.pointer = "query cursor";
  cause.has_pointer = true;
  return problem_response({"malformed-request", {}, {std::move(cause)}});
}

}  // namespace

void Api::search_procedures(Call call, Reply reply) {
  auto identifiers = parts_.parser->parse_search(call.body);
  if (auto* problem = std::get_if<Problem>(&identifiers)) {
    return reply->send(problem_response(*problem));
  }
  std::vector<store::KeyedIdentifier> keyed;
  std::vector<IdentifierType> types;
  for (Identifier& identifier : std::get<std::vector<Identifier>>(identifiers)) {
    const Digest hash = parts_.keys->identifier_hash(identifier);
    types.push_back(identifier.type);
    keyed.push_back({hash, std::move(identifier)});
  }
  run_blocking(reply, [this, keyed = std::move(keyed), types = std::move(types),
                       caller = *call.caller, reply] {
    const auto found = parts_.store->find_procedure(keyed);
    if (!found) return reply->send(unavailable());
    // The same work and the same answer, whether it is unknown or not in the caller's competence.
    const auto loaded = load(parts_, found->value_or(Uuid{}), caller);
    if (!loaded) return reply->send(unavailable());
    AuditEffect effect = effect_of(*loaded);
    effect.types = types;
    std::string record = record_of(caller, audit::Action::search, effect);
    if (effect.outcome != AuditEffect::Outcome::found) {
      return send_recorded(reply, std::move(record), not_found());
    }
    JsonWriter json;
    json.begin_object().member("procedureId", to_string(**found)).end_object();
    send_recorded(reply, std::move(record), json_response(200, json.take()));
  });
}

void Api::get_procedure(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  run_blocking(reply, [this, id = *id, caller = *call.caller, reply] {
    const auto loaded = load(parts_, id, caller);
    if (!loaded) return reply->send(unavailable());
    std::string record = record_of(caller, audit::Action::read_procedure, effect_of(*loaded));
    if (loaded->entries.empty()) return send_recorded(reply, std::move(record), not_found());
    JsonWriter json;
    json.begin_object().member("procedureId", to_string(id));
    if (loaded->merged_into) json.member("mergedInto", to_string(*loaded->merged_into));
    json.name("current");
    if (const view::HistoryEntry* current = view::current(loaded->entries, *parts_.catalogue)) {
      const Transaction& t = current->transaction;
      json.begin_object().member("transactionId", to_string(t.id)).member("status", t.status);
      json.optional("regime", t.regime);
      write_time(json, t);
      json.member("authority", t.authority).member("land", t.land);
      if (!t.details.empty()) json.name("details").raw(t.details);
      json.end_object();
    } else {
      json.raw("null");
    }
    write_handover(json, loaded->entries, *parts_.catalogue);
    write_rectification(json, loaded->entries);
    json.name("events").number(loaded->entries.size()).end_object();
    send_recorded(reply, std::move(record), json_response(200, json.take()));
  });
}

void Api::get_history(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  std::size_t first = 0;
  std::size_t limit = kDefaultPage;
  if (const auto cursor = call.query("cursor")) {
    const auto position = decode_cursor(*cursor);
    if (!position) return reply->send(malformed_cursor());
    first = *position;
  }
  if (const auto text = call.query("limit")) {
    std::from_chars(text->data(), text->data() + text->size(), limit);
  }
  run_blocking(reply, [this, id = *id, first, limit, caller = *call.caller, reply] {
    const auto loaded = load(parts_, id, caller);
    if (!loaded) return reply->send(unavailable());
    const std::size_t begin = std::min(first, loaded->entries.size());
    const std::size_t end = begin + std::min(limit, loaded->entries.size() - begin);
    AuditEffect effect = effect_of(*loaded);
    if (!loaded->entries.empty()) effect.entries = {begin, end - begin};
    std::string record = record_of(caller, audit::Action::read_history, effect);
    if (loaded->entries.empty()) return send_recorded(reply, std::move(record), not_found());
    JsonWriter json;
    json.begin_object().member("procedureId", to_string(id)).name("entries").begin_array();
    for (std::size_t i = begin; i < end; ++i) write_entry(json, loaded->entries[i], id);
    json.end_array();
    if (end < loaded->entries.size()) json.member("next", encode_cursor(end));
    send_recorded(reply, std::move(record), json_response(200, json.end_object().take()));
  });
}

}  // namespace flora::api
