// Procedures: search by identifier, current state, history.
#include <algorithm>
#include <charconv>

#include "gateway/api/access.h"
#include "gateway/api/answers.h"
#include "gateway/api/json_writer.h"
#include "gateway/base/bytes.h"
#include "gateway/intake/event_parser.h"
#include "gateway/model/receiver.h"

namespace flora::api {
namespace {

constexpr std::size_t kDefaultEntries = 100;

Question question_of(const Parts& parts, const Uuid& procedure) {
  return {procedure, parts.questions->hash(procedure)};
}

void write_time(JsonWriter& json, const Transaction& t) {
  const bool is_day = std::holds_alternative<Day>(t.occurred);
  json.member(is_day ? "occurredOn" : "occurredAt",
              std::visit([](const auto& time) { return to_string(time); }, t.occurred));
}

void write_details(JsonWriter& json, const view::HistoryEntry& entry) {
  if (!entry.transaction.details.empty()) json.name("details").raw(entry.transaction.details);
  if (entry.details_withheld) json.name("detailsWithheld").boolean(true);
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
  write_details(json, entry);
  reference("corrects", t.corrects);
  reference("revokes", t.revokes);
  reference("mergedInto", t.merged_into);
  json.name("effective").boolean(entry.effective);
  reference("replacedBy", entry.replaced_by);
  reference("revokedBy", entry.revoked_by);
  json.end_object();
}

namespace {

void write_current(JsonWriter& json, const view::HistoryEntry* current) {
  if (current == nullptr) {
    json.raw("null");
    return;
  }
  const Transaction& t = current->transaction;
  json.begin_object().member("transactionId", to_string(t.id)).member("status", t.status);
  json.optional("regime", t.regime);
  write_time(json, t);
  json.member("authority", t.authority).member("land", t.land);
  write_details(json, *current);
  json.end_object();
}

// The last handing-over in effect.
void write_handover(JsonWriter& json, const std::vector<view::HistoryEntry>& entries,
                    const Catalogue& catalogue) {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const Status* status = catalogue.find(entry->transaction.status);
    if (!entry->effective || status == nullptr || !status->hands_over) continue;
    const Receiver receiver = receiver_of(entry->transaction);
    json.name("handedOverTo").begin_object();
    json.member("land", receiver.land).member("authority", receiver.authority).end_object();
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
  write_details(json.member("authority", t.authority), *entry);
  json.end_object();
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
  if (refuse(call, audit::Action::search, reply)) return;
  auto wanted = std::move(std::get<std::vector<Identifier>>(identifiers));
  const std::vector<Digest> hashes = parts_.questions->hashes(wanted);
  AuditEffect asked;
  for (const Identifier& identifier : wanted) asked.types.push_back(identifier.type);
  if (auto exceeded = throttle_.take_identifiers(*call.caller, hashes)) {
    asked.problem = "quota-exceeded";
    return send_recorded(reply, record_of(*call.caller, audit::Action::search, asked),
                         std::move(*exceeded));
  }
  run_blocking(
      reply, [this, wanted = std::move(wanted), place = hashes.front(), asked = std::move(asked),
              caller = *call.caller, operation = &call.operation(), reply] {
        const auto found = parts_.store->find_procedure(wanted);
        if (!found) return reply->send(unavailable());
        const auto read =
            read_procedure(parts_, caller, operation->id, {found->value_or(Uuid{}), place});
        if (!read) return reply->send(unavailable());
        AuditEffect effect = read->effect();
        effect.types = asked.types;
        std::string record = record_of(caller, audit::Action::search, effect);
        if (read->entries.empty()) return send_recorded(reply, std::move(record), not_found());
        JsonWriter json;
        json.begin_object().member("procedureId", to_string(**found)).end_object();
        send_recorded(reply, std::move(record), json_response(200, json.take()));
      });
}

void Api::get_procedure(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  if (refuse(call, audit::Action::read_procedure, reply)) return;
  run_blocking(
      reply, [this, id = *id, caller = *call.caller, operation = &call.operation(), reply] {
        const auto read = read_procedure(parts_, caller, operation->id, question_of(parts_, id));
        if (!read) return reply->send(unavailable());
        std::string record = record_of(caller, audit::Action::read_procedure, read->effect());
        if (read->entries.empty()) return send_recorded(reply, std::move(record), not_found());
        JsonWriter json;
        json.begin_object().member("procedureId", to_string(id));
        if (read->merged_into) json.member("mergedInto", to_string(*read->merged_into));
        write_current(json.name("current"), view::current(read->entries, *parts_.catalogue));
        write_handover(json, read->entries, *parts_.catalogue);
        write_rectification(json, read->entries);
        json.name("events").number(read->entries.size()).end_object();
        send_recorded(reply, std::move(record), json_response(200, json.take()));
      });
}

void Api::get_history(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  std::size_t first = 0;
  std::size_t limit = kDefaultEntries;
  if (const auto cursor = call.query("cursor")) {
    const auto position = decode_cursor(*cursor);
    if (!position) return reply->send(malformed_cursor());
    first = *position;
  }
  if (const auto text = call.query("limit")) {
    std::from_chars(text->data(), text->data() + text->size(), limit);
  }
  if (refuse(call, audit::Action::read_history, reply)) return;
  run_blocking(reply, [this, id = *id, first, limit, caller = *call.caller,
                       operation = &call.operation(), reply] {
    const auto read = read_procedure(parts_, caller, operation->id, question_of(parts_, id));
    if (!read) return reply->send(unavailable());
    const std::vector<view::HistoryEntry>& entries = read->entries;
    const std::size_t begin = std::min(first, entries.size());
    const std::size_t end = begin + std::min(limit, entries.size() - begin);
    AuditEffect effect = read->effect();
    if (!entries.empty()) effect.entries = {begin, end - begin};
    std::string record = record_of(caller, audit::Action::read_history, effect);
    if (entries.empty()) return send_recorded(reply, std::move(record), not_found());
    JsonWriter json;
    json.begin_object().member("procedureId", to_string(id)).name("entries").begin_array();
    for (std::size_t i = begin; i < end; ++i) write_entry(json, entries[i], id);
    json.end_array();
    if (end < entries.size()) json.member("next", encode_cursor(end));
    send_recorded(reply, std::move(record), json_response(200, json.end_object().take()));
  });
}

}  // namespace flora::api
