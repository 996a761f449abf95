#include "gateway/erasure/expiry.h"

#include <set>

namespace flora::erasure {

std::optional<Expiry> expiry_of(const std::vector<view::HistoryEntry>& entries,
                                const Catalogue& catalogue, const Period& period) {
  const view::HistoryEntry* const end = view::conclusion(entries, catalogue);
  if (end == nullptr) return std::nullopt;
  Expiry expiry;
  std::set<Uuid> procedures;
  for (const view::HistoryEntry& entry : entries) {
    procedures.insert(entry.transaction.procedure);
    expiry.transactions.push_back(entry.transaction.id);
  }
  expiry.procedures.assign(procedures.begin(), procedures.end());
  expiry.at = end_of(view::concluded_at(entries, *end, catalogue), period);
  return expiry;
}

}  // namespace flora::erasure
