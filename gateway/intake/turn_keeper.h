// The outbox of gateways that share a store: one of them at a time has the turn to bring it to the
// network, the others stand by. Who has the turn raises its beat; who has been stopped, or has lost
// the store, for longer than a turn submits nothing any more, without being told, and another one
// goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "gateway/base/env.h"
#include "gateway/store/store.h"
#include "gateway/store/turn.h"
#include "ledger-client/outbox/outbox.h"
#include "ledger-client/outbox/remote_ledger.h"

namespace flora::intake {

struct TurnTimes {
  /// From its last beat to its end: by a fifth less for the holder, so that clocks may differ. It
  /// beats four times within it.
  std::chrono::milliseconds length{5'000};
  std::chrono::milliseconds look{250};  ///< Between two looks at whose turn it is.
};

/// Thread-safe. Store, ledger and env must outlive it; the store must be shared.
class TurnKeeper {
 public:
  /// `options` are those of the outbox, but for Options::time_left. Begins to look whose turn it
  /// is, on a thread of its own.
  TurnKeeper(TurnTimes times, outbox::Options options, store::Store& store,
             outbox::RemoteLedger& ledger, Env& env);
  /// Gives the turn back. What is under way is found out by who takes it.
  ~TurnKeeper();

  /// The store holds something new, durably. Does not block.
  void hint();

  bool has_turn() const;
  /// Of this gateway's outbox; nothing of it is going on without the turn. Tries are counted over
  /// all turns.
  outbox::Activity activity() const;
  bool is_submitted(const Uuid& id) const;

 private:
  class Hold;
  class Rows;
  struct Work;

  void run();
  void stand_by();
  void take(const store::Turn& seen);
  void work();
  void renew();
  void end();

  const TurnTimes times_;
  const outbox::Options options_;
  store::Store& store_;
  outbox::RemoteLedger& ledger_;
  Env& env_;

  // The keeper's thread alone.
  store::TurnWatch watch_;
  std::int64_t renew_at_ns_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::shared_ptr<Hold> hold_;      // While this gateway believes that it has the turn.
  std::unique_ptr<Work> work_;      // Then also this, as soon as the store could be read.
  std::uint64_t tries_before_ = 0;  // Of the turns that are over.
  std::thread thread_;
};

}  // namespace flora::intake
