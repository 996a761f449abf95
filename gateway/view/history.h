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

/// The entry that has ended the procedure, or nullptr: it goes on. The same order as current():
/// what ends it is in effect, and nothing newer that is in effect moves it on, but for what keeps
/// an end (Conclusion). `entries` is settled.
const HistoryEntry* conclusion(const std::vector<HistoryEntry>& entries,
                               const Catalogue& catalogue);

/// Since when it was ended and was recorded as that: the later of when it happened, as it is told
/// now, and when an end was first recorded, by the entry or by one that it corrects. So nobody
/// brings a period forward by a date of long ago, and nobody begins it anew by correcting one.
/// `end` is what conclusion() gave.
Instant concluded_at(const std::vector<HistoryEntry>& entries, const HistoryEntry& end,
                     const Catalogue& catalogue);

/// Leaves of the entries of joined procedures those that a reading of `procedure` is about: its
/// own, and if it is the one that remains, those of all that are joined to it. Gives the one that
/// remains. `entries` is settled.
Uuid keep_read(std::vector<HistoryEntry>& entries, const Uuid& procedure);

}  // namespace flora::view
