#include "gateway/api/subject_report.h"

#include <algorithm>
#include <map>

#include "gateway/api/access.h"
#include "gateway/api/answers.h"
#include "gateway/api/api.h"
#include "gateway/api/json_writer.h"
#include "gateway/api/report_texts.h"
#include "gateway/intake/event_parser.h"

namespace flora::api {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kAuditRecords = 1000;
constexpr int kAuditPages = 10;

void write_text(JsonWriter& json, const ReportText& text) {
  json.begin_object().member("section", text.section);
  json.member("de", text.de).member("en", text.en).end_object();
}

void write_types(JsonWriter& json, const std::vector<IdentifierType>& types) {
  json.begin_array();
  for (const IdentifierType type : types) json.text(to_string(type));
  json.end_array();
}

void write_submissions(JsonWriter& json, const ReportedProcedure& procedure) {
  std::map<Uuid, std::uint64_t> places;
  for (const view::HistoryEntry& entry : procedure.entries) {
    places.emplace(entry.transaction.id, entry.index);
  }
  json.name("submissions").begin_array();
  for (const store::HeldSubmission& one : procedure.held.submissions) {
    json.begin_object().member("transactionId", to_string(one.transaction_id));
    json.member("authority", one.authority);
    json.member("state", one.in_outbox ? "ACCEPTED" : "COMMITTED");
    const auto place = places.find(one.transaction_id);
    if (place != places.end()) json.name("logIndex").number(place->second);
    json.end_object();
  }
  json.end_array();
}

void write_adapters(JsonWriter& json, const std::vector<view::HistoryEntry>& entries) {
  std::map<std::string, const AdapterMark*> marks;  // By hash.
  for (const view::HistoryEntry& entry : entries) {
    const auto& mark = entry.transaction.adapter;
    if (mark) marks.emplace(mark->hash, &*mark);
  }
  json.name("adapters").begin_array();
  for (const auto& [hash, mark] : marks) {
    json.begin_object().member("id", mark->id).member("version", mark->version);
    json.member("hash", hash).end_object();
  }
  json.end_array();
}

void write_procedure(JsonWriter& json, const ReportedProcedure& procedure) {
  const store::Holding& held = procedure.held;
  json.begin_object().member("procedureId", to_string(held.procedure));
  if (held.merged_into) json.member("mergedInto", to_string(*held.merged_into));
  json.name("mapping").begin_object().name("identifierTypes");
  write_types(json, held.types);
  if (!held.channels.empty()) {
    json.name("channels").begin_array();
    for (const std::string& channel : held.channels) json.text(channel);
    json.end_array();
  }
  json.end_object();
  write_submissions(json, procedure);
  json.name("outbox").number(
      std::ranges::count_if(held.submissions, &store::HeldSubmission::in_outbox));
  json.name("keptAnswers").begin_object().name("count").number(held.kept_answers);
  if (held.kept_answers > 0) json.member("until", to_string(held.answers_until));
  json.end_object();
  json.name("readModel").number(procedure.entries.size());
  json.name("ledger").begin_array();
  for (const view::HistoryEntry& entry : procedure.entries) {
    write_entry(json, entry, held.procedure);
  }
  json.end_array();
  write_adapters(json, procedure.entries);
  json.name("audit").begin_object();
  write_page(json, procedure.audit);
  json.end_object().end_object();
}

// Who has accessed the procedure, in bounded work; the page's rest says what was not looked at.
Result<AuditPage> accesses_to(store::Store& store, const policy::Caller& caller,
                              const store::Holding& held) {
  audit::Query query;
  query.procedure = held.procedure;
  query.from = begin_of(held).value_or(Instant{});
  const audit::Filter filter(query, scope_of(caller, true));
  FLORA_ASSIGN(AuditPage page, audit_page(store, filter, std::nullopt, kAuditRecords));
  for (int i = 1; i < kAuditPages && !page.rest.is_empty(); ++i) {
    if (page.records.size() >= kAuditRecords) break;
    FLORA_ASSIGN(AuditPage more,
                 audit_page(store, filter, page.rest, kAuditRecords - page.records.size()));
    std::ranges::move(more.records, std::back_inserter(page.records));
    page.rest = more.rest;
  }
  return page;
}

// What the caller may be told; nothing: the procedure is as unknown. The BAMF answers for all, an
// authority for what it has reported on or is competent for.
Result<std::optional<ReportedProcedure>> reported(const Parts& parts, const policy::Caller& caller,
                                                  const store::Holding& held) {
  FLORA_ASSIGN(KnownProcedure known, known_procedure(parts, caller, held.procedure));
  ReportedProcedure procedure{held, std::move(known.shown), {}};
  if (caller.role != Role::bamf) {
    // They would say which other Länder had to do with it.
    procedure.held.channels.clear();
    std::erase_if(procedure.held.submissions, [&](const store::HeldSubmission& one) {
      const auto is_it = [&one](const view::HistoryEntry& entry) {
        return entry.transaction.id == one.transaction_id;
      };
      return !caller.acts_for(one.authority) && std::ranges::none_of(procedure.entries, is_it);
    });
    if (procedure.held.submissions.empty() && procedure.entries.empty()) {
      return std::optional<ReportedProcedure>();
    }
  }
  FLORA_ASSIGN(procedure.audit, accesses_to(*parts.store, caller, held));
  return std::optional(std::move(procedure));
}

// Of all identifiers, each procedure once.
Result<std::vector<store::Holding>> holdings_of(store::Store& store,
                                                const std::vector<Identifier>& identifiers) {
  std::vector<store::Holding> all;
  for (const Identifier& identifier : identifiers) {
    FLORA_ASSIGN(auto some, store.holdings(identifier));
    for (store::Holding& one : some) {
      const auto known = std::ranges::find(all, one.procedure, &store::Holding::procedure);
      if (known == all.end()) all.push_back(std::move(one));
    }
  }
  return all;
}

}  // namespace

