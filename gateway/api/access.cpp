#include "gateway/api/access.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "gateway/model/receiver.h"
#include "gateway/view/procedure_entries.h"

namespace flora::api {
namespace {

using Outcome = AuditEffect::Outcome;

Uuid place_of(const Digest& hash) { return uuid_from_bytes(std::span(hash).first(16)); }

// Everything of a procedure, and of all that is joined to it if it is the one that remains.
Result<ReadProcedure> read_whole(const Parts& parts, const Uuid& procedure) {
  ReadProcedure whole;
  FLORA_ASSIGN(whole.entries, view::joined_entries({parts.index, parts.ledger}, procedure));
  const Uuid remains = view::keep_read(whole.entries, procedure);
  if (remains != procedure) whole.merged_into = remains;
  std::set<Uuid> read;
  for (const view::HistoryEntry& entry : whole.entries) read.insert(entry.transaction.procedure);
  whole.procedures.assign(read.begin(), read.end());
  return whole;
}

// A reference to an entry that is not shown would say that it is there.
void drop_references(std::vector<view::HistoryEntry>& entries, const std::set<Uuid>& hidden) {
  const auto drop = [&hidden](std::optional<Uuid>& reference) {
    if (reference && hidden.contains(*reference)) reference.reset();
  };
  for (view::HistoryEntry& entry : entries) {
    drop(entry.replaced_by);
    drop(entry.revoked_by);
    drop(entry.transaction.corrects);
    drop(entry.transaction.revokes);
  }
}

// What the decision shows of it.
ReadProcedure withhold(ReadProcedure procedure, const policy::Decision& decision) {
  std::vector<view::HistoryEntry> shown;
  std::set<Uuid> hidden;
  for (std::size_t i = 0; i < procedure.entries.size(); ++i) {
    view::HistoryEntry& entry = procedure.entries[i];
    if (decision.entries[i].show == policy::Show::hidden) {
      hidden.insert(entry.transaction.id);
      continue;
    }
    if (decision.entries[i].show == policy::Show::without_details) {
      entry.details_withheld = !entry.transaction.details.empty();
      entry.transaction.details.clear();
    }
    shown.push_back(std::move(entry));
  }
  procedure.entries = std::move(shown);
  drop_references(procedure.entries, hidden);
  // Who is not shown a merge is not told that there is one.
  if (merges_in_effect(procedure.entries).empty()) procedure.merged_into.reset();
  return procedure;
}

struct FoundBody {
  std::string body;
  std::optional<std::uint64_t> index;
  std::string failed;
  bool is_known = false;  // Else the body is that of another transaction, if there is any.
};

// The body of a transaction on the ledger or in the outbox, or that of another one: in each case
// both are asked, and one entry is read.
Result<FoundBody> find_body(const Parts& parts, const Uuid& id) {
  FoundBody found;
  // First the outbox: what leaves it stands on the ledger.
  FLORA_ASSIGN(const auto waiting, parts.store->find_in_outbox(id));
  FLORA_ASSIGN(found.index, parts.ledger->find(id));
  found.is_known = found.index || waiting;
  if (!found.is_known && parts.store->is_shared()) {
    // Another gateway may have seen it on the ledger before this one.
    FLORA_ASSIGN(const bool accepted, parts.store->has_accepted(id));
    if (accepted) return Error{Errc::unavailable, "the ledger's copy lags behind"};
  }
  std::uint64_t place = 0;
  std::memcpy(&place, parts.questions->hash(id).data(), sizeof place);
  const std::uint64_t size = parts.ledger->size();
  if (size > 0) {
    FLORA_ASSIGN(auto entries, parts.ledger->read(found.index.value_or(place % size), 1));
    if (entries.size() != 1) return Error{Errc::unavailable, "an entry is not there"};
    found.body = std::move(entries.front().body);
  }
  // One channel of several may have it: it is committed when all have, and then leaves the outbox.
  if (waiting && waiting->channels.size() > 1) found.index.reset();
  if (waiting && !found.index) {
    found.body = waiting->body;
    found.failed = waiting->failed;
  }
  return found;
}

}  // namespace

policy::EntryFacts facts_of(const Transaction& transaction) {
  Receiver receiver = receiver_of(transaction);
  return {transaction.status,       transaction.authority,        transaction.land, true,
          std::move(receiver.land), std::move(receiver.authority)};
}

std::vector<policy::EntryFacts> facts_of(const std::vector<view::HistoryEntry>& entries) {
  std::vector<policy::EntryFacts> facts;
  for (const view::HistoryEntry& entry : entries) {
    facts.push_back(facts_of(entry.transaction));
    facts.back().effective = entry.effective;
  }
  return facts;
}

std::string record_of(const policy::Caller& caller, audit::Action action,
                      const AuditEffect& effect) {
  return audit::body(audit::opening(intake::actor_of(caller), action), effect);
}

std::optional<Problem> refusal_of(const policy::Policy& policy, const policy::Caller& caller,
                                  std::string_view operation) {
  const policy::Decision decision = policy::decide(policy, caller, operation, {});
  if (decision.permitted) return std::nullopt;
  return Problem{"not-permitted", policy::explain(policy, caller, operation, decision), {}};
}

AuditEffect ReadProcedure::effect() const {
  AuditEffect effect;
  effect.procedures = procedures;
  effect.outcome = procedures.empty() ? Outcome::not_found
                   : entries.empty()  ? Outcome::hidden
                                      : Outcome::found;
  return effect;
}

Result<ReadProcedure> read_procedure(const Parts& parts, const policy::Caller& caller,
                                     std::string_view operation, const Question& question) {
  FLORA_ASSIGN(const Uuid read,
               parts.index->itself_or_another(question.procedure, place_of(question.place)));
  FLORA_ASSIGN(ReadProcedure whole, read_whole(parts, read));
  const auto policy = parts.policy->get();
  const policy::Decision decision =
      policy::decide(*policy, caller, operation, facts_of(whole.entries));
  ReadProcedure shown = withhold(std::move(whole), decision);
  if (read != question.procedure) return ReadProcedure();
  return shown;
}

Result<KnownProcedure> known_procedure(const Parts& parts, const policy::Caller& caller,
                                       const std::optional<Uuid>& procedure) {
  KnownProcedure known;
  if (!procedure) return known;
  ReadProcedure whole;
  FLORA_ASSIGN(whole.entries, view::own_entries({parts.index, parts.ledger}, *procedure));
  known.exists = !whole.entries.empty();
  const auto policy = parts.policy->get();
  const policy::Decision decision =
      policy::decide(*policy, caller, "createSubjectReport", facts_of(whole.entries));
  known.shown = withhold(std::move(whole), decision).entries;
  return known;
}

Result<ReadTransaction> read_transaction(const Parts& parts, const policy::Caller& caller,
                                         std::string_view operation, const Uuid& id) {
  ReadTransaction read;
  read.effect.outcome = Outcome::not_found;
  FLORA_ASSIGN(const FoundBody found, find_body(parts, id));
  if (found.body.empty()) return read;
  FLORA_ASSIGN(EntryContent content, parse_entry(found.body));
  // A tombstone is nobody's submission.
  const bool is_tombstone = std::holds_alternative<Tombstone>(content);
  Transaction transaction =
      is_tombstone ? Transaction() : std::move(std::get<Transaction>(content));
  const auto policy = parts.policy->get();
  const policy::Decision decision =
      policy::decide(*policy, caller, operation, {facts_of(transaction)});
  if (!found.is_known || is_tombstone) return read;
  const bool shown = decision.entries.front().show == policy::Show::whole;
  read.effect.outcome = shown ? Outcome::found : Outcome::hidden;
  read.effect.procedures = {transaction.procedure};
  read.effect.transaction = transaction.id;
  read.index = found.index;
  if (shown) read.failed = found.failed;
  if (shown) read.transaction = std::move(transaction);
  return read;
}

}  // namespace flora::api
