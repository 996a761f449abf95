// `flora-gateway outbox …`: what a ledger network has refused.
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/commands/commands.h"
#include "gateway/commands/exit_code.h"
#include "gateway/model/transaction.h"
#include "gateway/store/failed.h"
#include "ledger-client/embedded/lock_file.h"

namespace flora::commands {
namespace {

constexpr const char* kOutboxForms =
    "outbox failed [--json] | retry <transaction id> … | retry --all";

// An erasure has no status.
std::string status_of(const std::string& body) {
  const Result<EntryContent> content = parse_entry(body);
  if (!content) return "UNREADABLE";
  const auto* transaction = std::get_if<Transaction>(&*content);
  return transaction == nullptr ? "TOMBSTONE" : transaction->status;
}

int list_failed(const settings::Settings& settings, const CommandLine& line) {
  const auto failed = store::failed_in(settings.store_place());
  if (!failed) return fail(failed.error());
  nlohmann::json transactions = nlohmann::json::array();
  for (const store::OutboxEntry& one : *failed) {
    const std::string id = to_string(one.transaction_id);
    if (line.has("--json")) {
      transactions.push_back(
          {{"transactionId", id}, {"status", status_of(one.body)}, {"reason", one.failed}});
    } else {
      std::cout << id << ' ' << status_of(one.body) << ": " << one.failed << '\n';
    }
  }
  if (line.has("--json")) {
    std::cout << nlohmann::json{{"transactions", transactions}}.dump(2) << '\n';
  }
  return kDone;
}

Result<std::vector<Uuid>> named(const CommandLine& line) {
  std::vector<Uuid> ids;
  for (std::size_t i = 2; i < line.words.size(); ++i) {
    const auto id = parse_uuid(line.words[i]);
    if (!id) return Error{Errc::invalid, "a transaction id is expected: " + line.words[i]};
    ids.push_back(*id);
  }
  if (ids.empty() != line.has("--all")) return Error{Errc::invalid, kOutboxForms};
  return ids;
}

int try_again(const settings::Settings& settings, const CommandLine& line, Env& env) {
  auto ids = named(line);
  if (!ids) return fail(ids.error());
  // On a server the gateway that has the turn finds them, whoever runs.
  std::optional<ledger::LockFile> lock;
  if (!settings.store_server) {
    auto acquired = ledger::LockFile::acquire(ledger::lock_path(settings.ledger_database()));
    if (!acquired) {
      return fail({Errc::unavailable,
                   "a gateway works with this folder: POST /v1/transactions/{id}/retry there"});
    }
    lock.emplace(std::move(*acquired));
  }
  const auto reopened = store::reopen_failed_in(settings.store_place(), std::move(*ids), env);
  if (!reopened) return fail(reopened.error());
  std::cout << *reopened << " will be tried again\n";
  return kDone;
}

}  // namespace

int outbox(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const std::string action = line.words.size() > 1 ? line.words[1] : "";
  if (action == "failed" && line.words.size() == 2) return list_failed(settings, line);
  if (action == "retry") return try_again(settings, line, env);
  return fail({Errc::invalid, kOutboxForms});
}

}  // namespace flora::commands
