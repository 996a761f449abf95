// When the mapping of a procedure is due to be erased: a decision over the ledger's entries alone.
#pragma once

#include <optional>
#include <vector>

#include "gateway/model/catalogue.h"
#include "gateway/model/period.h"
#include "gateway/view/procedure_entries.h"

namespace flora::erasure {

/// The end of a period of retention.
struct Expiry {
  std::vector<Uuid> procedures;    ///< All that are joined: they go together.
  std::vector<Uuid> transactions;  ///< All that the decision stands on.
  Instant at;                      ///< From then on the mapping is due.
};

/// Of entries as view::joined_entries() gives them; nothing while the procedure goes on.
std::optional<Expiry> expiry_of(const std::vector<view::HistoryEntry>& entries,
                                const Catalogue& catalogue, const Period& period);

}  // namespace flora::erasure
