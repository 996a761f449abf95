// The archive of adapter versions, and the way of a store from the version before it.
#include "gateway/store/adapter_archive.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/store/audit_reader.h"
#include "tests/gateway/store_fixture.h"
#include "tests/ledger-client/fault_vfs.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using flora::test::FaultVfs;

namespace {

const std::string kFirst(64, 'a');
const std::string kSecond(64, 'b');

AdapterMark mark(const std::string& version, const std::string& hash,
                 const std::string& id = "de-xx-small") {
  return {id, version, hash};
}

AdapterTexts texts(const std::string& yaml) {
  return {{"adapter.yaml", yaml}, {"status.map.csv", "source;target;comment\n"}};
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/tests/gateway/golden/" + name);
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

void write_golden(const std::string& path, const std::string& name) {
  std::filesystem::remove(path);
  auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
  REQUIRE(database.has_value());
  const auto written = database->execute(golden(name));
  REQUIRE_MESSAGE(written.has_value(), written.error().message);
}

void write_first_version(const std::string& path) { write_golden(path, "store-v1.sql"); }

// What the file of the first version holds is there, and the store works.
void check_first_version(TestStore& fixture) {
  Draft repeat = draft("v1-a", by({azr("260815000001"), file_number("1234567")}));
  repeat.first = {repeat.identity, repeat.content, repeat.native};
  const Accepted known = fixture.accepted(repeat);
  CHECK(known.repeat);
  CHECK(to_string(known.transaction_id) == "01a1a043-56cb-7958-a386-887c6a9eeeb5");
  CHECK(fixture.find({azr("260815000002")}) == fixture.find({azr("260815000001")}));
  const auto found = fixture.store->kept_answer({{crypto::sha256("key"), {}}}, Instant{0});
  REQUIRE((found.has_value() && found->has_value()));
  CHECK((**found).answer.status == 201);
}

}  // namespace

TEST_CASE("a store of the first version is brought forward and keeps everything" *
          doctest::skip(on_postgresql())) {
  TestStore fixture;
  // The random bytes that the file was made with repeat from run to run.
  std::array<std::byte, 4096> used{};
  fixture.env.random(used);
  write_first_version(fixture.options.path);
  fixture.reopen();
  CHECK(fixture.store->outbox_size() == 3);
  check_first_version(fixture);
  CHECK(fixture.added(draft("new", by({azr("260815000003")}))).number == 5);
  REQUIRE(fixture.store->keep_adapter(mark("1.0.0", kFirst), texts("a")).has_value());
  fixture.reopen();
  check_first_version(fixture);
  CHECK(fixture.store->find_adapter(kFirst)->has_value());
}

TEST_CASE("a store of the second version gets an audit trail and keeps everything" *
          doctest::skip(on_postgresql())) {
  TestStore fixture;
  std::array<std::byte, 4096> used{};
  fixture.env.random(used);
  write_golden(fixture.options.path, "store-v2.sql");
  const auto none = AuditReader::open(fixture.options.place());
  CHECK(none.error().code == Errc::not_found);
  fixture.reopen();
  check_first_version(fixture);
  CHECK(fixture.store->find_adapter(kFirst)->has_value());
  fixture.reopen();
  auto reader = AuditReader::open(fixture.options.place());
  REQUIRE(reader.has_value());
  std::int64_t groups = 0;
  REQUIRE(reader->groups(1, 100, [&groups](const AuditGroup&) -> Result<void> {
    ++groups;
    return {};
  }));
  CHECK(groups == 1);  // The repeat that check_first_version sends.
}

TEST_CASE("a start that a disk fault ends leaves a store that the next start brings forward" *
          doctest::skip(on_postgresql())) {
  log::set_level(log::Level::error);
  FaultVfs vfs;
  TestStore fixture;
  fixture.options.vfs = vfs.name();
  bool fired = true;
  int failed = 0;
  for (std::uint64_t n = 1; fired; ++n) {
    CAPTURE(n);
    write_first_version(fixture.options.path);
    std::filesystem::remove(fixture.options.audit.head_file);
    vfs.fail_once_at(n);
    failed += fixture.open().has_value() ? 0 : 1;
    fixture.close();
    fired = vfs.fired();
    vfs.heal();
    fixture.reopen();
    check_first_version(fixture);
    CHECK(fixture.store->adapter_versions("de-xx-small")->empty());
    fixture.close();
    REQUIRE(n < 1000);
  }
  CHECK(failed > 5);
}

TEST_CASE("the texts of an adapter are kept once, with the instant of their first use") {
  TestStore fixture;
  fixture.reopen();
  const std::int64_t now = fixture.env.now_ms();
  REQUIRE(fixture.store->keep_adapter(mark("1.0.0", kFirst), texts("one")).has_value());
  fixture.env.advance_ms(1000);
  REQUIRE(fixture.store->keep_adapter(mark("1.1.0", kSecond), texts("two")).has_value());
  REQUIRE(fixture.store->keep_adapter(mark("1.0.0", kFirst), texts("one")).has_value());
  REQUIRE(
      fixture.store->keep_adapter(mark("7.0.0", std::string(64, 'c'), "de-xx-other"), texts("x"))
          .has_value());
  fixture.reopen();
  const auto versions = fixture.store->adapter_versions("de-xx-small");
  REQUIRE(versions.has_value());
  REQUIRE(versions->size() == 2);
  CHECK((*versions)[0].mark.version == "1.0.0");
  CHECK((*versions)[0].first_used.ms == now);
  CHECK((*versions)[1].mark.hash == kSecond);
  CHECK((*versions)[1].first_used.ms == now + 1000);
  const auto found = fixture.store->find_adapter(kSecond);
  REQUIRE((found.has_value() && found->has_value()));
  CHECK((**found).version.mark.id == "de-xx-small");
  CHECK((**found).texts == texts("two"));
  CHECK(fixture.store->find_adapter(std::string(64, 'd'))->has_value() == false);
  CHECK(fixture.store->adapter_versions("de-xx-unknown")->empty());
}

TEST_CASE("what is archived can be read from the file beside an open store" *
          doctest::skip(on_postgresql())) {
  TestStore fixture;
  fixture.reopen();
  REQUIRE(fixture.store->keep_adapter(mark("1.0.0", kFirst), texts("one")).has_value());
  const auto found = archived_adapter(fixture.options.place(), kFirst);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  CHECK(found->texts == texts("one"));
  CHECK(archived_adapter(fixture.options.place(), kSecond).error().code == Errc::not_found);
  CHECK(archived_adapter(fixture.folder.file("none.db"), kFirst).error().code == Errc::not_found);
  const std::string old = fixture.folder.file("old.db");
  write_first_version(old);
  CHECK(archived_adapter(old, kFirst).error().code == Errc::not_found);
}

TEST_CASE("what cannot be kept is reported" * doctest::skip(on_postgresql())) {
  log::set_level(log::Level::error);
  FaultVfs vfs;
  TestStore fixture;
  fixture.options.vfs = vfs.name();
  fixture.reopen();
  vfs.set_disk_full(true);
  vfs.fail_forever_from(1);
  CHECK_FALSE(fixture.store->keep_adapter(mark("1.0.0", kFirst), texts("one")).has_value());
  vfs.heal();
  vfs.set_disk_full(false);
  fixture.reopen();
  CHECK(fixture.store->adapter_versions("de-xx-small")->empty());
}
