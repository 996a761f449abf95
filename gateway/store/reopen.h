// For operators: what the mapping believes to be on a ledger that has lost its end.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "ledger-client/ledger.h"

namespace flora::store {

/// Turns each submission whose transaction is neither on the ledger nor in the outbox into a mere
/// reservation of its identity: the event, sent again, is committed under the transaction id that
/// it had. Procedures are joined as the merges that are left have it, kept answers go. While no
/// gateway runs; durable on return, nothing is changed on failure. Returns the number of
/// submissions; without a file: 0. Errors: unavailable, corrupt, invalid (the file is of a newer
/// version), and those of the ledger.
Result<std::uint64_t> reopen_lost(const sql::Place& place, Ledger& ledger);

}  // namespace flora::store
