#include "gateway/store/reopen.h"

#include <optional>
#include <set>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/store/merges.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

struct Submitted {
  std::int64_t number = 0;
  Uuid transaction_id;
  std::optional<std::int64_t> merge_of;  // The procedure, if it is about a merge.
};

// In chunks, so that memory does not grow with the number of submissions.
constexpr std::size_t kRowsAtATime = 4096;

Result<std::vector<Submitted>> settled_rows(sql::Database& database, std::int64_t after) {
  FLORA_ASSIGN(auto select,
               database.prepare("SELECT n, transaction_id, CASE WHEN status=?3 THEN procedure END "
                                "FROM submission WHERE n>?1 AND content IS NOT NULL AND "
                                "transaction_id NOT IN (SELECT transaction_id FROM outbox) "
                                "ORDER BY n LIMIT ?2"));
  select.bind(1, after).bind(2, std::int64_t{kRowsAtATime}).bind_text(3, kMergeStatus);
  std::vector<Submitted> rows;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return rows;
    rows.push_back({select.integer(0), uuid_from_bytes(select.blob(1)), {}});
    if (!select.is_null(2)) rows.back().merge_of = select.integer(2);
  }
}

// The event keeps its status: what refers to it relies on that.
Result<void> reopen(sql::Database& database, std::int64_t number) {
  FLORA_ASSIGN(auto clear,
               database.prepare("UPDATE submission SET content=NULL, native=NULL, refers=NULL "
                                "WHERE n=?"));
  return clear.bind(1, number).run();
}

// A merge that was lost joins nothing any more; one whose revocation was lost does again.
Result<void> update_merges(sql::Database& database, Ledger& ledger,
                           const std::set<std::int64_t>& procedures) {
  FLORA_ASSIGN(auto merges, Merges::open(database, &ledger));
  for (const std::int64_t procedure : procedures) FLORA_TRY(merges.update(procedure));
  return {};
}

Result<std::uint64_t> reopen_all(sql::Database& database, Ledger& ledger) {
  std::uint64_t count = 0;
  std::int64_t after = 0;
  std::set<std::int64_t> touched;
  while (true) {
    FLORA_ASSIGN(const std::vector<Submitted> rows, settled_rows(database, after));
    if (rows.empty()) break;
    for (const Submitted& row : rows) {
      FLORA_ASSIGN(const std::optional<std::uint64_t> index, ledger.find(row.transaction_id));
      if (index) continue;
      FLORA_TRY(reopen(database, row.number));
      if (row.merge_of) touched.insert(*row.merge_of);
      ++count;
    }
    after = rows.back().number;
  }
  FLORA_TRY(update_merges(database, ledger, touched));
  if (count > 0) FLORA_TRY(database.execute("DELETE FROM kept_answer"));
  return count;
}

}  // namespace

Result<std::uint64_t> reopen_lost(const sql::Place& place, Ledger& ledger) {
  if (!exists(place)) return std::uint64_t{0};
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::write));
  FLORA_TRY(prepare_schema(*database));
  FLORA_TRY(database->begin());
  Result<std::uint64_t> count = reopen_all(*database, ledger);
  if (!count) {
    database->rollback();
    return count;
  }
  FLORA_TRY(database->commit());
  return count;
}

}  // namespace flora::store
