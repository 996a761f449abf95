// For operators: how old a copy of the store is by what it holds.
#pragma once

#include <optional>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/model/time.h"

namespace flora::store {

/// When something was last written into a store, by its newest record of the audit trail: nothing
/// is accepted, read or erased without one. Nothing: it has no record. Beside whoever writes it.
/// Errors: not_found, unavailable, corrupt (the file is no store of this program).
Result<std::optional<Instant>> last_change(const sql::Place& place);

}  // namespace flora::store
