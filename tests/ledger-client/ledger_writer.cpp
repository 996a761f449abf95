// A program for the kill test: opens the ledger in the folder of its first argument, submits
// entries from several threads without end, and prints the number of each acknowledged entry as
// eight bytes.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/log.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;

namespace {

constexpr std::uint64_t kThreads = 6;
constexpr std::uint64_t kRange = 1'000'000'000;  // Each thread numbers its entries in a range.

/// Submits one entry after the other; every third time several at once, and the last one again.
void write_for_ever(Ledger& ledger, std::uint64_t thread, std::uint64_t first) {
  for (std::uint64_t i = first;;) {
    const std::uint64_t count = i % 3 == 0 ? 5 : 1;
    std::vector<LedgerEntry> entries = entries_of(thread * kRange + i, count);
    if (count > 1) entries.push_back(entries.front());
    const auto results = submit(ledger, std::move(entries));
    for (std::uint64_t k = 0; k < count; ++k) {
      if (!results[k]) std::_Exit(3);
      const std::uint64_t n = thread * kRange + i + k;
      // Shorter than PIPE_BUF: one write is one piece.
      if (::write(STDOUT_FILENO, &n, sizeof n) != sizeof n) std::_Exit(4);
    }
    i += count;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  log::set_level(log::Level::error);
  const std::string folder = argv[1];
  auto ledger = ledger::EmbeddedLedger::open({.database = folder + "/ledger.db",
                                              .checkpoint_file = folder + "/checkpoint",
                                              .origin = kOrigin,
                                              .key = test_key(),
                                              .max_wal_pages = 100},
                                             Env::system());
  if (!ledger) return 1;
  const std::uint64_t first = std::strtoull(argv[2], nullptr, 10);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { write_for_ever(**ledger, t, first); });
  }
  for (std::thread& thread : threads) thread.join();
}
