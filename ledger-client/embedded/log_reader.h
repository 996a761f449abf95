// Reads one ledger database: entries, tiles, checkpoints, proofs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/sqlite.h"
#include "ledger-client/ledger.h"
#include "ledger-client/merkle/tree.h"

namespace flora::ledger {

/// A name under which the ledger signs, from a size of the tree on. Epoch 0 is the first.
struct Origin {
  std::int64_t epoch = 0;
  std::string name;
  std::uint64_t first_size = 0;
};

struct StoredCheckpoint {
  std::uint64_t size = 0;
  std::int64_t epoch = 0;
  std::string note;
};

/// One connection with its prepared statements; not thread-safe. All methods block on the disk;
/// what contradicts itself is `corrupt`.
class LogReader final : public NodeSource {
 public:
  /// A connection of its own, read-only, beside a writer. Errors: not_found, invalid (not a ledger
  /// of this version), unavailable, corrupt.
  static Result<LogReader> open(const std::string& path, const std::string& vfs = {});

  /// On a database that has our schema and that outlives the reader.
  static Result<LogReader> on(sqlite::Database& database);

  /// In order of their epochs; at least one.
  Result<std::vector<Origin>> origins();

  /// The checkpoint of the largest size, and of the last epoch among those.
  Result<StoredCheckpoint> last_checkpoint();

  /// The first checkpoint whose tree has the entry: that of its receipt, for ever. Errors:
  /// not_found.
  Result<StoredCheckpoint> first_covering(std::uint64_t index);

  /// The first checkpoint of at least this size and a later one than `after`, in order.
  Result<std::optional<StoredCheckpoint>> next_checkpoint(
      const std::optional<StoredCheckpoint>& after);

  /// The number of entries, from the largest index.
  Result<std::uint64_t> entry_count();
  Result<std::optional<std::uint64_t>> find(const Uuid& id);
  Result<std::vector<CommittedEntry>> entries(std::uint64_t first, std::size_t limit);

  /// The receipt of entry `index`. Errors: not_found.
  Result<Receipt> receipt(std::uint64_t index);

  /// The hashes of a tile, as many as there are; at level 0 a partial tile is computed from the
  /// entries. Errors: not_found.
  Result<std::vector<Digest>> tile(unsigned level, std::uint64_t n);

  /// The hashes of a tile as it is stored; empty if it is not.
  Result<std::vector<Digest>> stored_tile(unsigned level, std::uint64_t n);

  /// What GrowingTree::open() needs for the tree of `size`.
  Result<std::vector<std::vector<Digest>>> tails(std::uint64_t size);

  Result<Digest> node(unsigned height, std::uint64_t index) override;

  /// Forgets the tiles that were read for proofs.
  void forget_tiles() { tiles_.clear(); }

  sqlite::Database& database() { return *database_; }

 private:
  struct Statements {
    sqlite::Statement find;
    sqlite::Statement entries;
    sqlite::Statement tile;
    sqlite::Statement covering;
    sqlite::Statement last;
    sqlite::Statement next;
    sqlite::Statement count;
  };
  LogReader(std::unique_ptr<sqlite::Database> owned, sqlite::Database* database,
            Statements statements);
  static Result<Statements> prepare(sqlite::Database& database);
  Result<const std::vector<Digest>*> cached_tile(unsigned level, std::uint64_t n);

  std::unique_ptr<sqlite::Database> owned_;
  sqlite::Database* database_;
  Statements statements_;
  std::map<std::pair<unsigned, std::uint64_t>, std::vector<Digest>> tiles_;
};

}  // namespace flora::ledger
