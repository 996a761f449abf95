// The texts of each adapter version that was ever in use, by their hash: the transactions that name
// it stay explainable.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/model/ids.h"
#include "gateway/model/transaction.h"

namespace flora::store {

/// By file name.
using AdapterTexts = std::map<std::string, std::string>;

struct AdapterVersion {
  AdapterMark mark;
  Instant first_used;
};

struct ArchivedAdapter {
  AdapterVersion version;
  AdapterTexts texts;
};

/// Within the writer's transaction. It is not an error if the version is there already.
Result<void> archive_adapter(sql::Database& database, const AdapterMark& mark,
                             const AdapterTexts& texts, Instant now);

/// The versions of one adapter, in the order in which they came into use.
Result<std::vector<AdapterVersion>> archived_versions(sql::Database& database, std::string_view id);

Result<std::optional<ArchivedAdapter>> archived_adapter(sql::Database& database,
                                                        std::string_view hash);

/// The same from a file, also beside a running gateway. Errors: not_found (there is no file, or no
/// such version in it), unavailable, corrupt.
Result<ArchivedAdapter> archived_adapter(const sql::Place& place, std::string_view hash);

}  // namespace flora::store
