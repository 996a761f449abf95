// What became of reports: one, its receipt, those that the ledger has refused, and another try.
#include <algorithm>
#include <charconv>

#include "gateway/api/access.h"
#include "gateway/api/answers.h"

namespace flora::api {
namespace {

constexpr std::size_t kPage = 100;
constexpr std::size_t kLookedAt = 2000;  // For one page.

// `TransactionState` of the document; without `index` it is not committed.
void write_state(JsonWriter& json, const Transaction& transaction,
                 const std::optional<std::uint64_t>& index, const std::string& failed,
                 bool submitted) {
  json.begin_object().member("transactionId", to_string(transaction.id));
  json.member("procedureId", to_string(transaction.procedure));
  const std::string_view waiting = submitted ? "SUBMITTED" : "ACCEPTED";
  json.member("state", index ? "COMMITTED" : failed.empty() ? waiting : "FAILED");
  json.member("status", transaction.status);
  json.member("submittedAt", to_string(transaction.recorded_at));
  if (index) json.name("logIndex").number(*index);
  if (!index && !failed.empty()) {
    std::string problem;
    append_json(problem, refused_by_ledger(failed));
    json.name("problem").raw(problem);
  }
  json.end_object();
}

// `f` and the number behind which the next page begins; the document holds it to that form.
std::int64_t number_of(std::string_view cursor) {
  std::int64_t number = 0;
  std::from_chars(cursor.data() + 1, cursor.data() + cursor.size(), number);
  return number;
}

struct FailedPage {
  std::vector<std::pair<Transaction, std::string>> shown;  // With the reasons.
  AuditEffect effect;
  std::optional<std::int64_t> next;
};

// Blocks on the disk. Those that the caller may not see are passed over.
Result<FailedPage> failed_page(const Parts& parts, const policy::Caller& caller,
                               std::string_view operation, std::int64_t after) {
  FailedPage page;
  const auto policy = parts.policy->get();
  FLORA_ASSIGN(const auto entries, parts.store->failed(after, kLookedAt));
  for (const store::OutboxEntry& entry : entries) {
    if (page.shown.size() == kPage) return page;
    page.next = entry.number;
    Result<EntryContent> content = parse_entry(entry.body);
    auto* const transaction = content ? std::get_if<Transaction>(&*content) : nullptr;
    if (transaction == nullptr) continue;
    const policy::Decision decision =
        policy::decide(*policy, caller, operation, {facts_of(*transaction)});
    if (decision.entries.front().show != policy::Show::whole) continue;
    page.effect.procedures.push_back(transaction->procedure);
    page.shown.emplace_back(std::move(*transaction), entry.failed);
  }
  if (entries.size() < kLookedAt) page.next.reset();
  return page;
}

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
        JsonWriter json;
        write_state(json, *read->transaction, read->index, read->failed,
                    parts_.forwarder->is_submitted(id));
        send_recorded(reply, std::move(record), json_response(200, json.take()));
      });
}

void Api::list_failed_transactions(Call call, Reply reply) {
  const auto cursor = call.query("cursor");
  const std::int64_t after = cursor ? number_of(*cursor) : 0;
  if (refuse(call, audit::Action::read_transaction, reply)) return;
  run_blocking(reply, [this, after, caller = *call.caller, operation = &call.operation(), reply] {
    const auto page = failed_page(parts_, caller, operation->id, after);
    if (!page) return reply->send(unavailable());
    JsonWriter json;
    json.begin_object().name("transactions").begin_array();
    for (const auto& [transaction, reason] : page->shown) {
      write_state(json, transaction, std::nullopt, reason, false);
    }
    json.end_array();
    if (page->next) json.member("next", 'f' + std::to_string(*page->next));
    AuditEffect effect = page->effect;
    effect.outcome =
        page->shown.empty() ? AuditEffect::Outcome::not_found : AuditEffect::Outcome::found;
    send_recorded(reply, record_of(caller, audit::Action::read_transaction, effect),
                  json_response(200, json.end_object().take()));
  });
}

// The order is recorded before it has an effect.
void Api::retry_transaction(Call call, Reply reply) {
  const auto id = parse_uuid(call.match.value("id"));
  if (!id) return reply->send(not_found());
  if (refuse(call, audit::Action::retry, reply)) return;
  run_blocking(
      reply, [this, id = *id, caller = *call.caller, operation = &call.operation(), reply] {
        const auto read = read_transaction(parts_, caller, operation->id, id);
        if (!read) return reply->send(unavailable());
        std::string record = record_of(caller, audit::Action::retry, read->effect);
        if (!read->transaction) return send_recorded(reply, std::move(record), not_found());
        if (read->failed.empty()) {
          return send_recorded(reply, std::move(record),
                               problem_response({"nothing-to-retry", {}, {}}));
        }
        const auto retried = [reply, transaction = *read->transaction](const Result<void>& done) {
          if (!done && done.error().code != Errc::not_found) return reply->send(unavailable());
          if (!done) return reply->send(problem_response({"nothing-to-retry", {}, {}}));
          JsonWriter json;
          write_state(json, transaction, std::nullopt, {}, false);
          reply->send(json_response(202, json.take()));
        };
        parts_.store->record({std::move(record)},
                             [this, id, reply, retried](const Result<void>& recorded) {
                               if (!recorded) return reply->send(unavailable());
                               parts_.forwarder->retry(id, retried);
                             });
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
