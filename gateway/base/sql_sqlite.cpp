// SQLite as a database of the seam; what it promises stands in sqlite.h.
#include <utility>

#include "gateway/base/sql.h"
#include "gateway/base/sqlite.h"

namespace flora::sql {
namespace {

constexpr int kLogPages = 4000;  // 16 MiB of log before it is moved into the file.

class SqlitePrepared final : public Prepared {
 public:
  explicit SqlitePrepared(sqlite::Statement statement) : statement_(std::move(statement)) {}

  void bind(int parameter, std::int64_t value) override { statement_.bind(parameter, value); }
  void bind_text(int parameter, std::string_view text) override {
    statement_.bind_text(parameter, text);
  }
  void bind_blob(int parameter, std::span<const std::byte> bytes) override {
    statement_.bind_blob(parameter, bytes);
  }
  void bind_null(int parameter) override { statement_.bind_null(parameter); }
  Result<bool> step() override { return statement_.step(); }
  void reset() override { statement_.reset(); }
  std::int64_t changes() const override { return statement_.changes(); }
  bool is_null(int column) const override { return statement_.is_null(column); }
  std::int64_t integer(int column) const override { return statement_.integer(column); }
  std::string_view text(int column) const override { return statement_.text(column); }
  std::span<const std::byte> blob(int column) const override { return statement_.blob(column); }

 private:
  sqlite::Statement statement_;
};

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(sqlite::Database database) : database_(std::move(database)) {}

  Kind kind() const override { return Kind::sqlite; }
  Result<void> execute(const std::string& text) override { return database_.execute(text); }
  Result<Statement> prepare(std::string_view text) override {
    FLORA_ASSIGN(sqlite::Statement statement, database_.prepare(text));
    return Statement(std::make_unique<SqlitePrepared>(std::move(statement)));
  }
  Result<void> begin() override { return database_.begin(); }
  Result<void> commit() override { return database_.commit(); }
  void rollback() override { database_.rollback(); }
  Result<std::int64_t> schema_version() override { return database_.schema_version(); }
  Result<void> set_schema_version(std::int64_t version) override {
    return database_.set_schema_version(version);
  }
  Result<void> write_no_remains() override { return database_.write_no_remains(); }
  Result<void> wipe_remains() override { return database_.wipe_remains(); }

  // All tables share the file and its log.
  Result<bool> forget_deleted(std::span<const std::string_view>) override {
    FLORA_ASSIGN(const bool emptied, database_.empty_log());
    if (emptied) log_pages_ = 0;
    return emptied;
  }

  Result<void> tidy_by_hand() override { return database_.checkpoint_by_hand(&log_pages_); }
  Result<void> tidy() override {
    if (log_pages_ < kLogPages) return {};
    log_pages_ = 0;
    return database_.checkpoint();
  }

 private:
  int log_pages_ = 0;  // Outlives the connection, which counts here.
  sqlite::Database database_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const Place& place, Access access) {
  const auto mode = access == Access::write ? sqlite::Mode::read_write : sqlite::Mode::read_only;
  FLORA_ASSIGN(auto database,
               sqlite::Database::open(place.file, mode, sqlite::Sync::full, place.vfs));
  return std::unique_ptr<Database>(std::make_unique<SqliteDatabase>(std::move(database)));
}

}  // namespace flora::sql
