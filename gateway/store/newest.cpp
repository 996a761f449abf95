#include "gateway/store/newest.h"

#include <algorithm>
#include <utility>

namespace flora::store {
namespace {

// What was put into the outbox while no gateway ran did not come by here.
Result<void> count_outbox(sql::Database& database, Newest& newest) {
  FLORA_ASSIGN(Newest::State state, newest.read());
  FLORA_ASSIGN(auto select, database.prepare("SELECT coalesce(max(n), 0), count(*) FROM outbox"));
  FLORA_ASSIGN(const bool row, select.step());
  if (!row) return Error{Errc::corrupt, "the outbox cannot be counted"};
  state.number = std::max(state.number, select.integer(0));
  state.outbox = select.integer(1);
  return newest.write(state);
}

}  // namespace

Result<std::optional<Newest>> Newest::open(sql::Database& database) {
  if (!database.is_shared()) return std::optional<Newest>();
  FLORA_ASSIGN(Newest newest, prepare(database));
  FLORA_TRY(database.begin());
  Result<void> done = count_outbox(database, newest);
  if (done) done = database.commit();
  if (!done) {
    database.rollback();
    return std::move(done).error();
  }
  return std::optional(std::move(newest));
}

Result<Newest> Newest::prepare(sql::Database& database) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT number, recorded, outbox FROM newest"));
  FLORA_ASSIGN(auto update, database.prepare("UPDATE newest SET number=?, recorded=?, outbox=?"));
  return Newest(std::move(select), std::move(update));
}

Result<Newest::State> Newest::read() {
  select_.reset();
  FLORA_ASSIGN(const bool row, select_.step());
  if (!row) return Error{Errc::corrupt, "the database does not say what is newest"};
  const State state{select_.integer(0), {select_.integer(1)}, select_.integer(2)};
  select_.reset();
  return state;
}

Result<void> Newest::write(const State& state) {
  return update_.bind(1, state.number).bind(2, state.recorded.ms).bind(3, state.outbox).run();
}

}  // namespace flora::store
