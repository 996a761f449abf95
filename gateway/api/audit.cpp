// The audit trail for data protection officers: pages of records, and exports. Reading it is
// recorded in it.
#include <charconv>
#include <memory>
#include <variant>

#include "gateway/api/access.h"
#include "gateway/api/api.h"
#include "gateway/api/audit_pages.h"
#include "gateway/api/json_writer.h"
#include "gateway/base/bytes.h"

namespace flora::api {
namespace {

constexpr std::size_t kDefaultPage = 100;

http::Response malformed(std::string_view parameter, std::string detail) {
  ProblemCause cause;
  cause.code = parameter;
  cause.detail = std::move(detail);
  cause.pointer = "query " + std::string(parameter);
  cause.has_pointer = true;
  return problem_response({"malformed-request", {}, {std::move(cause)}});
}

// What a request asks for, or the answer that it is not understood.
using Asked = std::variant<audit::Query, http::Response>;

Asked query_of(const Call& call) {
  audit::Query query;
  if (const auto text = call.query("from")) {
    const auto from = parse_instant(*text);
    if (!from) return malformed("from", "There is no such instant.");
    query.from = *from;
  }
  if (const auto text = call.query("to")) {
    query.before = parse_instant(*text);
    if (!query.before) return malformed("to", "There is no such instant.");
  }
  if (const auto text = call.query("procedure")) {
    query.procedure = parse_uuid(*text);
    if (!query.procedure) return malformed("procedure", "It is no UUID.");
  }
  query.action = call.query("action");
  query.client = call.query("client");
  query.authority = call.query("authority");
  return query;
}

// The effect of having read these records. A pseudonym is named if it is one of ours: another one
// is the client's own text. Of a procedure that is another's nobody was told.
AuditEffect effect_of(const audit::Query& query, const audit::Scope& scope,
                      const KnownProcedure& procedure, const AuditRange& looked) {
  using Outcome = AuditEffect::Outcome;
  const bool is_foreign = procedure.exists && scope.authorities && !scope.with_recipients;
  AuditEffect effect;
  effect.outcome = is_foreign ? Outcome::hidden : Outcome::found;
  if (procedure.exists) effect.procedures = {*query.procedure};
  if (!looked.is_empty()) {
    effect.entries = {static_cast<std::uint64_t>(looked.next),
                      static_cast<std::uint64_t>(looked.last - looked.next + 1)};
  }
  return effect;
}

}  // namespace

void Api::list_audit_records(Call call, Reply reply) {
  Asked asked = query_of(call);
  if (auto* refusal = std::get_if<http::Response>(&asked)) return reply->send(std::move(*refusal));
  std::optional<AuditRange> rest;
  if (const auto cursor = call.query("cursor")) {
    rest = decode_audit_cursor(*cursor);
    if (!rest)
      return reply->send(malformed("cursor", "It is not a cursor that an answer has given."));
  }
  std::size_t limit = kDefaultPage;
  if (const auto text = call.query("limit")) {
    std::from_chars(text->data(), text->data() + text->size(), limit);
  }
  run_blocking(reply, [this, query = std::get<audit::Query>(std::move(asked)), rest, limit,
                       caller = *call.caller, reply] {
    const auto procedure = known_procedure(parts_, caller, query.procedure);
    if (!procedure) return reply->send(unavailable());
    const audit::Filter filter(query, scope_of(caller, procedure->is_own()));
    const auto page = audit_page(*parts_.store, filter, rest, limit);
    if (!page) return reply->send(unavailable());
    JsonWriter json;
    json.begin_object();
    write_page(json, *page);
    json.end_object();
    send_recorded(reply,
                  record_of(caller, audit::Action::read_audit,
                            effect_of(query, filter.scope(), *procedure, page->looked)),
                  json_response(200, json.take()));
  });
}

// An export on its way to its client: each piece is made on the pool when the one before has gone
// out. Whatever fails breaks it off, so that nobody takes it for complete.
class Api::AuditStream final : public std::enable_shared_from_this<AuditStream> {
 public:
  AuditStream(Api& api, Reply reply, AuditExport lines, std::shared_ptr<void> turn)
      : api_(api), reply_(std::move(reply)), lines_(std::move(lines)), turn_(std::move(turn)) {}

  void begin() {
    writer_.emplace(reply_->stream(
        200, {{"content-type", std::string(kLines)}, {"cache-control", "no-store"}}));
    go_on();
  }

 private:
  void go_on() {
    const bool queued = api_.parts_.blocking->post(
        reply_->sender(), [self = shared_from_this()] { self->send_some(); });
    if (!queued) api_.metrics_.count_refusal(Limit::blocking);
  }

  void send_some() {
    if (api_.leaving_) return;
    Result<std::string> text = lines_.some();
    if (!text) return;
    if (lines_.is_done()) {
      writer_->write(std::move(*text));
      reply_->observation().end_stream();
      return writer_->finish();
    }
    if (text->empty()) return go_on();
    writer_->write(std::move(*text), [self = shared_from_this()](bool still_open) {
      if (still_open) self->go_on();
    });
  }

  Api& api_;
  Reply reply_;
  AuditExport lines_;
  std::shared_ptr<void> turn_;
  std::optional<http::ResponseWriter> writer_;
};

void Api::export_audit_records(Call call, Reply reply) {
  Asked asked = query_of(call);
  if (auto* refusal = std::get_if<http::Response>(&asked)) return reply->send(std::move(*refusal));
  auto turn = throttle_.open_stream(*call.caller);
  if (turn == nullptr) return reply->send(throttle_.too_many_streams());
  run_blocking(reply, [this, query = std::get<audit::Query>(std::move(asked)), turn,
                       caller = *call.caller, reply] {
    const auto procedure = known_procedure(parts_, caller, query.procedure);
    auto reader = parts_.store->audit_reader();
    if (!procedure || !reader) return reply->send(unavailable());
    const audit::Filter filter(query, scope_of(caller, procedure->is_own()));
    auto lines =
        AuditExport::begin(std::move(*reader), filter, *parts_.trail, {parts_.env->now_ms()});
    if (!lines) return reply->send(unavailable());
    std::string record = record_of(caller, audit::Action::export_audit,
                                   effect_of(query, filter.scope(), *procedure, lines->range()));
    const auto stream = std::make_shared<AuditStream>(*this, reply, std::move(*lines), turn);
    parts_.store->record({std::move(record)}, [reply, stream](const Result<void>& recorded) {
      return recorded ? stream->begin() : reply->send(unavailable());
    });
  });
}

}  // namespace flora::api
