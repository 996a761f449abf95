// Start here. A ledger takes canonical transactions and gives back proof that it holds them. The
// gateway knows ledgers only through this header; `embedded/` is a transparency log in one SQLite
// file, `outbox/remote_ledger.h` a network on other machines, such as `fabric/`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/ids.h"

namespace flora {

/// One transaction on its way to a ledger.
struct LedgerEntry {
  Uuid id;  ///< The transaction id (UUIDv7), the ledger's key: it is recorded at most once.
  std::string body;  ///< The canonical transaction text (JCS), at most 65,535 bytes.
};

/// What a ledger network of several organisations gives: their endorsements, which anybody can
/// verify with the organisations' CA certificates, and what one of its nodes says of the commit.
struct NetworkProof {
  std::string channel;
  std::string transaction;  ///< The network's own id.
  std::string envelope;     ///< With proposal, result and endorsements, as it stands in its block.
  std::uint64_t block = 0;  ///< The statement of `witness`, like the commit as such.
  std::string witness;      ///< The name of the node.
};

/// A proof that a third party can check with this value and public keys alone.
struct Receipt {
  std::uint64_t index = 0;
  std::string body;   ///< The transaction text, whose bytes are the leaf.
  std::string proof;  ///< The text of a `c2sp.org/tlog-proof@v1`; empty: there is `network`.
  std::optional<NetworkProof> network = {};
};

/// Where a transaction stands on the ledger.
struct Position {
  std::uint64_t index = 0;  ///< From 0, in the ledger's order.
  bool repeated = false;    ///< The ledger held it before this submission.
  /// The first receipt, where the ledger has it at hand (always for what it has just recorded);
  /// otherwise Ledger::receipt() gives it.
  std::optional<Receipt> receipt;
};

/// One committed entry, in ledger order.
struct CommittedEntry {
  std::uint64_t index = 0;
  Uuid id;
  std::string body;
};

/// Thread-safe. Every method may be called from any thread until the destructor starts.
class Ledger {
 public:
  /// Called once for each submit(), never within it but on a thread of the ledger; must return
  /// soon, must not throw and may call submit(). One result per entry, in the order of the entries.
  /// Errors: invalid (an empty or too long body), conflict (this id is recorded with another body),
  /// overloaded and unavailable (not recorded), uncertain (send the same again).
  using Done = std::function<void(std::vector<Result<Position>>)>;

  virtual ~Ledger() = default;

  /// Queues entries, in this order, and returns at once; what one thread submits of one procedure
  /// is recorded in the order of its calls (an embedded ledger: all that it submits). When `done`
  /// reports a position, the entry MUST be durable and MUST have been published under a signed tree
  /// head (or a commit of the network). Recording an id again with the same body is not an error:
  /// the result says `repeated`.
  virtual void submit(std::vector<LedgerEntry> entries, Done done) = 0;

  /// The position of a transaction, or nothing if the ledger does not hold it. Blocks on the disk.
  virtual Result<std::optional<std::uint64_t>> find(const Uuid& id) = 0;

  /// The first receipt of a transaction: the same bytes each time, before and after a restart.
  /// Errors: not_found. Blocks on the disk.
  virtual Result<Receipt> receipt(const Uuid& id) = 0;

  /// Committed entries from `first` on, at most `limit`, in order. Empty: there are none yet.
  /// Blocks on the disk.
  virtual Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) = 0;

  /// The number of committed entries. Does not block.
  virtual std::uint64_t size() = 0;

  /// Names the order that its entries are numbered in: what was kept of places under another name
  /// is of no use any more. Empty where every copy of the ledger has the same. Does not block.
  virtual std::string numbering() { return {}; }

  /// The keys that tlog-proofs are verified with, as signed-note verifier keys, the oldest first;
  /// none where receipts are NetworkProofs. They stay as they are while the ledger lives.
  virtual const std::vector<std::string>& vkeys() const = 0;
};

}  // namespace flora
