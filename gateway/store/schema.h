// The tables of store.db and their version.
#pragma once

#include <array>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"

namespace flora::store {

/// Those that lead from identifiers to procedures, or say what was answered about them.
inline constexpr std::array<std::string_view, 5> kMappingTables = {
    "procedure", "identifier", "submission", "kept_answer", "erasure"};

/// Creates the tables in a new file, and brings one of an earlier version forward; durable on
/// return, and nothing is changed on failure. From here on the connection writes no remains of
/// deleted rows, and what an earlier version has left of them is overwritten. Errors: invalid (the
/// file is of a newer version), corrupt (it belongs to something else), unavailable.
Result<void> prepare_schema(sql::Database& database);

/// True if the file is a store of this program, of whatever version.
Result<bool> is_store(sql::Database& database);

/// True if the file is of a version that has the archive of adapters.
Result<bool> has_adapters(sql::Database& database);

/// True if the file is of a version that has an audit trail.
Result<bool> has_audit(sql::Database& database);

/// True if the rows of the file name their keys.
Result<bool> has_keys(sql::Database& database);

/// True if the rows of the file name their channels.
Result<bool> has_channels(sql::Database& database);

}  // namespace flora::store
