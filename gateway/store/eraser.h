// Erasures within the writer's transactions: which are under way, and the deletion itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/model/ids.h"

namespace flora::store {

/// Used by the writer thread alone. Errors of all methods: what SQLite reports; the transaction
/// must be rolled back then.
class Eraser {
 public:
  static Result<Eraser> open(sql::Database& database);

  /// Reads again which are under way: others may have begun or ended some. At the beginning of a
  /// transaction.
  Result<void> load();

  /// True from begin() to the deletion.
  bool is_under_way(const Uuid& procedure) const { return under_way_.contains(procedure); }
  std::int64_t count() const { return static_cast<std::int64_t>(under_way_.size()); }
  /// The number of the first tombstone that is waited for, or nothing.
  std::optional<std::int64_t> next() const;

  /// The procedure and all that it is merged with, in both directions; none, if it is not known.
  Result<std::vector<Uuid>> merged_with(const Uuid& procedure);

  /// True if something was accepted of one of the procedures that is not among `known`.
  Result<bool> holds_more(const std::vector<Uuid>& procedures, const std::vector<Uuid>& known);

  /// The procedure is to be deleted when the transaction of this number is on the ledger.
  Result<void> begin(const Uuid& procedure, std::int64_t tombstone);

  /// Deletes the procedures whose tombstones have at most this number, and returns them.
  Result<std::vector<Uuid>> delete_through(std::int64_t number);

  /// The same with those whose tombstones have one of these numbers, and with what else is in the
  /// outbox of them: a remote ledger has refused it. `rows` is the number of such rows.
  struct Deleted {
    std::vector<Uuid> procedures;
    std::int64_t rows = 0;
  };
  Result<Deleted> delete_settled(const std::vector<std::int64_t>& numbers);

  /// Deletes what is in the outbox of a procedure that the store knows; the number of rows.
  Result<std::int64_t> delete_rows(const Uuid& procedure);

  /// Deletes identifiers, identities, kept answers and the procedure itself, with the key that it
  /// may have. False: the store does not know it.
  Result<bool> delete_mapping(const Uuid& procedure);

  /// The transaction is durable, or was taken back.
  void committed() { settled_ = under_way_; }
  void rolled_back() { under_way_ = settled_; }

 private:
  struct Statements {
    sql::Statement under_way;
    sql::Statement merged_with;
    sql::Statement transactions;
    sql::Statement insert;
    sql::Statement remove;
    sql::Statement delete_outbox;
    sql::Statement find_procedure;
    sql::Statement delete_answers;
    sql::Statement delete_identifiers;
    sql::Statement delete_submissions;
    sql::Statement detach;
    sql::Statement delete_procedure;
  };
  explicit Eraser(Statements statements) : s_(std::move(statements)) {}
  Result<void> bury(const Uuid& procedure);

  Statements s_;
  std::map<Uuid, std::int64_t> under_way_;  // With the number of the tombstone.
  std::map<Uuid, std::int64_t> settled_;    // The same behind the last commit.
};

}  // namespace flora::store
