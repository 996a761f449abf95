// Brings transactions that are durable here to a remote ledger: in order within a procedure, many
// procedures at a time, again and again until the network holds them or refuses them for good.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/model/ids.h"
#include "ledger-client/outbox/outbox_store.h"
#include "ledger-client/outbox/remote_network.h"
#include "ledger-client/outbox/replica.h"

namespace flora::outbox {

struct Options {
  std::size_t concurrency = 128;  ///< Tries at one time.
  std::size_t window = 20'000;    ///< Rows in memory; what is more is read from the store in time.
  /// Between two tries of one row: the first time, doubled each time up to the longest. Half of it
  /// is drawn at random, so that many do not come at once.
  std::chrono::milliseconds first_pause{50};
  std::chrono::milliseconds longest_pause{10'000};
  /// After so many tries in a row that found no network, all wait for one that does: as long as a
  /// pause between tries.
  std::size_t breaker = 8;
  /// A row whose nonce was spent so many times has failed with the last reason.
  std::size_t spent = 8;
  /// Not 0: others put rows into the store as well, and open failed ones again with a new number.
  /// Then all rows come from the store, which is looked into as often as this and after push().
  std::chrono::milliseconds look{0};
  /// Asked before each try and within it (Attempt::time_left); for a store that is shared. While
  /// there is none nothing is tried. Any thread; must not block. Empty: for ever.
  TimeLeft time_left = {};
  /// The row of a transaction has left the store: the network has committed it, and the local copy
  /// has it. On a thread of the store; must not block.
  std::function<void(const Uuid&)> on_settled = {};
  /// The store holds that the network has refused a transaction. On a thread of the store; must not
  /// block.
  std::function<void(const Uuid&, const std::string& reason)> on_refused = {};
};

/// What the outbox is doing; for metrics and readiness.
struct Activity {
  std::size_t under_way = 0;  ///< Tries.
  std::size_t waiting = 0;    ///< Rows in memory that are not being tried.
  std::size_t failed = 0;     ///< Transactions that the network refused.
  std::uint64_t tries = 0;    ///< Since the start.
  bool broken = false;        ///< The circuit breaker is open: the network was not found.
  std::map<std::string, bool> away = {};  ///< RemoteNetwork::away().
};

/// Thread-safe. Store, network, replica and env must outlive it.
class Outbox {
 public:
  /// Reads what the store holds, and begins with it. Blocks on the disk. Errors: those of the
  /// store.
  static Result<std::unique_ptr<Outbox>> start(Options options, OutboxStore& store,
                                               RemoteNetwork& network, Replica& replica, Env& env);
  /// Begins no further try, and waits for none: what is under way is found out at the next start.
  ~Outbox();

  /// Takes rows that the store holds durably, in the order of their numbers. With Options::look it
  /// is enough that there are some: what they are is read from the store.
  void push(std::vector<Row> rows);

  /// Tries again what has failed and has left that state in the store. It takes its place behind
  /// all else of its procedure. Not with Options::look, where the store has it among the new ones.
  void retry(Row row);

  Activity activity() const;

  /// True from the first try of it to its end. Does not block.
  bool is_submitted(const Uuid& id) const;

 private:
  class Core;
  explicit Outbox(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace flora::outbox
