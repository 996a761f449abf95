#include "gateway/store/reopen.h"

#include <filesystem>
#include <vector>

#include "gateway/base/sqlite.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

struct Row {
  std::int64_t number = 0;
  Uuid transaction_id;
};

// In chunks, so that memory does not grow with the number of submissions.
constexpr std::size_t kChunk = 4096;

Result<std::vector<Row>> settled_rows(sqlite::Database& database, std::int64_t after) {
  FLORA_ASSIGN(auto select,
               database.prepare("SELECT n, transaction_id FROM submission WHERE n>? AND content IS "
                                "NOT NULL AND transaction_id NOT IN (SELECT transaction_id FROM "
                                "outbox) ORDER BY n LIMIT ?"));
  select.bind(1, after).bind(2, std::int64_t{kChunk});
  std::vector<Row> rows;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return rows;
    rows.push_back({select.integer(0), uuid_from_bytes(select.blob(1))});
  }
}

Result<void> reopen(sqlite::Database& database, std::int64_t number) {
  FLORA_ASSIGN(auto merge,
               database.prepare("UPDATE procedure SET merged_into=NULL WHERE n=(SELECT procedure "
                                "FROM submission WHERE n=? AND "
                                "status='VERFAHREN_ZUSAMMENGEFUEHRT' AND refers IS NULL)"));
  FLORA_TRY(merge.bind(1, number).run());
  FLORA_ASSIGN(auto clear,
               database.prepare("UPDATE submission SET content=NULL, native=NULL, status=NULL, "
                                "refers=NULL WHERE n=?"));
  return clear.bind(1, number).run();
}

Result<std::uint64_t> reopen_all(sqlite::Database& database,
                                 const std::function<Result<bool>(const Uuid&)>& is_on_ledger) {
  std::uint64_t count = 0;
  std::int64_t after = 0;
  while (true) {
    FLORA_ASSIGN(const std::vector<Row> rows, settled_rows(database, after));
    if (rows.empty()) break;
    for (const Row& row : rows) {
      FLORA_ASSIGN(const bool there, is_on_ledger(row.transaction_id));
      if (there) continue;
      FLORA_TRY(reopen(database, row.number));
      ++count;
    }
    after = rows.back().number;
  }
  if (count > 0) FLORA_TRY(database.execute("DELETE FROM kept_answer"));
  return count;
}

}  // namespace

Result<std::uint64_t> reopen_lost(const std::string& path,
                                  const std::function<Result<bool>(const Uuid&)>& is_on_ledger) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::uint64_t{0};
  FLORA_ASSIGN(auto database, sqlite::Database::open(path, sqlite::Mode::read_write));
  FLORA_TRY(prepare_schema(database));
  FLORA_TRY(database.begin());
  Result<std::uint64_t> count = reopen_all(database, is_on_ledger);
  if (!count) {
    database.rollback();
    return count;
  }
  FLORA_TRY(database.commit());
  return count;
}

}  // namespace flora::store
