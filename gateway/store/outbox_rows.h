// What a remote ledger has made of transactions in the outbox, within the writer's transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/sql.h"
#include "gateway/store/store.h"

namespace flora::store {

/// From the bytes of a row; aborts on another length.
outbox::Nonce nonce_of(std::span<const std::byte> bytes);

/// The channels of a row as they stand in it, and back.
std::string text_of(const std::vector<std::string>& channels);
std::vector<std::string> channels_of(std::string_view text);

/// Takes over what a row of number, body, nonce, `failed` and channels says of a repeat. Errors:
/// corrupt.
Result<void> read_waiting(const sql::Statement& row, Accepted& accepted);

/// Used by the writer thread alone. Errors of all methods: what SQLite reports; the transaction
/// must be rolled back then.
class OutboxRows {
 public:
  /// Keeps a reference to the environment.
  static Result<OutboxRows> open(sql::Database& database, Env& env);

  /// The number of rows that went.
  Result<std::int64_t> trim(std::int64_t through);
  Result<std::int64_t> settle(const outbox::Settlement& settlement);

  /// The row as it will be tried, with that number if one is given. Errors: also not_found, with
  /// nothing changed.
  Result<outbox::Row> reopen(const Uuid& transaction_id, std::optional<std::int64_t> number);

  Result<std::int64_t> count();

 private:
  struct Statements {
    sql::Statement count;
    sql::Statement trim;
    sql::Statement remove;
    sql::Statement fail;
    sql::Statement renew;
    sql::Statement find_failed;
    sql::Statement reopen;
  };
  OutboxRows(Statements statements, Env& env) : s_(std::move(statements)), env_(&env) {}

  Statements s_;
  Env* env_;
};

}  // namespace flora::store
