#include "gateway/store/holdings.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/model/channels.h"
#include "gateway/store/outbox_rows.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

// Up from the identifier to where its procedures were merged into, and down again to all that was.
constexpr std::string_view kProcedures =
    "WITH RECURSIVE up(n) AS (SELECT procedure FROM identifier WHERE hash=?1"
    " UNION SELECT p.merged_into FROM up JOIN procedure p ON p.n=up.n"
    " WHERE p.merged_into IS NOT NULL),"
    " whole(n) AS (SELECT n FROM up"
    " UNION SELECT p.n FROM whole JOIN procedure p ON p.merged_into=whole.n)"
    " SELECT p.n, p.pseudonym, (SELECT pseudonym FROM procedure WHERE n=p.merged_into), ";
constexpr std::string_view kOfAll = " FROM whole JOIN procedure p ON p.n=whole.n ORDER BY p.n";

constexpr std::string_view kSubmissions =
    "SELECT transaction_id, authority, EXISTS(SELECT 1 FROM outbox o"
    " WHERE o.transaction_id=s.transaction_id) FROM submission s"
    " WHERE procedure=? AND content IS NOT NULL ORDER BY n";

// Calls use(row) for each row.
template <typename Use>
Result<void> for_each_row(sql::Statement& select, Use use) {
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return {};
    use(select);
  }
}

Result<void> add_mapping(sql::Database& database, std::int64_t n, Holding& holding) {
  FLORA_ASSIGN(auto types, database.prepare("SELECT type FROM identifier WHERE procedure=? "
                                            "ORDER BY type"));
  types.bind(1, n);
  FLORA_TRY(for_each_row(types, [&holding](const sql::Statement& row) {
    holding.types.push_back(static_cast<IdentifierType>(row.integer(0)));
  }));
  FLORA_ASSIGN(auto submissions, database.prepare(kSubmissions));
  submissions.bind(1, n);
  return for_each_row(submissions, [&holding](const sql::Statement& row) {
    holding.submissions.push_back(
        {uuid_from_bytes(row.blob(0)), std::string(row.text(1)), row.integer(2) != 0});
  });
}

Result<void> add_answers(sql::Database& database, Holding& holding) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT count(*), coalesce(max(expires), 0) FROM "
                                             "kept_answer WHERE procedure=?"));
  select.bind_blob(1, holding.procedure.bytes);
  return for_each_row(select, [&holding](const sql::Statement& row) {
    holding.kept_answers = row.integer(0);
    holding.answers_until = {row.integer(1)};
  });
}

// `channels` is the column, or what stands for it.
Result<std::vector<Holding>> holdings_of(sql::Database& database,
                                         const std::vector<Digest>& identifier_hashes,
                                         std::string_view channels) {
  FLORA_ASSIGN(auto select,
               database.prepare(std::string(kProcedures).append(channels) + std::string(kOfAll)));
  std::map<std::int64_t, Holding> found;
  for (const Digest& hash : identifier_hashes) {
    select.reset();
    select.bind_blob(1, hash);
    FLORA_TRY(for_each_row(select, [&found](const sql::Statement& row) {
      Holding& holding = found[row.integer(0)];
      holding.procedure = uuid_from_bytes(row.blob(1));
      if (!row.is_null(2)) holding.merged_into = uuid_from_bytes(row.blob(2));
      holding.channels = channels_of(row.text(3));
      std::erase(holding.channels, kEarlierChannel);
    }));
  }
  std::vector<Holding> holdings;
  for (auto& [n, holding] : found) {
    FLORA_TRY(add_mapping(database, n, holding));
    FLORA_TRY(add_answers(database, holding));
    holdings.push_back(std::move(holding));
  }
  return holdings;
}

}  // namespace

Result<std::vector<Holding>> holdings_of(sql::Database& database,
                                         const std::vector<Digest>& identifier_hashes) {
  return holdings_of(database, identifier_hashes, "p.channels");
}

Result<std::vector<Holding>> holdings_of(const sql::Place& place,
                                         const std::vector<Digest>& identifier_hashes) {
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::read));
  FLORA_TRY(database->begin());
  // The file may be of before the first start of this version.
  FLORA_ASSIGN(const bool named, has_channels(*database));
  return holdings_of(*database, identifier_hashes, named ? "p.channels" : "''");
}

}  // namespace flora::store
