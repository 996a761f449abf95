// Who waits for what becomes of a transaction, whichever gateway brings it to the network.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/model/ids.h"
#include "ledger-client/ledger.h"
#include "ledger-client/outbox/replica.h"

namespace flora::outbox {

/// What became of a transaction that somebody waits for.
struct Committed {
  std::uint64_t index = 0;  ///< Of the local copy.
};
struct Refused {
  std::string reason;  ///< Outcome::reason. It stands among the failed.
};
struct Pending {};  ///< The time is over; it goes on.
using Fate = std::variant<Committed, Refused, Pending>;

/// Thread-safe. The replica must outlive it.
class Waiters {
 public:
  /// `refusal_of` says at the end of somebody's patience why the network has refused a transaction,
  /// if it has: it may be another gateway that was told. On a thread of this object; may block, but
  /// while that takes long others whose time is over are told Pending without it.
  /// Left out: refused() tells all.
  using RefusalOf = std::function<std::optional<std::string>(const Uuid&)>;
  /// `has_left` says whether the row of a transaction has left the store, likewise: whoever waits
  /// for that is looked after ten times a second. Left out: settled() tells all.
  using HasLeft = std::function<bool(const Uuid&)>;
  explicit Waiters(Replica& replica, RefusalOf refusal_of = {}, HasLeft has_left = {});
  /// Who still waits is told Pending.
  ~Waiters();

  /// Calls `done` once, perhaps within this call: when the transaction is in the local copy, when
  /// it was refused, or after `patience`. Who is to be told of a refusal waits before the
  /// transaction goes to the outbox. Blocks on the disk.
  void await(const Uuid& id, std::chrono::milliseconds patience, std::function<void(Fate)> done);

  /// The same for a transaction that goes to several channels: that the local copy has it says
  /// nothing of all of them. Committed is told by settled() alone.
  void await_settled(const Uuid& id, std::chrono::milliseconds patience,
                     std::function<void(Fate)> done);

  /// The row of the transaction has left the store, which is when all channels have it. Blocks on
  /// the disk.
  void settled(const Uuid& id);
  /// The local copy has these.
  void arrived(const std::vector<CommittedEntry>& entries);
  /// The network has refused it, and the store holds that.
  void refused(const Uuid& id, const std::string& reason);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace flora::outbox
