// To a ledger that takes the outbox in its order, on this machine: the sender waits for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/base/in_flight.h"
#include "gateway/intake/forwarder.h"
#include "gateway/view/procedure_index.h"

namespace flora::intake {

/// Thread-safe. Store, ledger and index must outlive it.
class LocalForwarder final : public Forwarder {
 public:
  LocalForwarder(store::Store& store, Ledger& ledger, view::ProcedureIndex& index);
  /// Waits until the ledger and the index have answered all that was forwarded.
  ~LocalForwarder() override;

  /// Submits what the outbox holds, and waits for it.
  Result<void> recover() override;
  void forward(const std::vector<store::Accepted>& accepted,
               std::optional<std::chrono::milliseconds> patience, Done done) override;
  LedgerState state() const override { return stalled_ ? LedgerState::stalled : LedgerState::up; }
  bool heeds_patience() const override { return false; }
  /// Nothing is refused for good.
  void retry(const Uuid& transaction_id, std::function<void(const Result<void>&)> done) override;
  std::optional<outbox::Activity> activity() const override { return std::nullopt; }
  std::optional<bool> has_turn() const override { return std::nullopt; }
  bool is_submitted(const Uuid&) const override { return false; }

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
  using Submitted = std::function<void(std::vector<Result<Position>>)>;

  void submit(std::vector<Pending> pending, Submitted done);
  void finished(const std::vector<Pending>& pending, std::vector<Result<Position>> positions,
                Submitted done);
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
