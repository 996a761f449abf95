// The database behind the store, whichever product it is: SQLite, in one file for one process
// (sql_sqlite.cpp), or PostgreSQL, which several processes share (sql_postgresql.cpp). Texts are in
// the dialect that both understand; a parameter is `?`, or `?1` where it stands more than once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/result.h"

namespace flora::sql {

/// A database of a PostgreSQL server.
struct Server {
  std::string connection;  ///< As libpq has it: `host=… dbname=…`, with TLS; without a password.
  /// Its first line is the password, read for each connection. Empty: the server asks for none, or
  /// libpq finds one by itself (PGPASSWORD, ~/.pgpass).
  std::string password_file;
};

/// Where a database is: in a file, or on a server if there is one.
struct Place {
  Place() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): the path of a file is a place.
  Place(std::string path, std::string filesystem = {})
      : file(std::move(path)), vfs(std::move(filesystem)) {}

  std::string file;
  std::string vfs;  ///< A SQLite VFS for tests; empty for the default one.
  std::optional<Server> server = {};

  /// For messages: the path, or that it is a server's.
  std::string name() const { return server ? "the store's database" : file; }
};

/// False: the file is not there. A server is taken to have the database.
bool exists(const Place& place);

enum class Access {
  write,  ///< Creates what is missing.
  read,   ///< Beside whoever writes. Errors: not_found.
};

enum class Kind { sqlite, postgresql };

/// What a product does for a Statement.
class Prepared {
 public:
  virtual ~Prepared() = default;
  virtual void bind(int parameter, std::int64_t value) = 0;
  virtual void bind_text(int parameter, std::string_view text) = 0;
  virtual void bind_blob(int parameter, std::span<const std::byte> bytes) = 0;
  virtual void bind_null(int parameter) = 0;
  virtual Result<bool> step() = 0;
  virtual void reset() = 0;
  virtual std::int64_t changes() const = 0;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::span<const std::byte> blob(int column) const = 0;
};

/// A prepared statement. Parameters are numbered from 1, columns from 0. Must not outlive its
/// Database; same thread rule.
class Statement {
 public:
  explicit Statement(std::unique_ptr<Prepared> prepared) : prepared_(std::move(prepared)) {}

  /// The bytes must stay valid until the next reset(). Returns *this, to chain.
  Statement& bind(int parameter, std::int64_t value) {
    prepared_->bind(parameter, value);
    return *this;
  }
  Statement& bind_text(int parameter, std::string_view text) {
    prepared_->bind_text(parameter, text);
    return *this;
  }
  Statement& bind_blob(int parameter, std::span<const std::byte> bytes) {
    prepared_->bind_blob(parameter, bytes);
    return *this;
  }
  Statement& bind_null(int parameter) {
    prepared_->bind_null(parameter);
    return *this;
  }

  /// True: a row is there. False: done. After an error nothing but rollback() is of use. Errors:
  /// conflict (a constraint), overloaded (locked, or the disk is full), unavailable (I/O, or the
  /// connection is lost), corrupt.
  Result<bool> step() { return prepared_->step(); }

  /// Steps to the end, and resets. For statements that yield no rows.
  Result<void> run();

  /// Runs an INSERT … RETURNING of one integer, and resets.
  Result<std::int64_t> run_for_number();

  /// Makes the statement ready for new parameters; the old ones are cleared.
  void reset() { prepared_->reset(); }

  /// Rows that the newest run of this statement has changed.
  std::int64_t changes() const { return prepared_->changes(); }

  bool is_null(int column) const { return prepared_->is_null(column); }
  /// Also of a truth value: 1 or 0.
  std::int64_t integer(int column) const { return prepared_->integer(column); }
  /// Views that are valid until the next step() or reset().
  std::string_view text(int column) const { return prepared_->text(column); }
  std::span<const std::byte> blob(int column) const { return prepared_->blob(column); }

 private:
  std::unique_ptr<Prepared> prepared_;
};

/// One connection. Not thread-safe: one thread at a time; create one per thread.
class Database {
 public:
  virtual ~Database() = default;
  virtual Kind kind() const = 0;

  /// True: the connection is lost. A reader opens another one; begin() of a writer makes it again.
  virtual bool is_lost() const { return false; }

  /// True if other processes may write, too. Then, from a writer's begin() on: is_behind() says
  /// whether another one has committed since the last caught_up(), before the first one always.
  bool is_shared() const { return kind() == Kind::postgresql; }
  virtual bool is_behind() const { return false; }
  virtual void caught_up() {}

  /// Runs one or more statements without parameters or rows. Errors: as Statement::step().
  virtual Result<void> execute(const std::string& text) = 0;

  /// Compiles one statement. Errors: corrupt (also: the text does not fit the tables, as after
  /// damage), unavailable.
  virtual Result<Statement> prepare(std::string_view text) = 0;

  /// With Access::write, from here to the end of the transaction nobody else writes, in whatever
  /// process. With Access::read, everything is read as it stood at the first read.
  virtual Result<void> begin() = 0;

  /// Durable on success. `uncertain`: the commit may stand all the same, and nothing more may be
  /// written through this connection. Every other error: nothing was written.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;

  virtual Result<std::int64_t> schema_version() = 0;
  virtual Result<void> set_schema_version(std::int64_t version) = 0;

  /// From here on what this connection writes has no remains of deleted rows, as far as the product
  /// can do that (gateway/erasure/README.md); wipe_remains() overwrites what an earlier connection
  /// has left, while nobody else writes. Access::write only. Errors: as execute(); unavailable
  /// (also: a reader holds an older state).
  virtual Result<void> write_no_remains() = 0;
  virtual Result<void> wipe_remains() = 0;

  /// Lets go of the rows of these tables that were deleted, wherever the product still has them.
  /// False: not yet, since a reader holds an older state. Outside a transaction. Access::write
  /// only.
  virtual Result<bool> forget_deleted(std::span<const std::string_view> tables) = 0;

  /// For who commits for long: calls tidy() after each commit, which else is done now and then
  /// within commit(), where a sync that fails is not told. An error of tidy() leaves it open what
  /// the database holds: nothing more may be written. Access::write only.
  virtual Result<void> tidy_by_hand() = 0;
  virtual Result<void> tidy() = 0;
};

/// Errors: not_found (Access::read), unavailable, corrupt (also: it belongs to something else),
/// invalid (the server cannot be used).
Result<std::unique_ptr<Database>> open(const Place& place, Access access);

/// The implementations that open() chooses from.
Result<std::unique_ptr<Database>> open_sqlite(const Place& place, Access access);
/// Refuses, as `invalid`, a server that does not keep what it has acknowledged (fsync or
/// full_page_writes are off), is older than 15, or whose database is not UTF8; and a connection
/// string that has a password. A writer whose connection is lost makes it again with its next
/// begin(); a commit whose answer is lost is looked for, for a minute at most.
Result<std::unique_ptr<Database>> open_postgresql(const Server& server, Access access);

}  // namespace flora::sql
