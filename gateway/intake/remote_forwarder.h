// To a ledger network: durable here, then by the outbox; a sender waits only if he wants to.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/intake/forwarder.h"
#include "gateway/view/procedure_index.h"
#include "ledger-client/outbox/outbox.h"
#include "ledger-client/outbox/remote_ledger.h"

namespace flora::intake {

/// Thread-safe. Store, ledger, index and env must outlive it.
class RemoteForwarder final : public Forwarder {
 public:
  RemoteForwarder(outbox::Options options, store::Store& store, outbox::RemoteLedger& ledger,
                  view::ProcedureIndex& index, Env& env);
  /// Begins no further try; what is under way goes on by itself, and is found out at the next
  /// start.
  ~RemoteForwarder() override;

  /// Begins with what the outbox holds; does not wait for the network.
  Result<void> recover() override;
  void forward(const std::vector<store::Accepted>& accepted,
               std::optional<std::chrono::milliseconds> patience, Done done) override;
  LedgerState state() const override;
  bool heeds_patience() const override { return true; }
  void retry(const Uuid& transaction_id, std::function<void(const Result<void>&)> done) override;
  bool is_submitted(const Uuid& transaction_id) const override;

  std::optional<outbox::Activity> activity() const override;

 private:
  const outbox::Options options_;
  store::Store& store_;
  outbox::RemoteLedger& ledger_;
  Env& env_;
  std::unique_ptr<outbox::Outbox> outbox_;  // From recover() on.
};

}  // namespace flora::intake
