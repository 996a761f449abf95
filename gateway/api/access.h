// What a caller may read, for the operations that read: facts of the ledger go in, the decision of
// gateway/policy comes out. What is unknown costs the same work as what is hidden.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/api/api.h"
#include "gateway/policy/decision.h"
#include "gateway/view/history.h"

namespace flora::api {

policy::EntryFacts facts_of(const Transaction& transaction);

/// Of a procedure's entries, which are settled.
std::vector<policy::EntryFacts> facts_of(const std::vector<view::HistoryEntry>& entries);

/// The record of an access of the caller.
std::string record_of(const policy::Caller& caller, audit::Action action,
                      const AuditEffect& effect);

/// The refusal of an operation that is not open to the caller, whatever it is about; nothing: it
/// is open.
std::optional<Problem> refusal_of(const policy::Policy& policy, const policy::Caller& caller,
                                  std::string_view operation);

/// A procedure as one caller may see it.
struct ReadProcedure {
  std::vector<view::HistoryEntry> entries;  ///< Those that are shown, in the order of time.
  std::optional<Uuid> merged_into;
  std::vector<Uuid> procedures;  ///< Those that entries were read of, whether or not any is shown.

  /// What the audit says of it.
  AuditEffect effect() const;
};

/// What is asked for: a pseudonym, nil if none was found; and a keyed hash of the question.
struct Question {
  Uuid procedure;
  Digest place;
};

/// Those joined to it included. For a procedure that there is not, and for one that the caller
/// may not see, the same is done, and nothing comes out. Blocks on the disk. Errors: unavailable.
Result<ReadProcedure> read_procedure(const Parts& parts, const policy::Caller& caller,
                                     std::string_view operation, const Question& question);

/// A procedure as its authorities' data protection officer may see it, without those joined to it.
struct KnownProcedure {
  bool exists = false;                    ///< The ledger has entries of it.
  std::vector<view::HistoryEntry> shown;  ///< Those that are shown.

  /// The caller's authorities have reported on it, or are competent for it.
  bool is_own() const { return !shown.empty(); }
};

/// Neither, if none is named. Blocks on the disk. Errors: unavailable.
Result<KnownProcedure> known_procedure(const Parts& parts, const policy::Caller& caller,
                                       const std::optional<Uuid>& procedure);

/// One submission as one caller may see it.
struct ReadTransaction {
  std::optional<Transaction> transaction;  ///< Nothing: unknown or hidden.
  std::optional<std::uint64_t> index;      ///< Nothing: not committed yet.
  std::string failed;                      ///< Why the ledger has refused it; empty: it has not.
  AuditEffect effect;
};

/// As read_procedure().
Result<ReadTransaction> read_transaction(const Parts& parts, const policy::Caller& caller,
                                         std::string_view operation, const Uuid& id);

}  // namespace flora::api
