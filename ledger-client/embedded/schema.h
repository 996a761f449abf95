// The tables of an embedded ledger's database, and their version.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "gateway/base/result.h"
#include "gateway/base/sqlite.h"

namespace flora::ledger {

inline constexpr std::int64_t kSchemaVersion = 1;

/// True if the database holds a ledger of our version, false if it holds nothing at all. Errors:
/// invalid (written by a newer program, or not a ledger), and what reading can cause.
Result<bool> has_schema(sqlite::Database& database);

/// Creates the tables, the first origin and its signed checkpoint of the empty tree, in one durable
/// transaction.
Result<void> create_schema(sqlite::Database& database, const std::string& origin,
                           const std::string& checkpoint);

}  // namespace flora::ledger
