// Start here. A ledger network on other machines, as the outbox sees it: one try to record one
// transaction, the entries that it commits, and what proves them. `fabric/` implements it for
// Hyperledger Fabric. A try is repeated with the same nonce until its outcome is known, which the
// network's own refusal of a transaction id that it has seen makes safe.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/ids.h"

namespace flora::outbox {

/// Random bytes that, together with who submits, make the network's own transaction id. They are
/// stored before the first try.
using Nonce = std::array<std::byte, 24>;

/// Outcome::reason of a try that was no longer permitted.
inline constexpr std::string_view kTurnOver = "turn-over";

/// Outcome::reason of a try that names a channel which is not there; nobody was asked. It says
/// nothing of the network.
inline constexpr std::string_view kChannelUnknown = "channel-unknown";
/// Outcome::reason of a try that finds too many others under way; nobody was asked.
inline constexpr std::string_view kTooManyCalls = "too-many-calls";

/// How long it is still permitted to ask for records; 0 or less: no more.
using TimeLeft = std::function<std::chrono::nanoseconds()>;

/// One try.
struct Attempt {
  Uuid id;                ///< Of our transaction.
  std::string authority;  ///< That reports: whose identity signs.
  std::string body;       ///< The canonical transaction text.
  Nonce nonce;
  /// The channels that it goes to, in this order; empty: the only one. A network of one channel
  /// takes no attempt that names another one, or several: unknown_channel().
  std::vector<std::string> channels = {};
  /// Asked directly before each request that could lead to a record, on whatever thread; must not
  /// block. For so long the request may be sent, or wait to be; 0 or less: it is not made, and the
  /// try ends with the reason kTurnOver. Empty: for ever.
  TimeLeft time_left = {};

  bool is_permitted() const { return !time_left || time_left().count() > 0; }
};

/// What became of a try.
struct Outcome {
  enum class Kind : std::uint8_t {
    committed,    ///< It, or an earlier try of this transaction, is committed as valid.
    refused,      ///< Nothing was recorded; the same transaction would be refused again.
    spent,        ///< Nothing was recorded and nothing will be by this nonce: take a new one.
    unavailable,  ///< Nothing was recorded by this call. The same nonce may be tried again.
    unknown,      ///< It may have been recorded, or still be. The same nonce may be tried again.
  };
  Kind kind = Kind::unknown;
  /// Why, in the words of this program or of the network's closed codes, without any content:
  /// lower case with hyphens, such as `not-entitled`, `mvcc-read-conflict`. Empty if committed.
  std::string reason;
  std::string transaction;  ///< committed: the network's id of what recorded it first.
  bool repeated = false;    ///< committed: that was another transaction than this try.
};

inline Outcome unknown_channel() {
  return {Outcome::Kind::unavailable, std::string(kChannelUnknown), {}};
}

/// Where an entry stands on the network.
struct NetworkPlace {
  std::uint64_t block = 0;
  std::string transaction;  ///< The network's id.
  std::string channel = {};
  bool operator==(const NetworkPlace&) const = default;
};

/// One committed entry. Those of one block come in the order of its transactions.
struct NetworkEntry {
  NetworkPlace place;
  std::string body;
  std::string witness = {};  ///< The name of the node that says so.
};

/// Ends the following when it is destroyed; waits until no callback runs. Not from a callback.
class Following {
 public:
  virtual ~Following() = default;
};

/// Thread-safe. Callbacks come once each on threads of the network, never within the call; they
/// must return soon and must not throw. The destructor waits for all of them.
class RemoteNetwork {
 public:
  virtual ~RemoteNetwork() = default;

  /// Of several channels: whether each is away or denies everything, by its name; else empty.
  virtual std::map<std::string, bool> away() const { return {}; }

  /// Tries once, within the configured deadlines, at whatever endpoint is up.
  virtual void submit(Attempt attempt, std::function<void(Outcome)> done) = 0;

  /// The entry of a transaction of ours as the network holds it now, or nothing. Errors:
  /// unavailable, corrupt (the answer is not what was asked for).
  using FindDone = std::function<void(Result<std::optional<NetworkEntry>>)>;
  virtual void find(const Uuid& id, FindDone done) = 0;

  /// The bodies of a procedure's entries, in the order of our transaction ids. Errors: as find().
  virtual void history(const Uuid& procedure,
                       std::function<void(Result<std::vector<std::string>>)> done) = 0;

  /// The signed envelope of the transaction at that place, byte for byte as it stands in its block.
  /// Errors: not_found, unavailable, corrupt.
  virtual void envelope(const NetworkPlace& place,
                        std::function<void(Result<std::string>)> done) = 0;

  /// Every committed entry behind `after`, which has the last place of each channel (a channel
  /// without one: from its first block on), each once per channel, in the channel's order. Goes on
  /// at another endpoint when one ends, from where it was. `take` is called with the entries of
  /// one block (or of the rest of one), for each channel from one thread at a time, and may block
  /// while they are stored. `up` tells whether entries come at present, of all channels.
  virtual std::unique_ptr<Following> follow(std::vector<NetworkPlace> after,
                                            std::function<void(std::vector<NetworkEntry>)> take,
                                            std::function<void(bool up)> up) = 0;
};

}  // namespace flora::outbox
