// What a mapping from before an erasure has brought back goes again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "ledger-client/ledger.h"

namespace flora::store {

/// Deletes the mapping of every procedure that has a tombstone on the ledger. Tombstones that the
/// file was purged of before are not looked at again. `lost` are entries of a ledger that was
/// replaced: a tombstone among them that `ledger` does not have counts as well, and goes into the
/// outbox. Before the store is opened, and while no gateway runs; but others may work with a
/// database that is shared: it is done behind the lock of who writes, and an erasure that they have
/// under way finds less to delete. Durable on return; on failure in part, which is not looked at
/// again. Returns the number of procedures that were there; without a file: 0. Errors: unavailable,
/// corrupt, invalid (the file is of a newer version), and those of the ledger.
Result<std::uint64_t> purge(const sql::Place& place, Ledger& ledger,
                            const std::vector<CommittedEntry>& lost = {});

/// The tombstone that an entry is, if it is one. Errors: corrupt.
Result<std::optional<Uuid>> buried_by(const std::string& body);

}  // namespace flora::store
