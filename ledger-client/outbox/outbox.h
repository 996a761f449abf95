// Brings transactions that are durable here to a remote ledger: in order within a procedure, many
// procedures at a time, again and again until the network holds them or refuses them for good.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
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
};

/// What became of a transaction that somebody waits for.
struct Committed {
  std::uint64_t index = 0;  ///< Of the local copy.
};
struct Refused {
  std::string reason;  ///< Outcome::reason. It stands among the failed.
};
struct Pending {};  ///< The time is over; it goes on.
using Fate = std::variant<Committed, Refused, Pending>;

/// What the outbox is doing; for metrics and readiness.
struct Activity {
  std::size_t under_way = 0;  ///< Tries.
  std::size_t waiting = 0;    ///< Rows in memory that are not being tried.
  std::size_t failed = 0;     ///< Transactions that the network refused.
  std::uint64_t tries = 0;    ///< Since the start.
  bool broken = false;        ///< The circuit breaker is open: the network was not found.
};

/// Thread-safe. Store, network, replica and env must outlive it.
class Outbox {
 public:
  /// Reads what the store holds, and begins with it. Blocks on the disk. Errors: those of the
  /// store.
  static Result<std::unique_ptr<Outbox>> start(Options options, OutboxStore& store,
                                               RemoteNetwork& network, Replica& replica, Env& env);
  /// Begins no further try, and waits for none: what is under way is found out at the next start.
  /// Who waits is told Pending.
  ~Outbox();

  /// Takes rows that the store holds durably, in the order of their numbers.
  void push(std::vector<Row> rows);

  /// Tries again what has failed and has left that state in the store. It takes its place behind
  /// all else of its procedure.
  void retry(Row row);

  /// Why the network refuses a transaction that is to be tried no more; nothing: it does not. Does
  /// not block.
  std::optional<std::string> refusal_of(const Uuid& id) const;

  /// Calls `done` once, perhaps within this call: when the transaction is in the local copy, when
  /// it has failed, or after `patience`.
  void await(const Uuid& id, std::chrono::milliseconds patience, std::function<void(Fate)> done);

  Activity activity() const;

  /// True from the first try of it to its end. Does not block.
  bool is_submitted(const Uuid& id) const;

 private:
  class Core;
  explicit Outbox(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace flora::outbox
