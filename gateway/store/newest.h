// What the gateways that share a database tell one another with each commit, and what one of them
// would know by itself: the newest number and time of acceptance, and the length of the outbox.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/base/sql.h"
#include "gateway/model/time.h"

namespace flora::store {

/// The writer's side; used by one thread, within its transactions. Errors: what the database
/// reports.
class Newest {
 public:
  struct State {
    std::int64_t number = 0;  ///< Of the newest transaction that was ever put into the outbox.
    Instant recorded;         ///< The newest recordedAt.
    std::int64_t outbox = 0;  ///< Transactions in the outbox.
  };

  /// Nothing, if nobody shares the database.
  static Result<std::optional<Newest>> open(sql::Database& database);
  /// For one transaction of who has not opened the store. Only of a database that is shared.
  static Result<Newest> prepare(sql::Database& database);

  Result<State> read();
  Result<void> write(const State& state);

 private:
  Newest(sql::Statement select, sql::Statement update)
      : select_(std::move(select)), update_(std::move(update)) {}

  sql::Statement select_;
  sql::Statement update_;
};

}  // namespace flora::store
