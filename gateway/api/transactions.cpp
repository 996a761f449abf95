// GET /v1/transactions/{id} and its receipt.
#include "gateway/api/access.h"
#include "gateway/api/answers.h"

namespace flora::api {
namespace {

http::Response not_found() { return problem_response({"not-found", {}, {}}); }
http::Response unavailable() { return problem_response({"unavailable", {}, {}}); }

}  // namespace

void Api::get_transaction(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  if (refuse(call, audit::Action::read_transaction, reply)) return;
  run_blocking(
      reply, [this, id = *id, caller = *call.caller, operation = &call.operation(), reply] {
        const auto read = read_transaction(parts_, caller, operation->id, id);
        if (!read) return reply->send(unavailable());
        std::string record = record_of(caller, audit::Action::read_transaction, read->effect);
        if (!read->transaction) return send_recorded(reply, std::move(record), not_found());
        const Transaction& transaction = *read->transaction;
        JsonWriter json;
        json.begin_object().member("transactionId", to_string(id));
        json.member("procedureId", to_string(transaction.procedure));
        json.member("state", read->index ? "COMMITTED" : "ACCEPTED");
        json.member("status", transaction.status);
        json.member("submittedAt", to_string(transaction.recorded_at));
        if (read->index) json.name("logIndex").number(*read->index);
        send_recorded(reply, std::move(record), json_response(200, json.end_object().take()));
      });
}

void Api::get_receipt(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  if (refuse(call, audit::Action::read_receipt, reply)) return;
  run_blocking(reply,
               [this, id = *id, caller = *call.caller, operation = &call.operation(), reply] {
                 const auto read = read_transaction(parts_, caller, operation->id, id);
                 if (!read) return reply->send(unavailable());
                 std::string record = record_of(caller, audit::Action::read_receipt, read->effect);
                 if (!read->transaction)
                   return send_recorded(reply, std::move(record), not_found());
                 if (!read->index) {
                   return send_recorded(reply, std::move(record),
                                        problem_response({"not-committed-yet", {}, {}}));
                 }
                 const auto receipt = parts_.ledger->receipt(id);
                 if (!receipt) return reply->send(unavailable());
                 JsonWriter json;
                 write_receipt(json, id, *receipt, parts_.ledger->vkeys());
                 send_recorded(reply, std::move(record), json_response(200, json.take()));
               });
}

}  // namespace flora::api
