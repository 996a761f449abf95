// The ledger's entries of a procedure and of what is joined to it. Blocks on the disk.
#pragma once

#include <vector>

#include "gateway/view/history.h"

namespace flora::api {

struct Parts;

/// The procedure's own entries, settled; none if it is not known.
Result<std::vector<view::HistoryEntry>> own_entries(const Parts& parts, const Uuid& procedure);

/// Those of the procedure and of all that merges in effect join to it, settled.
Result<std::vector<view::HistoryEntry>> joined_entries(const Parts& parts, const Uuid& procedure);

}  // namespace flora::api
