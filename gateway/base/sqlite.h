// A thin, strict wrapper of SQLite: prepared statements, explicit transactions, errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace flora::sqlite {

enum class Mode {
  read_write,  ///< Creates the file if it is missing.
  read_only,   ///< Opens beside a running writer. Errors: not_found.
};

/// How far a commit goes. `full`: fsync at every commit, durable on return. `normal`: the file
/// stays consistent, but the last commits may be lost with the power; for derived data only.
enum class Sync { full, normal };

class Statement;

/// One connection. Not thread-safe: one thread at a time; create one per thread. WAL journal,
/// STRICT tables are the convention of the schemas, foreign keys on, secure_delete on, temporary
/// data in memory.
///
/// SQLite 3.40 can corrupt a file when two connections write or checkpoint at the same time
/// ("WAL-reset bug"): exactly one connection of one process may be read_write.
class Database {
 public:
  /// `vfs` names a registered SQLite VFS (fault injection in tests); empty for the default one.
  /// Errors: not_found (read_only), unavailable, corrupt.
  static Result<Database> open(const std::string& path, Mode mode, Sync sync = Sync::full,
                               const std::string& vfs = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Runs one or more statements without parameters or rows. Errors: as step().
  Result<void> execute(const std::string& sql);

  /// Compiles one statement. Errors: corrupt (also: the text does not fit the tables that the file
  /// has, as after damage), unavailable.
  Result<Statement> prepare(std::string_view sql);

  /// BEGIN IMMEDIATE (a writer) or BEGIN (a reader, whose snapshot starts with its first read).
  Result<void> begin();

  /// Durable on success (Sync::full). Every failure is `uncertain`, a full disk included: the
  /// commit may stand in the write-ahead log all the same. The process must not go on writing
  /// through this connection.
  Result<void> commit();
  void rollback();

  /// `PRAGMA user_version`, our schema version.
  Result<std::int64_t> schema_version();
  Result<void> set_schema_version(std::int64_t version);

  /// Moves the write-ahead log into the file as far as readers allow. The writer's connection only.
  Result<void> checkpoint();

  /// Turns SQLite's own checkpoints off, which would hide a failed sync: the caller calls
  /// checkpoint(). After each commit `*pages` is the number of pages in the write-ahead log; it
  /// must outlive the connection. The writer's connection only.
  Result<void> checkpoint_by_hand(int* pages);

  /// Moves the whole write-ahead log into the file and empties it, and forgets the pages that are
  /// held in memory. False: a reader holds an older state. The writer's connection only.
  Result<bool> empty_log();

  /// From here on this connection writes no page with remains of deleted rows: secure_delete
  /// overwrites a row where it last stood, and leaves the copies that a split of its page has left
  /// before. The file may grow to 128 GiB. The writer's connection only. Errors: as execute().
  Result<void> write_no_remains();

  /// Overwrites in the whole file what write_no_remains() would not have written. Of no effect for
  /// what the database says, also if it is broken off. While nobody else writes. Errors:
  /// unavailable (also: a reader holds an older state).
  Result<void> wipe_remains();

  /// A consistent copy of the database into a new file (SQLite's backup API), durable on return.
  Result<void> backup_to(const std::string& path);

  sqlite3* handle() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_ = nullptr;
};

/// A prepared statement. Parameters are numbered from 1, columns from 0. Must not outlive its
/// Database; same thread rule.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  /// The bytes must stay valid until the next reset(). Returns *this, to chain.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind_text(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::span<const std::byte> bytes);
  Statement& bind_null(int parameter);

  /// True: a row is there. False: done. Errors: conflict (a constraint), overloaded (the file is
  /// locked or the disk is full), unavailable (I/O), corrupt.
  Result<bool> step();

  /// Steps to the end, and resets. For statements that yield no rows.
  Result<void> run();

  /// Makes the statement ready for new parameters; the old ones are cleared.
  void reset();

  /// Rows that this connection's newest INSERT, UPDATE or DELETE has changed.
  std::int64_t changes() const;

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  /// Views that are valid until the next step() or reset().
  std::string_view text(int column) const;
  std::span<const std::byte> blob(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace flora::sqlite
