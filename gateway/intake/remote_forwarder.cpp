#include "gateway/intake/remote_forwarder.h"

#include <utility>

#include "gateway/base/log.h"

namespace flora::intake {
namespace {

// The fates of one call, told together when the last is known.
struct Gathering {
  Gathering(std::size_t count, Forwarder::Done whole)
      : fates(count, OnItsWay{}), left(count), done(std::move(whole)) {}

  void set(std::size_t i, Fate fate) {
    {
      const std::lock_guard lock(mutex);
      fates[i] = std::move(fate);
      if (--left > 0) return;
    }
    done(std::move(fates));
  }

  std::mutex mutex;
  std::vector<Fate> fates;
  std::size_t left;
  Forwarder::Done done;
};

Fate fate_of(const outbox::Fate& fate, bool repeat) {
  if (const auto* committed = std::get_if<outbox::Committed>(&fate)) {
    return OnLedger{{committed->index, repeat, {}}};
  }
  if (const auto* refused = std::get_if<outbox::Refused>(&fate)) {
    return RefusedByLedger{refused->reason};
  }
  return OnItsWay{};
}

}  // namespace

RemoteForwarder::RemoteForwarder(outbox::Options options, store::Store& store,
                                 outbox::RemoteLedger& ledger, view::ProcedureIndex& index,
                                 Env& env)
    : options_(options), store_(store), ledger_(ledger), env_(env) {
  ledger.on_entries([&index](const std::vector<CommittedEntry>& entries) {
    std::vector<view::IndexedEntry> indexed;
    for (const CommittedEntry& entry : entries) {
      Result<view::IndexedEntry> one = view::indexed(entry);
      // What the copy holds can be read; the index reads again what it lacks.
      if (one) indexed.push_back(std::move(*one));
    }
    index.append(std::move(indexed), [] {});
  });
}

RemoteForwarder::~RemoteForwarder() { ledger_.on_entries({}); }

Result<void> RemoteForwarder::recover() {
  FLORA_ASSIGN(outbox_,
               outbox::Outbox::start(options_, store_, ledger_.network(), ledger_.replica(), env_));
  return {};
}

void RemoteForwarder::forward(const std::vector<store::Accepted>& accepted,
                              std::optional<std::chrono::milliseconds> patience, Done done) {
  std::vector<outbox::Row> rows;
  rows.reserve(accepted.size());
  for (const store::Accepted& one : accepted) {
    rows.push_back({one.number, one.transaction_id, one.body, one.nonce});
  }
  outbox_->push(std::move(rows));
  if (patience && patience->count() > 0) {
    const auto gathering = std::make_shared<Gathering>(accepted.size(), std::move(done));
    for (std::size_t i = 0; i < accepted.size(); ++i) {
      outbox_->await(accepted[i].transaction_id, *patience,
                     [gathering, i, repeat = accepted[i].repeat](const outbox::Fate& fate) {
                       gathering->set(i, fate_of(fate, repeat));
                     });
    }
    return;
  }
  std::vector<Fate> fates(accepted.size(), OnItsWay{});
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (!accepted[i].repeat) continue;
    const auto refusal = outbox_->refusal_of(accepted[i].transaction_id);
    if (refusal) fates[i] = RefusedByLedger{*refusal};
  }
  done(std::move(fates));
}

LedgerState RemoteForwarder::state() const {
  const bool away = !ledger_.is_following() || outbox_->activity().broken;
  return away ? LedgerState::away : LedgerState::up;
}

void RemoteForwarder::retry(const Uuid& transaction_id,
                            std::function<void(const Result<void>&)> done) {
  store_.reopen_failed(transaction_id, [this, done = std::move(done)](Result<outbox::Row> row) {
    if (!row) return done(row.error());
    outbox_->retry(std::move(*row));
    done({});
  });
}

bool RemoteForwarder::is_submitted(const Uuid& transaction_id) const {
  return outbox_->is_submitted(transaction_id);
}

std::optional<outbox::Activity> RemoteForwarder::activity() const { return outbox_->activity(); }

}  // namespace flora::intake
