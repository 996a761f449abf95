// To a ledger network: durable here, then by the outbox; a sender waits only if he wants to. Of
// gateways that share a store the one that has the turn does it for all (turn_keeper.h).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/intake/forwarder.h"
#include "gateway/intake/turn_keeper.h"
#include "gateway/view/procedure_index.h"
#include "ledger-client/outbox/outbox.h"
#include "ledger-client/outbox/remote_ledger.h"
#include "ledger-client/outbox/waiters.h"

namespace flora::intake {

/// Thread-safe. Store, ledger, index and env must outlive it.
class RemoteForwarder final : public Forwarder {
 public:
  /// `times` are for a store that is shared.
  RemoteForwarder(outbox::Options options, store::Store& store, outbox::RemoteLedger& ledger,
                  view::ProcedureIndex& index, Env& env, TurnTimes times = {});
  /// Begins no further try; what is under way goes on by itself, and is found out at the next
  /// start, or by another gateway, which takes the turn at once.
  ~RemoteForwarder() override;

  /// Begins with what the outbox holds, or to look whose turn it is; does not wait for the network.
  Result<void> recover() override;
  void forward(const std::vector<store::Accepted>& accepted,
               std::optional<std::chrono::milliseconds> patience, Done done) override;
  LedgerState state() const override;
  bool heeds_patience() const override { return true; }
  void retry(const Uuid& transaction_id, std::function<void(const Result<void>&)> done) override;
  bool is_submitted(const Uuid& transaction_id) const override;

  std::optional<outbox::Activity> activity() const override;
  std::optional<bool> has_turn() const override;

 private:
  std::optional<std::string> refusal_of(const Uuid& transaction_id) const;
  bool has_left(const Uuid& transaction_id) const;

  const TurnTimes times_;
  outbox::Options options_;
  store::Store& store_;
  outbox::RemoteLedger& ledger_;
  Env& env_;
  outbox::Waiters waiters_;
  // From recover() on one of the two; the second if the store is shared.
  std::unique_ptr<outbox::Outbox> outbox_;
  std::unique_ptr<TurnKeeper> keeper_;
};

}  // namespace flora::intake
