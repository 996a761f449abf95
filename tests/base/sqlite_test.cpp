#include "gateway/base/sqlite.h"

#include <doctest/doctest.h>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "tests/temporary_folder.h"

namespace flora {
namespace {

TEST_CASE("what is committed is read back, by other connections too") {
  const TemporaryFolder folder;
  auto writer = sqlite::Database::open(folder.file("a.db"), sqlite::Mode::read_write);
  REQUIRE(writer);
  REQUIRE(writer->execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB, c TEXT) STRICT"));
  REQUIRE(writer->begin());
  auto insert = writer->prepare("INSERT INTO t VALUES(?,?,?)");
  REQUIRE(insert);
  CHECK(insert->bind(1, 7).bind_blob(2, as_bytes("xyz")).bind_text(3, "ä").run());
  CHECK(insert->bind(1, 8).bind_null(2).bind_text(3, "").run());
  REQUIRE(writer->commit());
  const Result<void> again = insert->bind(1, 7).bind_null(2).bind_null(3).run();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::conflict);

  auto reader = sqlite::Database::open(folder.file("a.db"), sqlite::Mode::read_only);
  REQUIRE(reader);
  auto select = reader->prepare("SELECT a, b, c FROM t ORDER BY a");
  REQUIRE(select);
  REQUIRE(*select->step());
  CHECK(select->integer(0) == 7);
  CHECK(as_text(select->blob(1)) == "xyz");
  CHECK(select->text(2) == "ä");
  REQUIRE(*select->step());
  CHECK(select->is_null(1));
  CHECK_FALSE(*select->step());
  CHECK_FALSE(reader->execute("DELETE FROM t"));
}

TEST_CASE("a rolled back transaction leaves nothing") {
  const TemporaryFolder folder;
  auto db = sqlite::Database::open(folder.file("a.db"), sqlite::Mode::read_write);
  REQUIRE(db);
  REQUIRE(db->execute("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT"));
  REQUIRE(db->begin());
  REQUIRE(db->execute("INSERT INTO t VALUES(1)"));
  db->rollback();
  auto count = db->prepare("SELECT count(*) FROM t");
  REQUIRE(*count->step());
  CHECK(count->integer(0) == 0);
  count->reset();
  CHECK(*db->schema_version() == 0);
  REQUIRE(db->set_schema_version(3));
  CHECK(*db->schema_version() == 3);
}

TEST_CASE("a missing file and a foreign file are errors") {
  const TemporaryFolder folder;
  const auto missing = sqlite::Database::open(folder.file("none.db"), sqlite::Mode::read_only);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::not_found);
  REQUIRE(Env::system().replace_file(folder.file("text.db"), std::string(4096, 'x'), 0600));
  const auto foreign = sqlite::Database::open(folder.file("text.db"), sqlite::Mode::read_write);
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Errc::corrupt);
}

TEST_CASE("a backup is a whole copy") {
  const TemporaryFolder folder;
  auto db = sqlite::Database::open(folder.file("a.db"), sqlite::Mode::read_write);
  REQUIRE(db);
  REQUIRE(db->execute("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT; INSERT INTO t VALUES(1),(2)"));
  REQUIRE(db->backup_to(folder.file("b.db")));
  auto copy = sqlite::Database::open(folder.file("b.db"), sqlite::Mode::read_only);
  REQUIRE(copy);
  auto count = copy->prepare("SELECT count(*) FROM t");
  REQUIRE(*count->step());
  CHECK(count->integer(0) == 2);
}

}  // namespace
}  // namespace flora
