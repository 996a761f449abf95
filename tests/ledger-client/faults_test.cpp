// The embedded ledger on a disk that fails, and on a machine that loses its power.
#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "gateway/base/log.h"
#include "ledger-client/embedded/embedded_ledger.h"
#include "ledger-client/embedded/operations.h"
#include "tests/ledger-client/fault_vfs.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using ledger::EmbeddedLedger;

namespace {

// Single entries, a batch that fills a tile, a batch that fills one exactly, and enough commits for
// the write-ahead log to be moved several times.
constexpr std::uint64_t kBatches[] = {1, 1, 2, 260, 3, 245, 1, 1, 40, 1};

std::uint64_t total() {
  std::uint64_t sum = 0;
  for (const std::uint64_t batch : kBatches) sum += batch;
  return sum;
}

/// One ledger on a faulty disk, and what it has acknowledged.
class Machine {
 public:
  Result<void> start() {
    auto options = options_in(folder);
    options.vfs = vfs.name();
    options.max_wal_pages = 30;
    options.on_fatal = [this](const Error&) { ++fatal; };
    FLORA_ASSIGN(ledger, EmbeddedLedger::open(std::move(options), Env::system()));
    return {};
  }

  void stop() { ledger.reset(); }

  /// Submits what is not acknowledged yet, in the batches, until one fails. True: all is.
  bool work() {
    std::uint64_t first = 0;
    for (const std::uint64_t batch : kBatches) {
      if (!submit_batch(first, batch)) return false;
      first += batch;
    }
    return true;
  }

  /// All that was acknowledged is there, once, under the receipt of then.
  void check_promises() {
    REQUIRE(ledger);
    const auto entries = ledger->read(0, total());
    REQUIRE(entries);
    std::map<Uuid, std::string> recorded;
    for (const CommittedEntry& entry : *entries) recorded[entry.id] = entry.body;
    REQUIRE(recorded.size() == entries->size());
    for (const auto& [n, proof] : acknowledged) {
      const bool kept = recorded[id_of(n)] == body_of(n);
      if (!kept) FAIL("entry ", n, " is lost");
      if (proof.empty() || n % 41 != 0) continue;
      REQUIRE(ledger->receipt(id_of(n))->proof == proof);
    }
  }

  /// True if the ledger has stopped writing, which it must tell after each uncertain outcome.
  bool has_stopped() {
    if (!ledger) return true;
    submit(*ledger, {});  // Answered after whatever follows from the submissions before.
    for (const Errc code : errors) {
      const bool known =
          code == Errc::uncertain || code == Errc::unavailable || code == Errc::overloaded;
      if (!known) FAIL("a disk fault was answered with ", to_string(code));
      if (code == Errc::uncertain) REQUIRE(fatal == 1);
    }
    return fatal > 0;
  }

  /// Carries on to the end, and looks at everything.
  void finish() {
    REQUIRE(work());
    REQUIRE(ledger->size() == total());
    check_promises();
    stop();
    const auto report = ledger::fsck(files_in(folder));
    REQUIRE_MESSAGE(report.has_value(), report.error().message);
    for (const std::string& finding : report->findings) FAIL(finding);
    REQUIRE(report->entries == total());
  }

  Folder folder;
  FaultVfs vfs;
  std::unique_ptr<EmbeddedLedger> ledger;
  std::map<std::uint64_t, std::string> acknowledged;  // Entry to proof, empty if it was a repeat.
  std::vector<Errc> errors;
  std::atomic<int> fatal = 0;

