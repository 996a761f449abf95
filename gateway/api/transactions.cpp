// GET /v1/transactions/{id} and its receipt.
#include "gateway/api/answers.h"
#include "gateway/api/api.h"

namespace flora::api {
namespace {

// A transaction belongs to the authority that reported it; the BAMF sees all.
bool may_see(const policy::Caller& caller, const Transaction& transaction) {
  return caller.role == Role::bamf || caller.acts_for(transaction.authority);
}

// What the audit says of it. The caller may see it or not.
std::string record_of(const policy::Caller& caller, audit::Action action,
                      const Transaction& transaction) {
  AuditEffect effect;
  effect.outcome =
      may_see(caller, transaction) ? AuditEffect::Outcome::found : AuditEffect::Outcome::hidden;
  effect.procedures = {transaction.procedure};
  effect.transaction = transaction.id;
  return audit::body(audit::opening(intake::actor_of(caller), action), effect);
}

// Of one that does not exist: its id is the client's choice, and is not recorded.
std::string record_of(const policy::Caller& caller, audit::Action action) {
  AuditEffect effect;
  effect.outcome = AuditEffect::Outcome::not_found;
  return audit::body(audit::opening(intake::actor_of(caller), action), effect);
}

http::Response not_found() { return problem_response({"not-found", {}, {}}); }
http::Response unavailable() { return problem_response({"unavailable", {}, {}}); }

}  // namespace

void Api::get_transaction(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  run_blocking(reply, [this, id = *id, caller = *call.caller, reply] {
    std::optional<std::uint64_t> index;
    std::string body;
    const auto found = parts_.ledger->find(id);
    if (!found) return reply->send(unavailable());
    if (*found) {
      index = **found;
      const auto entries = parts_.ledger->read(*index, 1);
      if (!entries || entries->empty()) return reply->send(unavailable());
      body = entries->front().body;
    } else {
      const auto waiting = parts_.store->find_in_outbox(id);
      if (!waiting) return reply->send(unavailable());
      if (!*waiting) {
        return send_recorded(reply, record_of(caller, audit::Action::read_transaction),
                             not_found());
      }
      body = (**waiting).body;
    }
    const auto transaction = parse_transaction(body);
    if (!transaction) return reply->send(problem_response({"internal-error", {}, {}}));
    std::string record = record_of(caller, audit::Action::read_transaction, *transaction);
    if (!may_see(caller, *transaction)) {
      return send_recorded(reply, std::move(record), not_found());
    }
    JsonWriter json;
    json.begin_object().member("transactionId", to_string(id));
    json.member("procedureId", to_string(transaction->procedure));
    json.member("state", index ? "COMMITTED" : "ACCEPTED").member("status", transaction->status);
    json.member("submittedAt", to_string(transaction->recorded_at));
    if (index) json.name("logIndex").number(*index);
    send_recorded(reply, std::move(record), json_response(200, json.end_object().take()));
  });
}

void Api::get_receipt(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  run_blocking(reply, [this, id = *id, caller = *call.caller, reply] {
    const auto receipt = parts_.ledger->receipt(id);
    if (!receipt && receipt.error().code != Errc::not_found) return reply->send(unavailable());
    std::string body;
    if (receipt) {
      body = receipt->body;
    } else {
      const auto waiting = parts_.store->find_in_outbox(id);
      if (!waiting) return reply->send(unavailable());
      if (!*waiting) {
        return send_recorded(reply, record_of(caller, audit::Action::read_receipt), not_found());
      }
      body = (**waiting).body;
    }
    const auto transaction = parse_transaction(body);
    if (!transaction) return reply->send(problem_response({"internal-error", {}, {}}));
    std::string record = record_of(caller, audit::Action::read_receipt, *transaction);
    if (!may_see(caller, *transaction)) {
      return send_recorded(reply, std::move(record), not_found());
    }
    if (!receipt) {
      return send_recorded(reply, std::move(record),
                           problem_response({"not-committed-yet", {}, {}}));
    }
    JsonWriter json;
    write_receipt(json, id, *receipt, parts_.ledger->vkeys());
    send_recorded(reply, std::move(record), json_response(200, json.take()));
  });
}

}  // namespace flora::api
