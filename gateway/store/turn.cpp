#include "gateway/store/turn.h"

#include <utility>

namespace flora::store {
namespace {

const Error kAnotherTurn{Errc::conflict, "another gateway has the turn"};

// An update of the one row, or of none.
Result<void> run(sql::Statement& update) {
  FLORA_TRY(update.run());
  if (update.changes() == 0) return kAnotherTurn;
  return {};
}

}  // namespace

Result<Turn> read_turn(sql::Database& database) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT fence, beat, length(holder) FROM turn"));
  FLORA_ASSIGN(const bool row, select.step());
  if (!row) return Error{Errc::corrupt, "the database does not say whose turn it is"};
  return Turn{select.integer(0), select.integer(1), select.integer(2) == 0};
}

TurnRow::TurnRow(Statements statements, Env& env) : s_(std::move(statements)) {
  env.random(holder_);
}

Result<std::optional<TurnRow>> TurnRow::open(sql::Database& database, Env& env) {
  if (!database.is_shared()) return std::optional<TurnRow>();
  FLORA_ASSIGN(auto take, database.prepare("UPDATE turn SET holder=?, fence=fence+1, beat=0 "
                                           "WHERE fence=? AND beat=?"));
  FLORA_ASSIGN(auto renew, database.prepare("UPDATE turn SET beat=beat+1 "
                                            "WHERE fence=? AND length(holder)>0"));
  FLORA_ASSIGN(auto give_back, database.prepare("UPDATE turn SET holder='' "
                                                "WHERE fence=? AND length(holder)>0"));
  FLORA_ASSIGN(auto current,
               database.prepare("SELECT 1 FROM turn WHERE fence=? AND length(holder)>0"));
  return std::optional(
      TurnRow({std::move(take), std::move(renew), std::move(give_back), std::move(current)}, env));
}

Result<std::int64_t> TurnRow::take(const Turn& seen) {
  s_.take.bind_blob(1, holder_).bind(2, seen.fence).bind(3, seen.beat);
  FLORA_TRY(run(s_.take));
  return seen.fence + 1;
}

Result<void> TurnRow::renew(std::int64_t fence) { return run(s_.renew.bind(1, fence)); }

Result<void> TurnRow::give_back(std::int64_t fence) { return run(s_.give_back.bind(1, fence)); }

Result<bool> TurnRow::is_current(std::int64_t fence) {
  s_.current.reset();
  FLORA_ASSIGN(const bool current, s_.current.bind(1, fence).step());
  s_.current.reset();
  return current;
}

bool TurnWatch::may_take(const Turn& seen, std::int64_t now_ns) {
  if (seen.is_free) return true;
  if (seen_ != seen) {
    seen_ = seen;
    since_ns_ = now_ns;
  }
  return now_ns - since_ns_ >= length_.count();
}

}  // namespace flora::store
