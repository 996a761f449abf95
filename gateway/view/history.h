// What a procedure's entries say: its current state, and who may see it. Pure functions over
// settled entries; which of them are in effect is the matter of gateway/model/history.h.
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

/// Who asks: the authorities that a caller acts for, their Land and role.
struct Reader {
  std::vector<std::string> authorities;
  std::string land;
  std::string role;
};

/// How much of a procedure a reader may see. It follows from the ledger's entries alone: the BAMF
/// sees all; so do the Land and the AE that registered, and the Land and authority that it was
/// handed over to. Who has only reported sees the own reports.
enum class Competence { none, own_reports, full };
Competence competence(const std::vector<HistoryEntry>& entries, const Reader& reader);

}  // namespace flora::view
