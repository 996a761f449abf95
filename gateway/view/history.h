// What a procedure's entries amount to: their order, which of them are in effect, and who may see
// them. Pure functions over transactions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/model/transaction.h"

namespace flora::view {

/// One entry of a procedure's history.
struct HistoryEntry {
  std::uint64_t index = 0;  ///< Its place in the ledger.
  Transaction transaction;
  bool effective = true;  ///< Neither replaced nor taken back, and not itself a revocation.
  std::optional<Uuid> replaced_by;  ///< The correction that is in effect instead.
  std::optional<Uuid> revoked_by;
};

/// Marks what is in effect, and sorts by time, sourceSequence, ledger position. A correction
/// replaces its target; a revocation takes its target back; a correction that was taken back
/// restores what it had replaced; of several corrections of one event the last on the ledger holds;
/// what corrects an entry that was taken back, or that lost to another correction, shares its fate:
/// of one event at most one form is in effect. A calendar day sorts as its first instant in
/// Europe/Berlin.
void settle(std::vector<HistoryEntry>& entries);

/// The newest entry in effect, or nullptr. `entries` is settled.
const HistoryEntry* current(const std::vector<HistoryEntry>& entries);

/// Where the procedure was merged into, by the newest entry in effect that says so.
std::optional<Uuid> merged_into(const std::vector<HistoryEntry>& entries);

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
