// Which channels of a ledger network the rows of a store name, for who wants to take one away.
// Beside a running gateway.
#pragma once

#include <set>
#include <string>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"

namespace flora::store {

/// Those that entries of the outbox and procedures of the mapping name. Nothing for a file of an
/// earlier version. Looks at every procedure: takes a second for millions. Blocks. Errors:
/// not_found, unavailable, corrupt.
Result<std::set<std::string>> channels_in_use(const sql::Place& place);

}  // namespace flora::store
