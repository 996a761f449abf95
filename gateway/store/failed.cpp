#include "gateway/store/failed.h"

#include "gateway/store/newest.h"
#include "gateway/store/outbox_rows.h"
#include "gateway/store/schema.h"

namespace flora::store {

namespace {

Result<std::vector<OutboxEntry>> failed_of(sql::Database& database) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT n, transaction_id, body, failed FROM outbox "
                                             "WHERE failed<>'' ORDER BY n"));
  std::vector<OutboxEntry> entries;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return entries;
    entries.push_back({select.integer(0), uuid_from_bytes(select.blob(1)),
                       std::string(select.text(2)), std::string(select.text(3))});
  }
}

// Within a transaction. Who shares the database finds the rows behind all others.
Result<void> reopen_all(sql::Database& database, std::vector<Uuid>& transactions, Env& env) {
  if (transactions.empty()) {
    FLORA_ASSIGN(const auto all, failed_of(database));
    for (const OutboxEntry& one : all) transactions.push_back(one.transaction_id);
  }
  FLORA_ASSIGN(OutboxRows rows, OutboxRows::open(database, env));
  if (!database.is_shared()) {
    for (const Uuid& id : transactions) FLORA_TRY(rows.reopen(id, std::nullopt));
    return {};
  }
  FLORA_ASSIGN(Newest newest, Newest::prepare(database));
  FLORA_ASSIGN(Newest::State state, newest.read());
  for (const Uuid& id : transactions) FLORA_TRY(rows.reopen(id, ++state.number));
  return newest.write(state);
}

}  // namespace

Result<std::vector<OutboxEntry>> failed_in(const sql::Place& place) {
  FLORA_ASSIGN(auto database, sql::open(place, sql::Access::read));
  return failed_of(*database);
}

Result<std::int64_t> reopen_failed_in(const sql::Place& place, std::vector<Uuid> transactions,
                                      Env& env) {
  FLORA_ASSIGN(auto database, sql::open(place, sql::Access::write));
  FLORA_TRY(prepare_schema(*database));
  FLORA_TRY(database->begin());
  Result<void> done = reopen_all(*database, transactions, env);
  if (done) done = database->commit();
  if (!done) {
    database->rollback();
    return done.error();
  }
  return static_cast<std::int64_t>(transactions.size());
}

}  // namespace flora::store
