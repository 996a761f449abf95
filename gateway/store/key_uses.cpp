#include "gateway/store/key_uses.h"

#include <map>

#include "gateway/base/sql.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

using Counts = std::map<std::int64_t, std::int64_t>;

// Rows by the number of their key.
Result<Counts> count(sql::Database& database, const std::string& table, const std::string& column) {
  FLORA_ASSIGN(auto select, database.prepare("SELECT " + column + ", count(*) FROM " + table +
                                             " GROUP BY " + column));
  Counts counts;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return counts;
    counts[select.integer(0)] = select.integer(1);
  }
}

KeyUse::Kind kind_of(std::string_view use) {
  if (use == "FIRST") return KeyUse::Kind::first;
  return use == "LOOKUP" ? KeyUse::Kind::lookup : KeyUse::Kind::wrapping;
}

}  // namespace

Result<std::vector<KeyUse>> key_uses(const sql::Place& place) {
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::read));
  FLORA_ASSIGN(const bool named, has_keys(*database));
  if (!named) {
    return Error{Errc::not_found,
                 "store.db is of an earlier version: all of it was made with the mapping_secret"};
  }
  FLORA_TRY(database->begin());
  FLORA_ASSIGN(Counts procedures, count(*database, "procedure", "wrapping_key"));
  FLORA_ASSIGN(Counts identifiers, count(*database, "identifier", "lookup_key"));
  FLORA_ASSIGN(Counts submissions, count(*database, "submission", "lookup_key"));
  FLORA_ASSIGN(Counts answers, count(*database, "kept_answer", "lookup_key"));
  FLORA_ASSIGN(auto select,
               database->prepare("SELECT n, use, id FROM mapping_key ORDER BY use, n"));
  std::vector<KeyUse> uses;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return uses;
    const std::int64_t number = select.integer(0);
    uses.push_back({kind_of(select.text(1)), std::string(select.text(2)), procedures[number],
                    identifiers[number], submissions[number], answers[number]});
  }
}

}  // namespace flora::store
