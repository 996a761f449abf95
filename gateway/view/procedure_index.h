// Start here. The read model: which ledger entries belong to which procedure. It is derived from
// the ledger alone, may be deleted at any time, and is then rebuilt from the entries.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"
#include "ledger-client/ledger.h"

namespace flora::view {

/// What the index needs of a committed entry.
struct IndexedEntry {
  std::uint64_t index = 0;
  Uuid transaction_id;
  Uuid procedure;
  std::optional<Uuid> merged_into;
  bool tombstone = false;   ///< It says that the mapping of the procedure is erased.
  std::string status = {};  ///< Empty for a tombstone.
  Instant recorded = {};
};

/// Errors: corrupt (the body is no entry).
Result<IndexedEntry> indexed(const CommittedEntry& entry);

/// An entry that says that its procedure has ended.
struct EndingEntry {
  Instant recorded;
  std::uint64_t index = 0;
  Uuid procedure;
};

/// Thread-safe. One thread writes, without fsync and in groups of its own: nobody waits for that
/// but a reader, who sees all that was on the ledger when it asked. What the power takes away is
/// read again from the ledger at the next start.
class ProcedureIndex {
 public:
  /// Opens or creates view.db, throws it away if it is damaged or does not belong to this ledger,
  /// and reads from the ledger what it lacks. Blocks until then. The ledger must outlive the index.
  /// `ending` are the statuses that end a procedure, sorted; a file that was made with others is
  /// thrown away, too. Errors: unavailable, corrupt (an entry of the ledger cannot be read).
  static Result<std::unique_ptr<ProcedureIndex>> open(const std::string& path, Ledger& ledger,
                                                      std::vector<std::string> ending = {});
  /// The same as it is, beside a gateway that writes it; append() must not be called. Errors:
  /// not_found, unavailable, invalid (it was made by another version, or with other statuses).
  static Result<std::unique_ptr<ProcedureIndex>> open_as_it_is(const std::string& path,
                                                               Ledger& ledger,
                                                               std::vector<std::string> ending);
  /// Waits until everything that was queued is written.
  ~ProcedureIndex();

  /// Takes committed entries; `done` is called on the index's thread, from then on every reader
  /// sees them. Entries may come in any order and more than once.
  void append(std::vector<IndexedEntry> entries, std::function<void()> done);

  /// The ledger indexes of a procedure's own entries, rising. Blocks on the disk. Errors:
  /// unavailable (also where what the ledger holds could not be written here).
  Result<std::vector<std::uint64_t>> entries_of(const Uuid& procedure);

  /// The procedures whose entries name this one as `mergedInto` (also where that was revoked
  /// since). Blocks on the disk. Errors: as above.
  Result<std::vector<Uuid>> merged_from(const Uuid& procedure);

  /// The procedure itself if it has entries; else another one that has, always the same one for the
  /// same `place` as long as no other comes between: where it is looked for. Nil if there is none
  /// at all. It costs the same in each case. Blocks on the disk. Errors: as above.
  Result<Uuid> itself_or_another(const Uuid& procedure, const Uuid& place);

  /// The ledger index of a procedure's tombstone, or nothing. From its tombstone on a procedure has
  /// no entries here and is merged with none. Blocks on the disk. Errors: as above.
  Result<std::optional<std::uint64_t>> tombstone_of(const Uuid& procedure);

  /// Entries with a status that ends a procedure, of procedures that have no tombstone, in the
  /// order in which they were recorded; at most `limit`, behind `after`. Whether one is in effect
  /// is the matter of conclusion(). Blocks on the disk. Errors: as above.
  Result<std::vector<EndingEntry>> ending_entries(const std::optional<EndingEntry>& after,
                                                  std::size_t limit);

  /// Entries from 0 up to here are in the index.
  std::uint64_t position() const;

 private:
  class Core;
  explicit ProcedureIndex(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace flora::view
