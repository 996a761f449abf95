// The one function that decides whether a caller may use an operation and how much of an object it
// may read. It takes facts of the ledger and rules of the policy, and knows no database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/policy/policy.h"

namespace flora::policy {

/// What rights follow from, of one entry of the ledger.
struct EntryFacts {
  std::string status;
  std::string authority;            ///< That reported it.
  std::string land;                 ///< Of that authority.
  bool effective = true;            ///< Neither replaced nor taken back.
  std::string receiving_land;       ///< Of an entry that hands the procedure over; else empty.
  std::string receiving_authority;  ///< The same.
};

/// How much of one entry is shown, and why.
struct Shown {
  Show show = Show::hidden;
  bool own = false;                ///< The caller reported it.
  const Withheld* rule = nullptr;  ///< What withholds it; lives as long as the policy.
};

struct Decision {
  /// False: the operation is not open to the caller, whatever it is about. That is no secret: 403.
  bool permitted = false;
  /// What the operation reads; nothing: no object whose reading has rules.
  std::optional<Object> object;
  /// Why the caller may read this object; nothing: it may not, and is answered as if there were
  /// none.
  std::optional<Relation> relation;
  std::vector<Shown> entries;  ///< One for each of the facts, whatever the answer.
};

/// `operation` is an operationId of the document. `entries` are all those of the object, in their
/// order of time (of a transaction: itself; of log entries: none are needed). The decision depends
/// on nothing else. A decision without entries says whether the operation is open at all.
Decision decide(const Policy& policy, const Caller& caller, std::string_view operation,
                const std::vector<EntryFacts>& entries);

/// Whether a caller whom the operation is open to may have a procedure's mapping erased. `entries`
/// are all those of the procedure and of what is joined to it. The BAMF may, wherever there are
/// any; an authority may where all of them are its own: who has handed a procedure on, or has taken
/// one over, cannot take it away from the others.
bool may_erase(const Caller& caller, const std::vector<EntryFacts>& entries);

/// Why the decision is as it is, in one sentence; of an operation that is not permitted, fit for
/// the caller's eyes: it names the caller's own duty and role and the operation, and no object.
std::string explain(const Policy& policy, const Caller& caller, std::string_view operation,
                    const Decision& decision);

/// The same of one entry.
std::string explain(const Shown& shown);

/// Why a report is not allowed, in one sentence that is fit for the caller's eyes.
std::string explain(Denial denial, const Caller& caller, const Status& status);

}  // namespace flora::policy
