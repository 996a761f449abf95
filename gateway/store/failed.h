// For operators: what a remote ledger has refused.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/store/store.h"

namespace flora::store {

/// All of it, in the order of acceptance; also beside a running gateway. Errors: not_found,
/// unavailable, invalid (the store is of another version).
Result<std::vector<OutboxEntry>> failed_in(const sql::Place& place);

/// Lets these be tried again at the next start, or all if none is named; returns how many. While no
/// gateway runs, but of a database that is shared: who has the turn finds them. Durable on return.
/// Errors: not_found (one of them has not failed; nothing is changed), unavailable, uncertain.
Result<std::int64_t> reopen_failed_in(const sql::Place& place, std::vector<Uuid> transactions,
                                      Env& env);

}  // namespace flora::store
