// The tables of store.db and their version.
#pragma once

#include "gateway/base/result.h"
#include "gateway/base/sqlite.h"

namespace flora::store {

/// Creates the tables in a new file. Errors: invalid (the file is of a newer version), corrupt (it
/// belongs to something else), unavailable.
Result<void> prepare_schema(sqlite::Database& database);

}  // namespace flora::store
