#include "gateway/base/sqlite.h"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "gateway/base/sqlite_remains.h"

namespace flora::sqlite {
namespace {

constexpr int kBusyMs = 5000;
constexpr int kEmptyLogMs = 10;

Errc code_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_CONSTRAINT:
      return Errc::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Errc::overloaded;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    default:
      return Errc::unavailable;
  }
}

// SQLite's message names tables and columns of ours, never values.
Error error_of(sqlite3* handle, int result) {
  std::string message = sqlite3_errstr(result);
  if (handle != nullptr) {
    message += ": ";
    message += sqlite3_errmsg(handle);
  }
  return {code_of(result), std::move(message)};
}

[[noreturn]] void abort_with(const char* what, const char* detail) {
  std::fprintf(stderr, "%s: %s\n", what, detail);
  std::abort();
}

}  // namespace

Result<Database> Database::open(const std::string& path, Mode mode, Sync sync,
                                const std::string& vfs) {
  const int access =
      mode == Mode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  // Statistics that nobody reads put a lock of all connections around each allocation. No effect,
  // and no harm, if SQLite runs already.
  [[maybe_unused]] static const int without_statistics = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, access | SQLITE_OPEN_NOMUTEX,
                                     vfs.empty() ? nullptr : vfs.c_str());
  Database database(handle);
  if (result != SQLITE_OK) {
    Error error = error_of(handle, result);
    if ((result & 0xFF) == SQLITE_CANTOPEN && mode == Mode::read_only) error.code = Errc::not_found;
    error.message += " (" + path + ")";
    return error;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMs);
  FLORA_TRY(
      database.execute("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; "
                       "PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;"));
  if (mode == Mode::read_write) {
    FLORA_TRY(database.execute("PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL;"));
    FLORA_TRY(database.execute("PRAGMA cache_size=-16384;"));  // KiB.
    FLORA_TRY(database.execute(sync == Sync::full ? "PRAGMA synchronous=FULL;"
                                                  : "PRAGMA synchronous=NORMAL;"));
    int keep = 1;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  }
  return database;
}

Database::Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Database::~Database() {
  // close_v2 waits for statements that outlive the connection object during a move.
  sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return error_of(handle_, result);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) {
    Error error = error_of(handle_, result);
    if (result == SQLITE_ERROR) error.code = Errc::corrupt;
    return error;
  }
  return Statement(statement);
}

Result<void> Database::begin() {
  const bool read_only = sqlite3_db_readonly(handle_, "main") == 1;
  return execute(read_only ? "BEGIN" : "BEGIN IMMEDIATE");
}

Result<void> Database::commit() {
  const int result = sqlite3_exec(handle_, "COMMIT", nullptr, nullptr, nullptr);
  if (result == SQLITE_OK) return {};
  Error error = error_of(handle_, result);
  error.code = Errc::uncertain;
  rollback();
  return error;
}

void Database::rollback() {
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<std::int64_t> Database::schema_version() {
  FLORA_ASSIGN(Statement statement, prepare("PRAGMA user_version"));
  FLORA_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<void> Database::set_schema_version(std::int64_t version) {
  return execute("PRAGMA user_version=" + std::to_string(version));
}

Result<void> Database::checkpoint() {
  const int result =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (result != SQLITE_OK && result != SQLITE_BUSY) return error_of(handle_, result);
  return {};
}

Result<void> Database::checkpoint_by_hand(int* pages) {
  FLORA_TRY(execute("PRAGMA wal_autocheckpoint=0"));
  sqlite3_wal_hook(
      handle_,
      [](void* count, sqlite3*, const char*, int in_log) {
        *static_cast<int*>(count) = in_log;
        return SQLITE_OK;
      },
      pages);
  return {};
}

Result<bool> Database::empty_log() {
  // A writer must not wait long for who reads; the caller tries again.
  sqlite3_busy_timeout(handle_, kEmptyLogMs);
  const int result =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(handle_, kBusyMs);
  if ((result & 0xFF) == SQLITE_BUSY) return false;
  if (result != SQLITE_OK) return error_of(handle_, result);
  // What is in memory may have remains that the file has not: the next change would write them.
  sqlite3_db_release_memory(handle_);
  return true;
}

Result<void> Database::write_no_remains() {
  FLORA_TRY(execute("PRAGMA max_page_count=" + std::to_string(kMostPagesWithoutRemains)));
  wipe_what_is_written(handle_);
  return {};
}

Result<void> Database::wipe_remains() {
  FLORA_ASSIGN(const bool emptied, empty_log());
  if (!emptied) return Error{Errc::unavailable, "somebody else reads the database"};
  const int result = wipe_file(handle_);
  return result == SQLITE_OK ? Result<void>() : Result<void>(error_of(handle_, result));
}

Result<void> Database::backup_to(const std::string& path) {
  FLORA_ASSIGN(Database target, open(path, Mode::read_write));
  sqlite3_backup* backup = sqlite3_backup_init(target.handle_, "main", handle_, "main");
  if (backup == nullptr) return error_of(target.handle_, sqlite3_errcode(target.handle_));
  int result = SQLITE_OK;
  do {
    result = sqlite3_backup_step(backup, 256);
  } while (result == SQLITE_OK);
  sqlite3_backup_finish(backup);
  if (result != SQLITE_DONE) return error_of(target.handle_, result);
  const int moved = sqlite3_wal_checkpoint_v2(target.handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                              nullptr, nullptr);
  if (moved != SQLITE_OK) return error_of(target.handle_, moved);
  return {};
}

Statement::Statement(Statement&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

// A failed bind is a wrong parameter number or exhausted memory: both are ours.
Statement& Statement::bind(int parameter, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, parameter, value) != SQLITE_OK) {
    abort_with("bind", sqlite3_sql(handle_));
  }
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view text) {
  const char* const data = text.empty() ? "" : text.data();
  if (sqlite3_bind_text64(handle_, parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8) !=
      SQLITE_OK) {
    abort_with("bind", sqlite3_sql(handle_));
  }
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::span<const std::byte> bytes) {
  const int result = bytes.empty() ? sqlite3_bind_zeroblob(handle_, parameter, 0)
                                   : sqlite3_bind_blob64(handle_, parameter, bytes.data(),
                                                         bytes.size(), SQLITE_STATIC);
  if (result != SQLITE_OK) abort_with("bind", sqlite3_sql(handle_));
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  if (sqlite3_bind_null(handle_, parameter) != SQLITE_OK) abort_with("bind", sqlite3_sql(handle_));
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  const Error error = error_of(sqlite3_db_handle(handle_), result);
  sqlite3_reset(handle_);
  return error;
}

Result<void> Statement::run() {
  Result<bool> row = step();
  while (row && *row) row = step();
  reset();
  if (!row) return std::move(row).error();
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

std::int64_t Statement::changes() const { return sqlite3_changes64(sqlite3_db_handle(handle_)); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::span<const std::byte> Statement::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(handle_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

}  // namespace flora::sqlite
