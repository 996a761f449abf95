// What has been kept for long enough goes by itself: mappings of procedures that have ended, and
// the databases that restores have put aside. Once a day, within serve.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/erasure/eraser.h"
#include "gateway/erasure/expiry.h"

namespace flora::erasure {

/// What a run has done.
struct RetentionRun {
  bool put_off = false;      ///< The clock has leapt: nothing was looked at.
  std::uint64_t erased = 0;  ///< Orders that were carried out; joined procedures are one.
  std::uint64_t open = 0;    ///< Due, and not erased: something new came, or it takes long.
  std::uint64_t copies = 0;  ///< Databases that were deleted.
  std::uint64_t failed = 0;  ///< What could not be looked at, erased or deleted.
};

/// Of all runs; for metrics.
struct RetentionCounters {
  std::uint64_t erased = 0;
  std::uint64_t copies = 0;
  std::uint64_t failed = 0;
  std::uint64_t put_off = 0;
  std::uint64_t open = 0;  ///< Of the last run.
  Instant last_run;        ///< That was not put off; 0: none was.
};

/// What is due is decided by the ledger's entries and the clock alone, so that a kill loses
/// nothing: the next run finds the rest. Thread-safe, but for start() and run().
class Retention {
 public:
  struct Parts {
    Ledger* ledger = nullptr;
    view::ProcedureIndex* index = nullptr;
    Eraser* eraser = nullptr;
    const Catalogue* catalogue = nullptr;
  };
  struct Rules {
    RetentionPeriods periods;
    std::string authority;               ///< Of the tombstones.
    std::vector<std::string> databases;  ///< Beside which copies may be.
  };

  /// All of the parts must outlive it. `last_recorded` is the newest recordedAt of the ledger, 0 if
  /// it is empty.
  Retention(Parts parts, Rules rules, Instant last_recorded, Env& env);
  /// Breaks a run off; what it has ordered goes on without it.
  ~Retention();

  /// Runs at once and then daily, on a thread of its own; more often only where the period for
  /// mappings is shorter than a day.
  void start();

  /// One run: orders what is due to be erased, a few at a time, and waits for it. If the clock has
  /// leapt forward by more than a day, against the last run or at the start against the ledger, the
  /// run is put off: a clock that is wrong must not erase what is not due, and there is a day to
  /// set it right. Blocks. Not at the same time as another, nor behind start().
  RetentionRun run();

  RetentionCounters counters() const;

 private:
  struct Shared;
  struct Order {
    Uuid procedure;
    std::vector<Uuid> known;
  };

  bool clock_has_leapt();
  void expire_mappings(Instant now, RetentionRun& run);
  Result<bool> add_if_due(const Uuid& procedure, Instant now, std::set<Uuid>& seen,
                          std::vector<Order>& orders);
  void erase(std::vector<Order> orders, RetentionRun& run);
  void delete_copies(Instant now, RetentionRun& run);
  void count(const RetentionRun& run, Instant now);
  void loop();

  Parts parts_;
  Rules rules_;
  Env& env_;
  Instant last_now_;
  std::int64_t last_steady_ns_;
  const std::shared_ptr<Shared> shared_;  // With answers that may come later than this ends.
  mutable std::mutex counters_mutex_;
  RetentionCounters counters_;
  std::thread thread_;
};

}  // namespace flora::erasure
