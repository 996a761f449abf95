// What a procedure's entries say: its current state. Pure functions over settled entries; which of
// them are in effect is the matter of gateway/model/history.h, who may see them gateway/policy's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/model/catalogue.h"
#include "gateway/model/history.h"

namespace flora::view {

using flora::HistoryEntry;
using flora::settle;

/// The newest entry in effect that moves the procedure on, or nullptr. A status of all
/// sub-processes (`catalogue`) says something about the data and does not. `entries` is settled.
const HistoryEntry* current(const std::vector<HistoryEntry>& entries, const Catalogue& catalogue);

/// The newest entry in effect with this status, or nullptr. `entries` is settled.
const HistoryEntry* newest(const std::vector<HistoryEntry>& entries, std::string_view status);

/// Leaves of the entries of joined procedures those that a reading of `procedure` is about: its
/// own, and if it is the one that remains, those of all that are joined to it. Gives the one that
/// remains. `entries` is settled.
Uuid keep_read(std::vector<HistoryEntry>& entries, const Uuid& procedure);

}  // namespace flora::view
