// Which procedures are one, in the column procedure.merged_into: what the merges in effect amount
// to, worked out from their transactions whenever one of them is accepted, replaced, taken back or
// lost.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/model/history.h"
#include "ledger-client/ledger.h"

namespace flora::store {

/// Used by the one thread that writes, within its transaction.
class Merges {
 public:
  /// Both must outlive it. `ledger` holds what has left the outbox; nullptr: nothing has. If the
  /// database is shared it may lag behind what others know: what it lacks cannot be worked
  /// out (is_readable()).
  static Result<Merges> open(sql::Database& database, Ledger* ledger);
  Merges(Merges&&) noexcept;
  ~Merges();

  /// Works out anew what the procedure is joined to, with all that is joined to it: each leads to
  /// the one that remains, which leads nowhere. Errors: what SQLite and the ledger report; the
  /// transaction must be rolled back then.
  Result<void> update(std::int64_t procedure);

  /// Whether the ledger has all that update() of one of these would read of it now. Changes
  /// nothing.
  Result<bool> is_readable(std::vector<std::int64_t> procedures);

 private:
  // Procedures that are or were joined, with their entries about merges.
  struct Joined {
    std::map<std::int64_t, Uuid> procedures;
    std::vector<HistoryEntry> entries;
  };
  Result<Joined> joined_with(std::vector<std::int64_t> open);

  struct Statements;
  Merges(std::unique_ptr<Statements> statements, Ledger* ledger, bool may_lag);

  Result<std::vector<HistoryEntry>> entries_of(std::int64_t procedure);
  Result<std::optional<HistoryEntry>> find(const Uuid& transaction_id);
  Result<std::vector<std::int64_t>> neighbours(std::int64_t procedure,
                                               const std::vector<HistoryEntry>& entries);

  std::unique_ptr<Statements> s_;
  Ledger* ledger_;
  bool may_lag_;
};

}  // namespace flora::store
