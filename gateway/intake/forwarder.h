// Brings accepted transactions from the store's outbox to the ledger and makes them visible in the
// read model. What a failing ledger did not take is submitted again until it does, also after a
// restart.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/store/store.h"
#include "ledger-client/ledger.h"
#include "ledger-client/outbox/outbox.h"

namespace flora::intake {

/// What became of a transaction, as far as its sender waits for it.
struct OnLedger {
  Position position;
};
struct OnItsWay {};  ///< It is in the outbox and goes on.
struct RefusedByLedger {
  std::string reason;  ///< outbox::Outcome::reason.
};
using Fate = std::variant<OnItsWay, OnLedger, RefusedByLedger>;

/// How the ledger does.
enum class LedgerState {
  up,
  away,     ///< It takes nothing at present; what is accepted waits in the outbox, as it may.
  stalled,  ///< It should take everything at once, and does not.
};

/// Thread-safe.
class Forwarder {
 public:
  /// One per transaction, in order.
  using Done = std::function<void(std::vector<Fate>)>;

  virtual ~Forwarder() = default;

  /// Takes up what the outbox holds. Once, before anything else. Errors: those of the store or the
  /// ledger.
  virtual Result<void> recover() = 0;

  /// Queues accepted transactions that have a body and returns at once. `done` is called once,
  /// perhaps within this call: when they are on the ledger and visible to readers, or have been
  /// refused, or after `patience`. Without patience it is called as soon as the ledger has
  /// answered, where that is a matter of the disk alone, and at once where it is not. Called from
  /// the store's writer thread, in the order of acceptance.
  virtual void forward(const std::vector<store::Accepted>& accepted,
                       std::optional<std::chrono::milliseconds> patience, Done done) = 0;

  virtual LedgerState state() const = 0;

  /// True if forward() heeds patience.
  virtual bool heeds_patience() const = 0;

  /// Lets a transaction be tried again that the ledger has refused for good. `done` is called once,
  /// when that is durable; perhaps within this call. Errors: not_found (no transaction of this id
  /// was refused), unavailable, uncertain.
  virtual void retry(const Uuid& transaction_id, std::function<void(const Result<void>&)> done) = 0;

  /// Of the outbox before a network, as far as this gateway works on it; nothing: the ledger is
  /// none.
  virtual std::optional<outbox::Activity> activity() const = 0;

  /// Of gateways that share a store: this one brings the outbox to the network. Nothing: there are
  /// no others.
  virtual std::optional<bool> has_turn() const = 0;

  /// This gateway has asked the ledger to record what is not on it yet. Does not block.
  virtual bool is_submitted(const Uuid& transaction_id) const = 0;
};

}  // namespace flora::intake
