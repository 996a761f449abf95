// Whose turn it is to bring the outbox to the network, of the gateways that share a database: the
// row that says so, and when one who looks at it may take the turn. No clock is shared: the holder
// raises `beat`, and who sees the same beat for the length of a turn, by its own clock, knows that
// the holder has not.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gateway/base/env.h"
#include "gateway/base/sql.h"

namespace flora::store {

/// As the row has it.
struct Turn {
  std::int64_t fence = 0;  ///< Raised by each who takes the turn: names one turn for ever.
  std::int64_t beat = 0;   ///< Raised by its holder.
  bool is_free = true;     ///< It was given back, or nobody has had it yet.

  bool operator==(const Turn&) const = default;
};

/// What a reader sees. Errors: what the database reports; corrupt.
Result<Turn> read_turn(sql::Database& database);

/// The writer's side; used by one thread, within its transactions. Errors of all methods: what the
/// database reports; conflict: the turn is another one now, and nothing was changed.
class TurnRow {
 public:
  /// Nothing, if nobody shares the database: then it is always this one's turn.
  static Result<std::optional<TurnRow>> open(sql::Database& database, Env& env);

  /// Returns the fence of the new turn, if it is still as it was seen.
  Result<std::int64_t> take(const Turn& seen);
  Result<void> renew(std::int64_t fence);
  Result<void> give_back(std::int64_t fence);
  /// True while it is the turn of that fence.
  Result<bool> is_current(std::int64_t fence);

 private:
  struct Statements {
    sql::Statement take;
    sql::Statement renew;
    sql::Statement give_back;
    sql::Statement current;
  };
  TurnRow(Statements statements, Env& env);

  Statements s_;
  std::array<std::byte, 16> holder_{};  // Names this process, for who looks at the database.
};

/// For one who has not the turn: when to take it. Not thread-safe; times are of Env::steady_ns().
class TurnWatch {
 public:
  explicit TurnWatch(std::chrono::nanoseconds length) : length_(length) {}

  /// What was read; `now_ns` is of after the reading. True: it is free, or its holder has not been
  /// heard of for the length of a turn.
  bool may_take(const Turn& seen, std::int64_t now_ns);

  /// What comes next is seen for the first time.
  void forget() { seen_.reset(); }

 private:
  std::chrono::nanoseconds length_;
  std::optional<Turn> seen_;
  std::int64_t since_ns_ = 0;
};

}  // namespace flora::store
