#include "gateway/intake/remote_forwarder.h"

#include <utility>

#include "gateway/base/log.h"

namespace flora::intake {
namespace {

// How soon what other gateways have accepted is found.
constexpr std::chrono::milliseconds kLook{100};

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
                                 Env& env, TurnTimes times)
    : times_(times),
      options_(std::move(options)),
      store_(store),
      ledger_(ledger),
      env_(env),
      waiters_(ledger.replica(),
               store.is_shared()
                   ? outbox::Waiters::RefusalOf([this](const Uuid& id) { return refusal_of(id); })
                   : outbox::Waiters::RefusalOf(),
               [this](const Uuid& id) { return has_left(id); }) {
  options_.on_refused = [this](const Uuid& id, const std::string& reason) {
    waiters_.refused(id, reason);
  };
  options_.on_settled = [this](const Uuid& id) { waiters_.settled(id); };
  if (store.is_shared()) options_.look = kLook;
  ledger.on_entries([this, &index](const std::vector<CommittedEntry>& entries) {
    std::vector<view::IndexedEntry> indexed;
    for (const CommittedEntry& entry : entries) {
      Result<view::IndexedEntry> one = view::indexed(entry);
      // What the copy holds can be read; the index reads again what it lacks.
      if (one) indexed.push_back(std::move(*one));
    }
    index.append(std::move(indexed), [] {});
    waiters_.arrived(entries);
  });
}

RemoteForwarder::~RemoteForwarder() { ledger_.on_entries({}); }

Result<void> RemoteForwarder::recover() {
  if (store_.is_shared()) {
    keeper_ = std::make_unique<TurnKeeper>(times_, options_, store_, ledger_, env_);
    return {};
  }
  FLORA_ASSIGN(outbox_,
               outbox::Outbox::start(options_, store_, ledger_.network(), ledger_.replica(), env_));
  return {};
}

// Whoever waits does so before the network can say anything.
void RemoteForwarder::forward(const std::vector<store::Accepted>& accepted,
                              std::optional<std::chrono::milliseconds> patience, Done done) {
  const bool waits = patience && patience->count() > 0;
  const auto gathering = std::make_shared<Gathering>(accepted.size(), std::move(done));
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    const store::Accepted& one = accepted[i];
    if (!one.failed.empty()) {
      gathering->set(i, RefusedByLedger{one.failed});
    } else if (!waits) {
      gathering->set(i, OnItsWay{});
    } else {
      auto told = [gathering, i, repeat = one.repeat](const outbox::Fate& fate) {
        gathering->set(i, fate_of(fate, repeat));
      };
      if (one.channels.size() > 1) {
        waiters_.await_settled(one.transaction_id, *patience, std::move(told));
      } else {
        waiters_.await(one.transaction_id, *patience, std::move(told));
      }
    }
  }
  if (keeper_) return keeper_->hint();
  std::vector<outbox::Row> rows;
  rows.reserve(accepted.size());
  for (const store::Accepted& one : accepted) {
    rows.push_back({one.number, one.transaction_id, one.body, one.nonce, one.channels});
  }
  outbox_->push(std::move(rows));
}

LedgerState RemoteForwarder::state() const {
  const bool away = !ledger_.is_following() || activity()->broken;
  return away ? LedgerState::away : LedgerState::up;
}

void RemoteForwarder::retry(const Uuid& transaction_id,
                            std::function<void(const Result<void>&)> done) {
  store_.reopen_failed(transaction_id, [this, done = std::move(done)](Result<outbox::Row> row) {
    if (!row) return done(row.error());
    if (keeper_) {
      keeper_->hint();
    } else {
      outbox_->retry(std::move(*row));
    }
    done({});
  });
}

bool RemoteForwarder::is_submitted(const Uuid& transaction_id) const {
  return keeper_ ? keeper_->is_submitted(transaction_id) : outbox_->is_submitted(transaction_id);
}

std::optional<outbox::Activity> RemoteForwarder::activity() const {
  return keeper_ ? keeper_->activity() : outbox_->activity();
}

std::optional<bool> RemoteForwarder::has_turn() const {
  if (!keeper_) return std::nullopt;
  return keeper_->has_turn();
}

bool RemoteForwarder::has_left(const Uuid& transaction_id) const {
  const auto entry = store_.find_in_outbox(transaction_id);
  return entry && !*entry;
}

std::optional<std::string> RemoteForwarder::refusal_of(const Uuid& transaction_id) const {
  const auto entry = store_.find_in_outbox(transaction_id);
  if (!entry || !*entry || (*entry)->failed.empty()) return std::nullopt;
  return (*entry)->failed;
}

}  // namespace flora::intake