std::optional<Instant> begin_of(const store::Holding& held) {
  std::optional<Instant> begin;
  for (const store::HeldSubmission& one : held.submissions) {
    std::int64_t ms = 0;  // RFC 9562 §5.7: the first 48 bits of a version 7.
    for (std::size_t i = 0; i < 6; ++i) {
      ms = ms << 8 | static_cast<std::int64_t>(one.transaction_id.bytes[i]);
    }
    // A day before, because the id's clock may have run ahead of the trail's.
    if (!begin || ms - kDayMs < begin->ms) begin = Instant{std::max<std::int64_t>(ms - kDayMs, 0)};
  }
  return begin;
}

std::string to_json(const SubjectReport& report) {
  JsonWriter json;
  json.begin_object().member("generatedAt", to_string(report.at)).name("identifierTypes");
  write_types(json, report.types);
  json.name("explanations").begin_array();
  write_text(json, report_result(!report.procedures.empty()));
  for (const ReportText& text : report_texts()) write_text(json, text);
  const RetentionText kept = retention_text(report.periods);
  write_text(json, {"RETENTION", kept.de, kept.en});
  json.end_array().name("procedures").begin_array();
  for (const ReportedProcedure& procedure : report.procedures) write_procedure(json, procedure);
  return json.end_array().end_object().take();
}

void Api::create_subject_report(Call call, Reply reply) {
  auto parsed = parts_.parser->parse_search(call.body);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    return reply->send(problem_response(*problem));
  }
  if (refuse(call, audit::Action::subject_report, reply)) return;
  auto identifiers = std::move(std::get<std::vector<Identifier>>(parsed));
  SubjectReport report;
  report.periods = parts_.periods;
  for (const Identifier& identifier : identifiers) report.types.push_back(identifier.type);
  if (auto exceeded =
          throttle_.take_identifiers(*call.caller, parts_.questions->hashes(identifiers))) {
    AuditEffect asked;
    asked.types = report.types;
    asked.problem = "quota-exceeded";
    return send_recorded(reply, record_of(*call.caller, audit::Action::subject_report, asked),
                         std::move(*exceeded));
  }
  run_blocking(reply, [this, identifiers = std::move(identifiers), report = std::move(report),
                       caller = *call.caller, reply]() mutable {
    const auto holdings = holdings_of(*parts_.store, identifiers);
    if (!holdings) return reply->send(unavailable());
    AuditEffect effect;
    effect.outcome =
        holdings->empty() ? AuditEffect::Outcome::not_found : AuditEffect::Outcome::hidden;
    effect.types = report.types;
    for (const store::Holding& held : *holdings) {
      effect.procedures.push_back(held.procedure);
      auto procedure = reported(parts_, caller, held);
      if (!procedure) return reply->send(unavailable());
      if (*procedure) report.procedures.push_back(std::move(**procedure));
    }
    if (!report.procedures.empty()) effect.outcome = AuditEffect::Outcome::found;
    report.at = {parts_.env->now_ms()};
    send_recorded(reply, record_of(caller, audit::Action::subject_report, effect),
                  json_response(200, to_json(report)));
  });
}

}  // namespace flora::api
