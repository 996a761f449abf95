// Each byte of a small ledger is changed in turn: the change is named, or it changes nothing that
// the ledger says. By default a sample of the bytes; FLORA_SOAK=1 tries each (some minutes).
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/embedded/operations.h"
#include "tests/ledger-client/test_ledger.h"
#include "tests/slow_build.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr std::uint64_t kEntries = 260;

void write_byte(const std::string& path, std::size_t offset, char byte) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::pwrite(fd, &byte, 1, static_cast<off_t>(offset)) == 1);
  ::close(fd);
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// All that a ledger says: every row of every table, or the error that reading meets.
std::string content_of(const std::string& path) {
  auto database = sqlite::Database::open(path, sqlite::Mode::read_only);
  if (!database) return database.error().message;
  std::string content;
  for (const char* sql : {"SELECT idx, hex(id), body FROM entry ORDER BY idx",
                          "SELECT level, n, hex(hashes) FROM tile ORDER BY level, n",
                          "SELECT size, epoch, note FROM checkpoint ORDER BY size, epoch",
                          "SELECT epoch, first_size, name FROM origin ORDER BY epoch"}) {
    auto statement = database->prepare(sql);
    if (!statement) return statement.error().message;
    while (true) {
      const auto row = statement->step();
      if (!row) return row.error().message;
      if (!*row) break;
      for (int column = 0; column < 3; ++column) {
        content += statement->text(column);
        content += '|';
      }
    }
  }
  return content;
}

/// True if fsck or verify names something, or does not get as far.
bool is_named(const Folder& folder) {
  const auto checked = ledger::fsck(files_in(folder));
  return !checked || !checked->clean();
}

/// A ledger of two tile levels in one file, without a write-ahead log.
void make_ledger(const Folder& folder) {
  {
    auto opened = ledger::EmbeddedLedger::open(options_in(folder), Env::system());
    REQUIRE(opened);
    REQUIRE(fill(**opened, 0, kEntries, 65));
  }
  {
    auto database = sqlite::Database::open(folder.path("ledger.db"), sqlite::Mode::read_write);
    REQUIRE(database->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  std::filesystem::remove(folder.path("ledger.db-wal"));
  REQUIRE_FALSE(is_named(folder));
}

bool all_bytes() { return std::getenv("FLORA_SOAK") != nullptr; }

/// Changes each byte of the column's values in turn.
void flip_column(const std::string& table, const std::string& column, const std::string& key) {
  const Folder folder;
  make_ledger(folder);
  auto database = sqlite::Database::open(folder.path("ledger.db"), sqlite::Mode::read_write);
  REQUIRE(database);
  REQUIRE(database->execute("PRAGMA ignore_check_constraints=ON; PRAGMA synchronous=OFF"));
  struct Row {
    std::string key;
    std::string value;
  };
  std::vector<Row> rows;
  {
    auto statement =
        database->prepare("SELECT " + key + ", CAST(" + column + " AS BLOB) FROM " + table);
    while (*statement->step()) {
      rows.push_back({std::string(statement->text(0)), std::string(as_text(statement->blob(1)))});
    }
  }
  auto update = database->prepare(
      "UPDATE " + table + " SET " + column + " = CASE typeof(" + column +
      ") WHEN 'text' THEN CAST(?1 AS TEXT) ELSE ?1 END WHERE " + key + " = CAST(?2 AS TEXT)");
  REQUIRE(update);
  int flips = 0;
  for (const Row& row : rows) {
    const std::size_t stride = all_bytes() || row.value.size() < 400 ? 1 : 37;
    for (std::size_t i = 0; i < row.value.size(); i += stride) {
      std::string changed = row.value;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      REQUIRE(update->bind_blob(1, as_bytes(changed)).bind_text(2, row.key).run());
      const bool named = is_named(folder);
      if (!named) FAIL_CHECK(table, ".", column, " of ", row.key, ", byte ", i, ": not named");
      ++flips;
    }
    REQUIRE(update->bind_blob(1, as_bytes(row.value)).bind_text(2, row.key).run());
    if (flips > (kSlowBuild ? 300 : 1'000) && !all_bytes()) break;
  }
  CHECK_FALSE(is_named(folder));
  MESSAGE(table, ".", column, ": ", flips, " changes, all named");
}

}  // namespace

TEST_CASE("a changed byte of an entry, a tile or a checkpoint is named") {
  log::set_level(log::Level::error);
  flip_column("entry", "body", "CAST(idx AS TEXT)");
  flip_column("entry", "id", "CAST(idx AS TEXT)");
  flip_column("tile", "hashes", "level || '/' || n");
  flip_column("checkpoint", "note", "size || '/' || epoch");
  flip_column("origin", "name", "CAST(epoch AS TEXT)");
}

TEST_CASE("a changed byte of the database file is named, or changes nothing that the ledger says") {
  const Folder folder;
  make_ledger(folder);
  const std::string path = folder.path("ledger.db");
  const std::string bytes = read_whole(path);
  const std::string content = content_of(path);
  std::size_t named = 0;
  std::size_t harmless = 0;
  for (std::size_t i = 0; i < bytes.size(); i += all_bytes() ? 1 : kSlowBuild ? 211 : 37) {
    write_byte(path, i, static_cast<char>(bytes[i] ^ (1 << (i % 8))));
    if (is_named(folder)) {
      ++named;
    } else {
      ++harmless;
      if (content_of(path) != content) FAIL_CHECK("byte ", i, " changes the content unnoticed");
    }
    write_byte(path, i, bytes[i]);
    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
  }
  CHECK_FALSE(is_named(folder));
  MESSAGE("bytes: ", bytes.size(), ", named: ", named, ", harmless: ", harmless);
  CHECK(named > harmless);
}

TEST_CASE("a changed byte of the checkpoint file is named, or the file still says the same") {
  const Folder folder;
  make_ledger(folder);
  const std::string path = folder.path("checkpoint");
  const std::string bytes = read_whole(path);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size(); i += all_bytes() ? 1 : kSlowBuild ? 211 : 37) {
    write_byte(path, i, static_cast<char>(bytes[i] ^ 1));
    // The other slot holds the checkpoint before: older, and as true.
    if (is_named(folder)) ++refused;
    write_byte(path, i, bytes[i]);
  }
  CHECK(refused == 0);
  CHECK_FALSE(is_named(folder));
}
