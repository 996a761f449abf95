// verify, fsck, backup and restore.
#include "ledger-client/embedded/operations.h"

#include <doctest/doctest.h>

#include "gateway/base/sqlite.h"
#include "ledger-client/embedded/embedded_ledger.h"
#include "ledger-client/merkle/proof.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using namespace flora::ledger;

namespace {

std::unique_ptr<EmbeddedLedger> open_in(const Folder& folder) {
  auto opened = EmbeddedLedger::open(options_in(folder), Env::system());
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  return std::move(*opened);
}

void fill_in(const Folder& folder, std::uint64_t first, std::uint64_t count, std::uint64_t batch) {
  REQUIRE(fill(*open_in(folder), first, count, batch));
}

void check_clean(const Folder& folder) {
  const auto report = fsck(files_in(folder));
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  for (const std::string& finding : report->findings) FAIL_CHECK(finding);
  const auto verified = verify(files_in(folder));
  REQUIRE(verified);
  for (const std::string& finding : verified->findings) FAIL_CHECK(finding);
}

/// The findings of fsck after a change to the database.
std::vector<std::string> findings_after(const Folder& folder, const std::string& sql) {
  {
    auto database = sqlite::Database::open(folder.path("ledger.db"), sqlite::Mode::read_write);
    REQUIRE(
        database->execute("PRAGMA ignore_check_constraints=ON; PRAGMA foreign_keys=OFF;" + sql));
  }
  const auto report = fsck(files_in(folder));
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  return report->findings;
}

bool names(const std::vector<std::string>& findings, std::string_view part) {
  for (const std::string& finding : findings) {
    if (finding.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("an undamaged ledger is clean, whatever its size") {
  const Folder folder;
  open_in(folder).reset();
  check_clean(folder);
  std::uint64_t size = 0;
  for (const std::uint64_t batch : {1U, 254U, 1U, 1U, 255U, 700U, 3000U}) {
    fill_in(folder, size, batch, 100);
    size += batch;
    check_clean(folder);
  }
  const auto report = fsck(files_in(folder));
  CHECK(report->entries == size);
  CHECK(report->tiles == size / 256 + 1);
  CHECK(report->head.size == size);
}

TEST_CASE("verify runs beside a running ledger, fsck does not") {
  const Folder folder;
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 300, 10));
  const auto report = verify(files_in(folder));
  REQUIRE(report);
  CHECK(report->clean());
  CHECK(report->entries == 300);
  CHECK(fsck(files_in(folder)).error().code == Errc::unavailable);
}

TEST_CASE("fsck names each kind of damage") {
  const Folder folder;
  fill_in(folder, 0, 600, 50);
  const auto damage = [&](const char* sql) { return findings_after(folder, sql); };
  SUBCASE("a changed text") {
    CHECK(names(damage("UPDATE entry SET body = replace(body, '\"v\":1', '\"v\":2') WHERE idx = 7"),
                "root"));
    const auto verified = verify(files_in(folder));
    REQUIRE(verified);
    CHECK(names(verified->findings, "root"));
  }
  SUBCASE("a changed id") {
    CHECK(names(damage("UPDATE entry SET id = zeroblob(16) WHERE idx = 7"), "entry 7"));
  }
  SUBCASE("a missing entry") {
    CHECK(names(damage("DELETE FROM entry WHERE idx = 7"), "entry 7 is missing"));
  }
  SUBCASE("a missing last entry") {
    CHECK(names(damage("DELETE FROM entry WHERE idx = 599"), "last checkpoint covers 600"));
  }
  SUBCASE("a changed tile") {
    CHECK(names(damage("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND n = 1"),
                "tile 0/001"));
  }
  SUBCASE("a missing tile") {
    CHECK(names(damage("DELETE FROM tile WHERE level = 1"), "tile 1/000"));
  }
  SUBCASE("a tile too many") {
    CHECK(names(damage("INSERT INTO tile VALUES(2, 0, zeroblob(32))"), "other tiles"));
  }
  SUBCASE("a changed checkpoint") {
    CHECK(names(damage("UPDATE checkpoint SET note = replace(note, 'A', 'B') WHERE size = 50"),
                "checkpoint of size 50"));
  }
  SUBCASE("a checkpoint under another size") {
    CHECK(
        names(damage("UPDATE checkpoint SET size = 51 WHERE size = 50"), "checkpoint of size 51"));
  }
  SUBCASE("a checkpoint of another epoch") {
    CHECK(
        names(damage("UPDATE checkpoint SET epoch = 1 WHERE size = 50"), "checkpoint of size 50"));
  }
  SUBCASE("another origin") {
    CHECK(names(damage("UPDATE origin SET name = 'flora.example/else'"), "origins"));
  }
  SUBCASE("an origin that was never used") {
    CHECK(names(damage("INSERT INTO origin VALUES(1, 'flora.example/test/restored-x', 600)"),
                "origin"));
  }
}

TEST_CASE("fsck ends when a changed key makes the same checkpoint come again and again") {
  const Folder folder;
  fill_in(folder, 0, 100, 50);
  const auto change = [&folder](const std::string& sql) {
    auto database = sqlite::Database::open(folder.path("ledger.db"), sqlite::Mode::read_write);
    REQUIRE(database);
    REQUIRE(database->execute("PRAGMA writable_schema=ON; PRAGMA foreign_keys=OFF; " + sql));
  };
  // A text in the place of a number, which a strict table would not take.
  change("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', '') WHERE name = 'checkpoint'");
  change("UPDATE checkpoint SET epoch = x'30' WHERE size = 50");
  change(
      "UPDATE sqlite_schema SET sql = replace(sql, ') WITHOUT', ') STRICT, WITHOUT') "
      "WHERE name = 'checkpoint'");
  const auto report = fsck(files_in(folder));
  REQUIRE(report);
  CHECK(names(report->findings, "out of order"));
}

TEST_CASE("fsck names what a gateway wrote wrongly") {
  const Folder folder;
  auto ledger = open_in(folder);
  submit(*ledger, {entry_of(5)});
  submit(*ledger, {entry_of(4)});
  submit(*ledger, {{id_of(6), body_of(7)}});
  submit(*ledger, {{id_of(8), " " + body_of(8)}});
  submit(*ledger, {{id_of(9), "no JSON"}});
  submit(*ledger, {{id_of(10), R"({"id":")" + to_string(id_of(10)) + R"("})"}});
  ledger.reset();
  const auto findings = fsck(files_in(folder))->findings;
  CHECK(names(findings, "entry 1: it was recorded before"));
  CHECK(names(findings, "entry 2: its text carries another id"));
  CHECK(names(findings, "entry 3: its text is not canonical"));
  CHECK(names(findings, "entry 4: it is not a JSON object"));
  CHECK(names(findings, "entry 5: it has no recordedAt"));
  CHECK(verify(files_in(folder))->clean());
}

TEST_CASE("a changed or older checkpoint file is named") {
  const Folder folder;
  fill_in(folder, 0, 20, 10);
  std::filesystem::copy_file(folder.path("checkpoint"), folder.path("newer"));
  SUBCASE("missing") {
    std::filesystem::remove(folder.path("checkpoint"));
    CHECK(names(verify(files_in(folder))->findings, "checkpoint file is missing"));
  }
  SUBCASE("of another key") {
    LedgerFiles files = files_in(folder);
    files.public_key[0] ^= std::byte{1};
    CHECK(names(verify(files)->findings, "checkpoint file"));
  }
  SUBCASE("of another history") {
    const Folder other;
    fill_in(other, 100, 10, 10);
    std::filesystem::copy_file(other.path("checkpoint"), folder.path("checkpoint"),
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(names(verify(files_in(folder))->findings, "checkpoint file: its root"));
  }
}

TEST_CASE("a backup is taken beside a running ledger and restored without loss") {
  const Folder folder;
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 700, 40));
  const std::string proof = ledger->receipt(id_of(3))->proof;
  const auto copied = backup(files_in(folder), folder.path("backup"));
  REQUIRE_MESSAGE(copied.has_value(), copied.error().message);
  CHECK(copied->entries == 700);
  CHECK(backup(files_in(folder), folder.path("backup")).error().code == Errc::conflict);
  ledger.reset();

  std::filesystem::remove(folder.path("ledger.db"));
  std::filesystem::remove(folder.path("ledger.db-wal"));
  const auto restored =
      restore(files_in(folder), test_key(), folder.path("backup"), OnLoss::refuse, Env::system());
  REQUIRE_MESSAGE(restored.has_value(), restored.error().message);
  CHECK(restored->head.size == 700);
  CHECK_FALSE(restored->new_origin);
  check_clean(folder);
  ledger = open_in(folder);
  CHECK(ledger->receipt(id_of(3))->proof == proof);
  REQUIRE(fill(*ledger, 700, 10, 10));
  CHECK(restore(files_in(folder), test_key(), folder.path("backup"), OnLoss::refuse, Env::system())
            .error()
            .code == Errc::unavailable);
}

TEST_CASE("a backup that lacks signed entries is restored under a new origin only") {
  const Folder folder;
  fill_in(folder, 0, 300, 50);
  REQUIRE(backup(files_in(folder), folder.path("backup")));
  fill_in(folder, 300, 45, 50);
  const LedgerFiles files = files_in(folder);
  const auto refused =
      restore(files, test_key(), folder.path("backup"), OnLoss::refuse, Env::system());
  CHECK(refused.error().code == Errc::invalid);
  CHECK(refused.error().message.find("45 signed entries") != std::string::npos);
  check_clean(folder);
  CHECK(open_in(folder)->size() == 345);

  const auto restored =
      restore(files, test_key(), folder.path("backup"), OnLoss::new_origin, Env::system());
  REQUIRE_MESSAGE(restored.has_value(), restored.error().message);
  CHECK(restored->lost == 45);
  CHECK(restored->new_origin);
  check_clean(folder);

  auto ledger = open_in(folder);
  CHECK(ledger->size() == 300);
  REQUIRE(ledger->vkeys().size() == 2);
  CHECK(ledger->vkey() == ledger->vkeys()[1]);
  const auto old_receipt = ledger->receipt(id_of(299));
  CHECK(verify_receipt(old_receipt->body, old_receipt->proof, ledger->vkeys()[0]).has_value());
  const auto results = submit(*ledger, entries_of(1000, 5));
  const Receipt& receipt = *results.back()->receipt;
  CHECK(verify_receipt(receipt.body, receipt.proof, ledger->vkey()).has_value());
  CHECK_FALSE(verify_receipt(receipt.body, receipt.proof, ledger->vkeys()[0]).has_value());
  ledger.reset();
  check_clean(folder);

  // The backup of the first origin does not come back without another new one.
  CHECK(restore(files, test_key(), folder.path("backup"), OnLoss::refuse, Env::system())
            .error()
            .code == Errc::invalid);
  REQUIRE(restore(files, test_key(), folder.path("backup"), OnLoss::new_origin, Env::system()));
  check_clean(folder);
  CHECK(open_in(folder)->vkey() != restored->head.origin);
}

TEST_CASE("a database that was rolled back is accepted as it is under a new origin") {
  const Folder folder;
  fill_in(folder, 0, 30, 10);
  std::filesystem::copy_file(folder.path("ledger.db"), folder.path("old"));
  fill_in(folder, 30, 30, 10);
  std::filesystem::copy_file(folder.path("old"), folder.path("ledger.db"),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(folder.path("ledger.db-wal"));
  CHECK_FALSE(EmbeddedLedger::open(options_in(folder), Env::system()));
  CHECK_FALSE(restore(files_in(folder), test_key(), "", OnLoss::refuse, Env::system()));
  const auto restored =
      restore(files_in(folder), test_key(), "", OnLoss::new_origin, Env::system());
  REQUIRE_MESSAGE(restored.has_value(), restored.error().message);
  CHECK(restored->lost == 30);
  check_clean(folder);
  fill_in(folder, 100, 10, 5);
  check_clean(folder);
}

TEST_CASE("without a checkpoint file a restore cannot know that nothing is lost") {
  const Folder folder;
  fill_in(folder, 0, 30, 10);
  REQUIRE(backup(files_in(folder), folder.path("backup")));
  const Folder machine;
  CHECK(restore(files_in(machine), test_key(), folder.path("backup"), OnLoss::refuse, Env::system())
            .error()
            .code == Errc::invalid);
  std::filesystem::copy_file(folder.path("backup/checkpoint"), machine.path("checkpoint"));
  REQUIRE(
      restore(files_in(machine), test_key(), folder.path("backup"), OnLoss::refuse, Env::system()));
  check_clean(machine);
}

TEST_CASE("a damaged backup is not restored") {
  const Folder folder;
  fill_in(folder, 0, 30, 10);
  REQUIRE(backup(files_in(folder), folder.path("backup")));
  {
    auto database =
        sqlite::Database::open(folder.path("backup/ledger.db"), sqlite::Mode::read_write);
    REQUIRE(database->execute("UPDATE entry SET body = body || ' ' WHERE idx = 3"));
  }
  const auto restored = restore(files_in(folder), test_key(), folder.path("backup"),
                                OnLoss::new_origin, Env::system());
  CHECK(restored.error().code == Errc::corrupt);
  check_clean(folder);
}
