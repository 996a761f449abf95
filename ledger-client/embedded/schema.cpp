#include "ledger-client/embedded/schema.h"

namespace flora::ledger {
namespace {

// A ledger's database says so in its header: "FLLG".
constexpr std::int64_t kApplicationId = 0x464C4C47;

// `entry.idx` counts from 0 without gaps. `tile.hashes` is the content of a tlog-tiles tile: at
// level 0 full tiles only (a partial one follows from the entries), above it the last one may be
// partial. `checkpoint.note` is one signed checkpoint per commit; `epoch` names the row of `origin`
// under which it was signed.
constexpr const char* kTables[] = {
    R"(CREATE TABLE entry(
  idx INTEGER PRIMARY KEY CHECK(idx >= 0),
  id BLOB NOT NULL UNIQUE CHECK(length(id) = 16),
  body TEXT NOT NULL) STRICT)",
    R"(CREATE TABLE tile(
  level INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY(level, n)) STRICT, WITHOUT ROWID)",
    R"(CREATE TABLE origin(
  epoch INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  first_size INTEGER NOT NULL) STRICT)",
    R"(CREATE TABLE checkpoint(
  size INTEGER NOT NULL,
  epoch INTEGER NOT NULL REFERENCES origin(epoch),
  note TEXT NOT NULL,
  PRIMARY KEY(size, epoch)) STRICT, WITHOUT ROWID)"};

Result<std::int64_t> integer_of(sqlite::Database& database, std::string_view sql) {
  FLORA_ASSIGN(sqlite::Statement statement, database.prepare(sql));
  FLORA_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

/// SQLite keeps the texts of the statements that made its tables: they must be ours.
Result<void> check_tables(sqlite::Database& database) {
  FLORA_ASSIGN(auto statement, database.prepare("SELECT sql FROM sqlite_schema "
                                                "WHERE sql IS NOT NULL ORDER BY rowid"));
  for (const char* table : kTables) {
    FLORA_ASSIGN(const bool row, statement.step());
    if (!row || statement.text(0) != table) {
      return Error{Errc::corrupt, "the ledger's tables are not those of its schema version"};
    }
  }
  FLORA_ASSIGN(const bool more, statement.step());
  if (more) return Error{Errc::corrupt, "the ledger's database has foreign tables"};
  return {};
}

}  // namespace

Result<bool> has_schema(sqlite::Database& database) {
  FLORA_ASSIGN(const std::int64_t version, database.schema_version());
  FLORA_ASSIGN(const std::int64_t tables,
               integer_of(database, "SELECT count(*) FROM sqlite_schema"));
  if (version == 0 && tables == 0) return false;
  FLORA_ASSIGN(const std::int64_t application, integer_of(database, "PRAGMA application_id"));
  if (application != kApplicationId) return Error{Errc::invalid, "the database holds no ledger"};
  if (version != kSchemaVersion) {
    return Error{Errc::invalid, "the ledger's database has schema version " +
                                    std::to_string(version) + "; this program knows " +
                                    std::to_string(kSchemaVersion)};
  }
  FLORA_TRY(check_tables(database));
  return true;
}

Result<void> create_schema(sqlite::Database& database, const std::string& origin,
                           const std::string& checkpoint) {
  FLORA_TRY(database.begin());
  for (const char* table : kTables) FLORA_TRY(database.execute(table));
  FLORA_TRY(database.execute("PRAGMA application_id=" + std::to_string(kApplicationId)));
  FLORA_TRY(database.set_schema_version(kSchemaVersion));
  FLORA_ASSIGN(sqlite::Statement first,
               database.prepare("INSERT INTO origin(epoch, name, first_size) VALUES(0, ?1, 0)"));
  FLORA_TRY(first.bind_text(1, origin).run());
  FLORA_ASSIGN(sqlite::Statement head,
               database.prepare("INSERT INTO checkpoint(size, epoch, note) VALUES(0, 0, ?1)"));
  FLORA_TRY(head.bind_text(1, checkpoint).run());
  return database.commit();
}

}  // namespace flora::ledger
