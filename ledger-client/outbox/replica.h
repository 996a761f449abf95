// The local copy of a remote ledger's entries: in the order in which they came, which is that of
// each channel of the network, numbered from 0, so that readers ask no network. Derived, may be
// deleted, and is then followed anew from the first block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"
#include "ledger-client/ledger.h"
#include "ledger-client/outbox/remote_network.h"

namespace flora::outbox {

/// Thread-safe. One SQLite file, durable: what has left the outbox must be here. Every copy of a
/// network of one channel numbers the same entries alike; of several channels each has its own
/// order. An entry that several channels hold is here once: as the first has told of it, and then
/// as the channel does that its text names.
class Replica {
 public:
  /// Opens or creates the file; one that is damaged, of another version or of another `network` (a
  /// text that names it, of the caller's choice) is thrown away. Blocks. Errors: unavailable.
  static Result<std::unique_ptr<Replica>> open(const std::string& path, const std::string& network);
  /// The same as it is, beside a gateway that writes it; take() must not be called. Errors:
  /// not_found, unavailable, invalid (it is of another version).
  static Result<std::unique_ptr<Replica>> open_as_it_is(const std::string& path);

  /// Of which network a file is, also one of an earlier version. Errors: not_found, unavailable,
  /// corrupt.
  static Result<std::string> network_of(const std::string& path);
  /// Calls what still waits, with `unavailable`.
  ~Replica();

  /// Where to follow from: the place of the last entry of each channel that has told of any.
  std::vector<NetworkPlace> last() const;

  /// Of this copy: another one, if it is made anew.
  const std::string& name() const;
  /// It was once followed to the end since it was made: complete() was called. Durable.
  bool is_complete() const;
  Result<void> complete();
  /// The newest recordedAt of its entries.
  Instant newest() const;

  /// Takes what the network has committed behind last(), in order, and tells those who wait. Blocks
  /// on the disk; one thread at a time. Entries that are there already are passed over, but for
  /// their place, which is the last of their channel. Errors:
  /// unavailable, overloaded (nothing of them was taken), corrupt (an entry cannot be read);
  /// uncertain: nothing more may be taken before the file is opened anew.
  Result<void> take(const std::vector<NetworkEntry>& entries);

  /// Called on the thread of take(), after the file holds the entries and before those who wait are
  /// told. Another one, or none, takes its place; the old one is not called any more on return.
  /// What was taken before is not told.
  void on_entries(std::function<void(const std::vector<CommittedEntry>&)> listener);

  /// Calls `done` once with the index of the transaction as soon as it is there; perhaps within
  /// this call, else on the thread of take(). Errors: unavailable (the copy ends).
  void await(const Uuid& id, std::function<void(Result<std::uint64_t>)> done);

  // Reading. Blocks on the disk. As Ledger has them.
  Result<std::optional<std::uint64_t>> find(const Uuid& id);
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit);
  std::uint64_t size() const;

  /// The entry of a transaction and its place on the network. Errors: not_found.
  struct Held {
    std::uint64_t index = 0;
    NetworkEntry entry;
  };
  Result<Held> held(const Uuid& id);

 private:
  class Core;
  explicit Replica(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace flora::outbox
