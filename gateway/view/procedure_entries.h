// The ledger's entries of a procedure and of what is joined to it. Blocks on the disk.
#pragma once

#include <vector>

#include "gateway/view/history.h"
#include "gateway/view/procedure_index.h"
#include "ledger-client/ledger.h"

namespace flora::view {

/// Where entries are found, and where they are read.
struct Entries {
  ProcedureIndex* index = nullptr;
  Ledger* ledger = nullptr;
};

/// The procedure's own entries, settled; none if it is not known.
Result<std::vector<HistoryEntry>> own_entries(const Entries& from, const Uuid& procedure);

/// Those of the procedure and of all that merges in effect join to it, settled.
Result<std::vector<HistoryEntry>> joined_entries(const Entries& from, const Uuid& procedure);

}  // namespace flora::view