 private:
  bool submit_batch(std::uint64_t first, std::uint64_t batch) {
    const auto results = submit(*ledger, entries_of(first, batch));
    REQUIRE(results.size() == batch);
    bool good = true;
    for (std::uint64_t i = 0; i < batch; ++i) {
      if (!results[i]) {
        errors.push_back(results[i].error().code);
        good = false;
        continue;
      }
      auto& proof = acknowledged[first + i];
      if (results[i]->receipt) proof = results[i]->receipt->proof;
    }
    return good;
  }
};

enum class Damage { once, for_ever, disk_full };

/// Runs the workload with a fault at operation n. False: the fault no longer fires.
bool survives_fault(std::uint64_t n, Damage damage) {
  Machine machine;
  machine.vfs.set_disk_full(damage == Damage::disk_full);
  if (damage == Damage::for_ever) {
    machine.vfs.fail_forever_from(n);
  } else {
    machine.vfs.fail_once_at(n);
  }
  if (machine.start()) machine.work();
  const bool stopped = machine.has_stopped();
  const bool fired = machine.vfs.fired();
  machine.vfs.heal();
  if (stopped || damage == Damage::for_ever) {
    machine.stop();
    const auto started = machine.start();
    REQUIRE_MESSAGE(started.has_value(), "after a fault at ", n, ": ", started.error().message);
  }
  machine.check_promises();
  machine.finish();
  return fired;
}

/// Runs the workload until the power goes off in operation n. False: it never does.
bool survives_power_loss(std::uint64_t n, Unsynced unsynced) {
  Machine machine;
  machine.vfs.power_off_at(n);
  if (machine.start()) machine.work();
  machine.stop();
  const bool fired = machine.vfs.fired();
  machine.vfs.lose_power(unsynced, n);
  const auto started = machine.start();
  REQUIRE_MESSAGE(started.has_value(), "after a power loss at ", n, ": ", started.error().message);
  machine.check_promises();
  machine.finish();
  return fired;
}

/// The same without syncs: true if an acknowledged entry is lost, or the ledger does not open.
bool loses_without_syncs(std::uint64_t n, Unsynced unsynced) {
  Machine machine;
  machine.vfs.set_ignore_syncs(true);
  machine.vfs.power_off_at(n);
  if (machine.start()) machine.work();
  machine.stop();
  machine.vfs.lose_power(unsynced, n);
  if (!machine.start()) return true;
  for (const auto& [entry, proof] : machine.acknowledged) {
    if (!machine.ledger->receipt(id_of(entry))) return true;
  }
  return false;
}

void check_all(const std::function<bool(std::uint64_t)>& survives) {
  const std::uint64_t operations = try_operations(survives);
  MESSAGE("operations: ", operations);
  CHECK(operations > 100);
}

}  // namespace

TEST_CASE("a disk operation that fails once loses and doubles nothing") {
  log::set_level(log::Level::error);
  check_all([](std::uint64_t n) { return survives_fault(n, Damage::once); });
}

TEST_CASE("a disk that fails for ever loses nothing that was acknowledged") {
  check_all([](std::uint64_t n) { return survives_fault(n, Damage::for_ever); });
}

TEST_CASE("a full disk loses and doubles nothing") {
  check_all([](std::uint64_t n) { return survives_fault(n, Damage::disk_full); });
}

TEST_CASE("a power loss that drops all unsynced writes loses nothing that was acknowledged") {
  check_all([](std::uint64_t n) { return survives_power_loss(n, Unsynced::dropped); });
}

TEST_CASE("a power loss that tears and scatters unsynced writes loses nothing acknowledged") {
  check_all([](std::uint64_t n) { return survives_power_loss(n, Unsynced::scattered); });
}

TEST_CASE("without syncs the power-loss test would fail") {
  int lost = 0;
  for (std::uint64_t n = 30; n < 150; n += 10) {
    lost += loses_without_syncs(n, Unsynced::dropped) ? 1 : 0;
    lost += loses_without_syncs(n, Unsynced::scattered) ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST_CASE("after a failed commit nothing more is written and the process is told") {
  Machine machine;
  REQUIRE(machine.start());
  REQUIRE(submit(*machine.ledger, {entry_of(0)}).front());
  machine.vfs.fail_once_at(1);
  const auto failed = submit(*machine.ledger, {entry_of(1)});
  CHECK(failed.front().error().code == Errc::uncertain);
  CHECK(submit(*machine.ledger, {entry_of(2)}).front().error().code == Errc::unavailable);
  CHECK(machine.ledger->size() == 1);
  CHECK(machine.ledger->receipt(id_of(0)).has_value());
  CHECK(machine.fatal == 1);
}
