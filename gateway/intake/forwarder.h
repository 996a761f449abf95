// Brings accepted transactions from the store's outbox to the ledger, in their order, and makes
// them visible in the read model. What a failing ledger did not take is submitted again until it
// does, also after a restart.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "gateway/base/in_flight.h"
#include "gateway/base/result.h"
#include "gateway/store/store.h"
#include "gateway/view/procedure_index.h"
#include "ledger-client/ledger.h"

namespace flora::intake {

/// Thread-safe. Store, ledger and index must outlive it.
class Forwarder {
 public:
  /// One per transaction, in order; an error where the ledger did not take it (it stays in the
  /// outbox and is tried again).
  using Done = std::function<void(std::vector<Result<Position>>)>;

  Forwarder(store::Store& store, Ledger& ledger, view::ProcedureIndex& index);
  /// Waits until the ledger and the index have answered all that was forwarded.
  ~Forwarder();

  /// Submits what the outbox holds, and waits for it. Once, before anything else. Errors: those of
  /// the store or the ledger.
  Result<void> recover();

  /// Queues accepted transactions that have a body and returns at once. `done` is called when they
  /// are on the ledger and visible to readers. Called from the store's writer thread, in the order
  /// of acceptance.
  void forward(const std::vector<store::Accepted>& accepted, Done done);

  /// True while something that was accepted waits for a ledger that failed; for readiness.
  bool stalled() const { return stalled_; }

 private:
  // A transaction on its way, with what the read model needs of it.
  struct Pending {
    std::int64_t number = 0;
    Uuid transaction_id;
    std::string body;
    Uuid procedure;
    std::optional<Uuid> merged_into;
    bool tombstone = false;
    std::string status = {};
    Instant recorded = {};
  };

  void submit(std::vector<Pending> pending, Done done);
  void finished(const std::vector<Pending>& pending, std::vector<Result<Position>> positions,
                Done done);
  void retry_loop();
  Result<std::int64_t> submit_outbox();

  store::Store& store_;
  Ledger& ledger_;
  view::ProcedureIndex& index_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::uint64_t failures_ = 0;
  std::atomic<bool> stalled_ = false;
  InFlight under_way_;
  std::thread retry_thread_;
};

}  // namespace flora::intake
