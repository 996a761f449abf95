// The ledger's entries of a procedure, and whose procedure it is. Blocks on the disk.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "gateway/policy/policy.h"
#include "gateway/view/history.h"

namespace flora::api {

struct Parts;

/// The procedure's own entries, settled; none if it is not known.
Result<std::vector<view::HistoryEntry>> own_entries(const Parts& parts, const Uuid& procedure);

/// The settled entries of a procedure and of all that are joined with it by merges in effect.
using Joined = std::map<Uuid, std::vector<view::HistoryEntry>>;

Result<Joined> joined_with(const Parts& parts, const Uuid& procedure);

/// Where the procedure's events are shown: in the one that remains of those that are joined.
Uuid shown_in(const Uuid& procedure, const Joined& joined);

/// A procedure that somebody names.
struct OfProcedure {
  bool exists = false;                    ///< The ledger has entries of it.
  std::vector<view::HistoryEntry> shown;  ///< Those that the caller may see.

  /// The caller's authorities have reported on it, or are competent for it.
  bool is_own() const { return !shown.empty(); }
};

/// Neither, if none is named.
Result<OfProcedure> of_procedure(const Parts& parts, const std::optional<Uuid>& procedure,
                                 const policy::Caller& caller);

}  // namespace flora::api
