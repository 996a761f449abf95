// The embedded ledger, measured against bare durable inserts of the same rows in the same run.
// Arguments: a folder on the disk to measure, and optionally how many seconds each workload takes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <thread>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

/// A text of about the length of a real transaction.
LedgerEntry sample(std::uint64_t n) {
  LedgerEntry entry = entry_of(n);
  entry.body.insert(entry.body.size() - 1, R"(,"z":")" + std::string(480, 'x') + "\"");
  return entry;
}

std::string fresh(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  for (const char* suffix : {"", "-wal", "-shm", ".lock", ".checkpoint"}) {
    std::filesystem::remove(path + suffix);
  }
  return path;
}

std::unique_ptr<ledger::EmbeddedLedger> open_ledger(const std::string& path) {
  auto opened = ledger::EmbeddedLedger::open({.database = path,
                                              .checkpoint_file = path + ".checkpoint",
                                              .origin = kOrigin,
                                              .key = test_key()},
                                             Env::system());
  if (!opened) fail(opened.error().message);
  return std::move(*opened);
}

/// Durable rows per second of one thread that inserts into the ledger's entry table, `per_commit` a
/// time: the ceiling.
double bare_inserts(const std::string& folder, std::uint64_t per_commit, double duration) {
  auto database =
      sqlite::Database::open(fresh(folder, "bare.db"), sqlite::Mode::read_write).value();
  if (!database.execute("CREATE TABLE entry(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
                        "body TEXT NOT NULL) STRICT")) {
    fail("bare table");
  }
  auto insert = database.prepare("INSERT INTO entry VALUES(?1, ?2, ?3)").value();
  const auto begin = Clock::now();
  std::uint64_t n = 0;
  while (seconds_since(begin) < duration) {
    if (!database.begin()) fail("begin");
    for (std::uint64_t i = 0; i < per_commit; ++i, ++n) {
      const LedgerEntry entry = sample(n);
      insert.bind(1, static_cast<std::int64_t>(n)).bind_blob(2, entry.id.bytes);
      if (!insert.bind_text(3, entry.body).run()) fail("insert");
    }
    if (!database.commit()) fail("commit");
  }
  return static_cast<double>(n) / seconds_since(begin);
}

struct Figures {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// `producers` callers, each of which submits `batch` entries when the last ones are answered.
Figures closed_loop(const std::string& folder, std::uint64_t producers, std::uint64_t batch,
                    double duration) {
  auto ledger = open_ledger(fresh(folder, "ledger.db"));
  std::atomic<std::uint64_t> next = 0;
  std::atomic<std::uint64_t> committed = 0;
  std::latch finished(static_cast<std::ptrdiff_t>(producers));
  std::vector<double> latencies;  // Answers come on one thread.
  const auto begin = Clock::now();
  std::function<void()> produce = [&] {
    std::vector<LedgerEntry> entries;
    const std::uint64_t first = next.fetch_add(batch);
    for (std::uint64_t n = first; n < first + batch; ++n) entries.push_back(sample(n));
    const auto sent = Clock::now();
    ledger->submit(std::move(entries), [&, sent](std::vector<Result<Position>> results) {
      for (const auto& result : results) {
        if (!result) fail(result.error().message);
      }
      committed += results.size();
      latencies.push_back(seconds_since(sent) * 1e3);
      if (seconds_since(begin) < duration) {
        produce();
      } else {
        finished.count_down();
      }
    });
  };
  for (std::uint64_t i = 0; i < producers; ++i) produce();
  finished.wait();
  const double elapsed = seconds_since(begin);
  ledger.reset();
  std::sort(latencies.begin(), latencies.end());
  return {static_cast<double>(committed) / elapsed, latencies[latencies.size() / 2],
          latencies[latencies.size() * 99 / 100]};
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

/// Time and memory of a start, and the time of a receipt that is read from the disk.
void measure_start(const std::string& folder, std::uint64_t entries) {
  const std::string path = fresh(folder, "start.db");
  if (!fill(*open_ledger(path), 0, entries, 4'000)) fail("fill");
  const long before = resident_kib();
  auto begin = Clock::now();
  auto ledger = open_ledger(path);
  const double start_ms = seconds_since(begin) * 1e3;
  const long after = resident_kib();
  constexpr std::uint64_t kReceipts = 500;
  begin = Clock::now();
  for (std::uint64_t i = 0; i < kReceipts; ++i) {
    if (!ledger->receipt(id_of(i * 7'919 % entries))) fail("receipt");
  }
  std::printf("start at %lu entries: %.2f ms, %ld KiB more; cold receipt %.3f ms\n", entries,
              start_ms, after - before, seconds_since(begin) * 1e3 / kReceipts);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: ledger_bench <folder> [<seconds>]");
  const std::string folder = argv[1];
  const double duration = argc > 2 ? std::atof(argv[2]) : 2.0;
  log::set_level(log::Level::error);
  for (const std::uint64_t load : {1, 16, 64, 256}) {
    const double bare = bare_inserts(folder, load, duration);
    const Figures figures = closed_loop(folder, load, 1, duration);
    std::printf(
        "%3lu producers: %7.0f entries/s, p50 %.2f ms, p99 %.2f ms; bare %7.0f rows/s, "
        "ratio %.2f\n",
        load, figures.per_second, figures.p50_ms, figures.p99_ms, bare, figures.per_second / bare);
  }
  const double bare = bare_inserts(folder, 1'000, duration);
  const Figures bulk = closed_loop(folder, 4, 1'000, duration);
  std::printf("4 producers of 1000: %7.0f entries/s; bare %7.0f rows/s, ratio %.2f\n",
              bulk.per_second, bare, bulk.per_second / bare);
  for (const std::uint64_t entries : {100'000, 1'000'000}) measure_start(folder, entries);
}
