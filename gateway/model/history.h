// What transactions amount to: which of them are in effect, in which order, and which procedures
// they join. Pure functions; the read model and the mapping share them, so that the two agree.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/model/transaction.h"

namespace flora {

/// The one status that joins procedures.
inline constexpr std::string_view kMergeStatus = "VERFAHREN_ZUSAMMENGEFUEHRT";

/// One entry of a history.
struct HistoryEntry {
  std::uint64_t index = 0;  ///< Its place in the ledger.
  bool is_ordered = true;   ///< That place is its position: Ledger::numbering() is empty.
  Transaction transaction;
  bool effective = true;  ///< Neither replaced nor taken back, and not itself a revocation.
  std::optional<Uuid> replaced_by;  ///< The correction that is in effect instead.
  std::optional<Uuid> revoked_by;
  bool details_withheld = false;  ///< There are details, and the reader may not see them.
};

/// Marks what is in effect, and sorts by time, sourceSequence, ledger position. Copies of several
/// channels are numbered differently: there recordedAt and id are in place of that. A correction
/// replaces its target; a revocation takes its target back; a correction that was taken back
/// restores what it had replaced; what corrects an entry that was taken back, or that lost to
/// another correction, shares its fate: of one event at most one form is in effect. Of several
/// corrections of one event the BAMF's prevails, then the larger sourceSequence, then the later
/// by these. A calendar day sorts as its first instant in Europe/Berlin. The result
/// depends on `index` only where all of that leaves a tie.
void settle(std::vector<HistoryEntry>& entries);

/// One procedure is another's: both are one person's.
struct Merge {
  Uuid from;
  Uuid into;
};

/// The merges in effect, in their order. `entries` is settled.
std::vector<Merge> merges_in_effect(const std::vector<HistoryEntry>& entries);

/// For each procedure that the merges name, the one that remains of those that it is joined to. In
/// their order, each merge lets what the first belongs to go into what the second belongs to; where
/// the two are joined already it changes nothing.
std::map<Uuid, Uuid> remaining(const std::vector<Merge>& merges);

}  // namespace flora
