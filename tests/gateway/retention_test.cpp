// The job that erases what has been kept for long enough, with a clock that is set.
#include "gateway/erasure/retention.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "gateway/erasure/copies.h"
#include "tests/gateway/api_fixture.h"
#include "tests/ledger-client/fault_vfs.h"
#include "tests/temporary_folder.h"

using namespace flora;
using namespace flora::test;
namespace fs = std::filesystem;

namespace {

std::string number(int n) { return "2608150" + std::to_string(10'000 + n); }

Json committed(Gateway& gateway, const Json& one) {
  const Response response = gateway.report(one);
  REQUIRE_MESSAGE(response.status == 201, response.body);
  return response.json();
}

Json final_event(const std::string& id, int n) {
  return event_of(id, number(n), kBamf, "RECHTSKRAFT",
                  R"({"bescheidVom":"2026-10-01","sachverhalte":[{"list":)"
                  R"("urn:xoev-de:xauslaender:codeliste:asyl:abschlusssachverhalt",)"
                  R"("version":"3.1","code":"01"}]})");
}

int searched(Gateway& gateway, int n) {
  const Json body = {{"identifiers", {{{"type", "AZR_NUMMER"}, {"value", number(n)}}}}};
  return gateway.post("/v1/procedures/search", "application/json", body.dump(), kBamf).status;
}

std::size_t audited(Gateway& gateway, std::string_view action) {
  std::size_t count = 0;
  for (const Json& record : gateway.audit()) count += record["action"] == action ? 1 : 0;
  return count;
}

// Shorter than a segment of the audit trail.
const Period kPeriod{Period::Unit::days, 2};

Instant due_of(Gateway& gateway) { return end_of(Instant{gateway.env.now_ms()}, kPeriod); }

/// A gateway whose job has that period.
class Keeping : public Gateway {
 public:
  explicit Keeping(const Options& options = {}) : Gateway(options) {
    restart_retention(kPeriod, Instant{env.now_ms()});
  }
};

void put(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("a mapping goes when its period is over, and not a millisecond earlier") {
  Keeping gateway;
  const Json made = committed(gateway, event("e-1", number(1)));
  committed(gateway, final_event("f-1", 1));
  committed(gateway, event("e-2", number(2)));
  const Instant due = due_of(gateway);
  gateway.env.set_now_ms(due.ms - 1);
  CHECK(gateway.run_retention().erased == 0);
  CHECK(searched(gateway, 1) == 200);
  gateway.env.set_now_ms(due.ms);
  const std::uint64_t entries = gateway.ledger_size();
  const erasure::RetentionRun run = gateway.run_retention();
  CHECK(run.erased == 1);
  CHECK(run.open + run.failed == 0);
  CHECK(searched(gateway, 1) == 404);
  CHECK(searched(gateway, 2) == 200);
  CHECK(gateway.ledger_size() == entries + 1);
  CHECK(gateway.run_retention().erased == 0);
  CHECK(gateway.ledger_size() == entries + 1);

  bool found = false;
  for (const Json& record : gateway.audit()) {
    if (record["action"] != "EXPIRE") continue;
    found = true;
    CHECK(record["outcome"] == "ACCEPTED");
    CHECK(record["procedures"] == Json::array({made["procedureId"]}));
    CHECK(record.contains("transaction"));
    CHECK_FALSE(record.contains("client"));
    CHECK_FALSE(record.contains("authorities"));
  }
  CHECK(found);
  CHECK(audited(gateway, "ERASED") == 1);
  // The person may come again.
  CHECK(committed(gateway, event("e-3", number(1)))["procedureId"] != made["procedureId"]);
}

TEST_CASE("many that are due at once go in one run, each once") {
  constexpr int kMany = 40;
  Keeping gateway;
  for (int n = 0; n < kMany; ++n) committed(gateway, final_event("f-" + std::to_string(n), n));
  // Two ends of one procedure, and one that goes on.
  committed(gateway, final_event("again", 1));
  committed(gateway, final_event("other", kMany));
  committed(gateway, event_of("back", number(kMany), kBamf, "ANHOERUNG_ERFOLGT"));
  gateway.env.set_now_ms(due_of(gateway).ms);
  CHECK(gateway.run_retention().erased == kMany);
  CHECK(audited(gateway, "EXPIRE") == kMany);
  for (int n = 0; n < kMany; ++n) CHECK(searched(gateway, n) == 404);
  CHECK(searched(gateway, kMany) == 200);
}

TEST_CASE("a run is put off when the clock has leapt, and the next one is not") {
  Keeping gateway;
  committed(gateway, final_event("f-1", 1));
  gateway.env.set_now_ms(due_of(gateway).ms);
  gateway.restart_retention(kPeriod, Instant{gateway.env.now_ms() - 3 * 86'400'000});
  const erasure::RetentionRun first = gateway.run_retention();
  CHECK(first.put_off);
  CHECK(first.erased == 0);
  CHECK(searched(gateway, 1) == 200);
  gateway.env.advance_ms(86'400'000);
  const erasure::RetentionRun second = gateway.run_retention();
  CHECK_FALSE(second.put_off);
  CHECK(second.erased == 1);
}

TEST_CASE("the first run beside an empty ledger is not put off") {
  Keeping gateway;
  gateway.restart_retention(kPeriod, Instant{});
  CHECK_FALSE(gateway.run_retention().put_off);
}

TEST_CASE(
    "a run during which a disk operation fails tells of it, and where the process lives "
    "the next one does the rest") {
  int died = 0;
  const std::uint64_t end = test::try_operations([&](std::uint64_t n) {
    CAPTURE(n);
    FaultVfs vfs;
    Options options;
    options.store_vfs = vfs.name();
    Keeping gateway(options);
    committed(gateway, event("e-1", number(1)));
    committed(gateway, final_event("f-1", 1));
    gateway.env.set_now_ms(due_of(gateway).ms);
    vfs.fail_once_at(n);
    const erasure::RetentionRun first = gateway.run_retention();
    const bool fired = vfs.fired();
    vfs.heal();
    if (first.erased == 0) CHECK(first.failed > 0);
    const bool lives = gateway.report(event("e-2", number(2))).status == 201;
    if (!lives) ++died;  // The process would have ended.
    const erasure::RetentionRun second = gateway.run_retention();
    if (lives) {
      CHECK(first.erased + second.erased == 1);
      CHECK(searched(gateway, 1) == 404);
    }
    return fired;
  });
  MESSAGE("operations: ", end - 1,
          "; after so many of those tried the process would have ended: ", died);
  CHECK(end > 20);
}

TEST_CASE("what restores have put aside goes when its period is over, and nothing else") {
  Gateway gateway;
  const std::int64_t now = gateway.env.now_ms();
  const std::string store = gateway.folder() + "/store.db.before-restore-" + std::to_string(now);
  const std::string ledger = gateway.folder() + "/ledger.db.before-restore-20261103T081530123Z";
  const std::vector<std::string> ours = {store, store + "-wal", store + "-shm", ledger};
  const std::vector<std::string> others = {
      gateway.folder() + "/store.db.before-restore-",
      gateway.folder() + "/store.db.before-restore-x",
      gateway.folder() + "/store.db.before-restore-20261303T081530123Z",
      gateway.folder() + "/other.db.before-restore-1", gateway.folder() + "/store.db.old"};
  for (const std::string& file : ours) put(file, "remains");
  for (const std::string& file : others) put(file, "something else");
  fs::create_symlink(gateway.folder() + "/store.db",
                     gateway.folder() + "/store.db.before-restore-1");

  const auto copies = erasure::copies_beside(gateway.folder() + "/store.db");
  REQUIRE(copies.has_value());
  REQUIRE(copies->size() == 1);
  CHECK(copies->front().path == store);
  gateway.env.set_now_ms(end_of(copies->front().made, *parse_period("P90D")).ms - 1);
  (void)gateway.run_retention();
  CHECK(fs::exists(store));
  gateway.env.advance_ms(200LL * 86'400'000);
  CHECK(gateway.run_retention().copies >= 1);
  for (const std::string& file : ours) CHECK_FALSE(fs::exists(file));
  for (const std::string& file : others) CHECK(fs::exists(file));
  CHECK(fs::exists(gateway.folder() + "/store.db"));
}

TEST_CASE("a file is overwritten before it goes, unless it has a second name") {
  TemporaryFolder folder;
  put(folder.file("one"), "secret");
  fs::create_hard_link(folder.file("one"), folder.file("two"));
  CHECK(erasure::destroy_file(folder.file("one")).has_value());
  CHECK_FALSE(fs::exists(folder.file("one")));
  std::string left;
  std::ifstream(folder.file("two")) >> left;
  CHECK(left == "secret");
  // Whoever has it open sees what became of it.
  std::ifstream open(folder.file("two"));
  CHECK(erasure::destroy_file(folder.file("two")).has_value());
  left.assign(6, 'x');
  open.read(left.data(), 6);
  CHECK(left == std::string(6, '\0'));
  CHECK(erasure::destroy_file(folder.file("two")).has_value());
}
