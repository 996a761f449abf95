// A process that writes is killed (-9) at random instants: nothing that it acknowledged is lost,
// nothing is doubled. FLORA_KILLS sets the number of kills.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "ledger-client/embedded/operations.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;

namespace {

struct Child {
  pid_t pid;
  int out;
};

Child start_writer(const std::string& folder, std::uint64_t first) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string number = std::to_string(first);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl(FLORA_LEDGER_WRITER, FLORA_LEDGER_WRITER, folder.c_str(), number.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

/// Adds the next acknowledged number; false at the end.
bool next_acknowledged(int out, std::set<std::uint64_t>& acknowledged) {
  std::uint64_t n = 0;
  if (::read(out, &n, sizeof n) != sizeof n) return false;
  acknowledged.insert(n);
  return true;
}

int kills() {
  const char* const text = std::getenv("FLORA_KILLS");
  return text == nullptr ? 20 : std::atoi(text);
}

struct Totals {
  std::size_t acknowledged = 0;
  std::uint64_t entries = 0;
};

/// Starts a writer, waits until it has acknowledged so many entries, and kills it.
void kill_one(const Folder& folder, int kill, std::uint64_t count,
              std::set<std::uint64_t>& acknowledged) {
  const Child child = start_writer(folder.path(""), static_cast<std::uint64_t>(kill) * 100'000);
  bool alive = true;
  for (std::uint64_t i = 0; i < count && alive; ++i) {
    alive = next_acknowledged(child.out, acknowledged);
  }
  REQUIRE_MESSAGE(alive, "the writer ended by itself");
  ::kill(child.pid, SIGKILL);
  while (next_acknowledged(child.out, acknowledged)) {
  }
  ::close(child.out);
  int status = 0;
  REQUIRE(::waitpid(child.pid, &status, 0) == child.pid);
  REQUIRE(WIFSIGNALED(status));
}

void check_clean(const Folder& folder) {
  if (!std::filesystem::exists(folder.path("checkpoint"))) return;  // Killed before the start.
  const auto report = ledger::fsck(files_in(folder));
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  for (const std::string& finding : report->findings) {
    // Threads race for their place, so that the test's own times are out of order.
    if (finding.find("recorded before") == std::string::npos) FAIL_CHECK(finding);
  }
}

/// Kills the writers of one ledger, and compares at the end what is there with what was said.
Totals run_ledger(int kills_here, std::mt19937_64& random) {
  const Folder folder;
  std::set<std::uint64_t> acknowledged;
  for (int kill = 0; kill < kills_here; ++kill) {
    // The instant follows from how much was acknowledged: from nothing, that is within the start,
    // to some hundred commits.
    kill_one(folder, kill, kill % 5 == 0 ? random() % 3 : random() % 1'500, acknowledged);
    check_clean(folder);
  }
  auto opened = ledger::EmbeddedLedger::open(options_in(folder), Env::system());
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  const std::uint64_t size = (*opened)->size();
  std::set<Uuid> ids;
  for (std::uint64_t first = 0; first < size; first += 1'000) {
    const auto entries = (*opened)->read(first, 1'000);
    REQUIRE(entries);
    for (const CommittedEntry& entry : *entries) ids.insert(entry.id);
  }
  CHECK(ids.size() == size);
  std::uint64_t lost = 0;
  for (const std::uint64_t n : acknowledged) lost += ids.contains(id_of(n)) ? 0 : 1;
  CHECK(lost == 0);
  return {acknowledged.size(), size};
}

}  // namespace

TEST_CASE("a writer that is killed at any instant loses and doubles nothing acknowledged") {
  constexpr int kPerLedger = 10;
  std::mt19937_64 random(20261103);
  Totals totals;
  for (int done = 0; done < kills(); done += kPerLedger) {
    const Totals here = run_ledger(std::min(kPerLedger, kills() - done), random);
    totals.acknowledged += here.acknowledged;
    totals.entries += here.entries;
  }
  CHECK(totals.acknowledged > 100);
  MESSAGE("kills: ", kills(), ", acknowledged: ", totals.acknowledged,
          ", entries: ", totals.entries);
}
