#include "tests/ledger-client/ledger_contract.h"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "tests/ledger-client/test_ledger.h"

namespace flora::test {
namespace {

// Of one procedure, whose order every ledger keeps.
LedgerEntry real(std::uint64_t n) { return transaction_of(n); }

void check_recording(Ledger& ledger) {
  CHECK(ledger.size() == 0);
  CHECK(ledger.read(0, 10)->empty());
  CHECK_FALSE(ledger.find(id_of(1))->has_value());
  CHECK(ledger.receipt(id_of(1)).error().code == Errc::not_found);

  const auto results = submit(ledger, {real(1), real(2), real(3)});
  REQUIRE(results.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    REQUIRE(results[i]);
    CHECK(results[i]->index == i);
    CHECK_FALSE(results[i]->repeated);
  }
  CHECK(ledger.size() == 3);
  CHECK(ledger.find(id_of(2))->value() == 1);
  const auto entries = ledger.read(1, 10);
  REQUIRE(entries->size() == 2);
  CHECK(entries->front().index == 1);
  CHECK(entries->front().id == id_of(2));
  CHECK(entries->front().body == real(2).body);
  CHECK(ledger.read(0, 2)->size() == 2);
  CHECK(ledger.read(3, 1)->empty());
}

void check_repeats(Ledger& ledger) {
  REQUIRE(submit(ledger, {real(1)}).front());
  const auto again = submit(ledger, {real(2), real(1), real(2)});
  REQUIRE(again.size() == 3);
  CHECK(again[0]->index == 1);
  CHECK_FALSE(again[0]->repeated);
  CHECK(again[1]->index == 0);
  CHECK(again[1]->repeated);
  CHECK(again[2]->index == 1);
  CHECK(again[2]->repeated);
  CHECK(ledger.size() == 2);
}

void check_conflicts(Ledger& ledger) {
  REQUIRE(submit(ledger, {real(1)}).front());
  const auto results = submit(ledger, {transaction_of(1, 1, 7), real(3), {id_of(4), ""}});
  CHECK(results[0].error().code == Errc::conflict);
  CHECK(results[1]->index == 1);
  CHECK(results[2].error().code == Errc::invalid);
  CHECK(ledger.size() == 2);
  const auto too_long = submit(ledger, {{id_of(5), std::string(65'536, 'x')}});
  CHECK(too_long.front().error().code == Errc::invalid);
  CHECK(submit(ledger, {}).empty());
}

// What of a receipt must not change.
std::string text_of(const Receipt& receipt) {
  if (!receipt.network) return receipt.proof;
  return receipt.network->transaction + receipt.network->envelope + receipt.network->witness +
         std::to_string(receipt.network->block);
}

void check_receipts(Ledger& ledger) {
  for (std::uint64_t n = 0; n < 20; ++n) REQUIRE(submit(ledger, {real(n)}).front());
  for (std::uint64_t n = 0; n < 20; ++n) {
    const auto receipt = ledger.receipt(id_of(n));
    REQUIRE(receipt);
    CHECK(receipt->index == n);
    CHECK(receipt->body == real(n).body);
  }
  const auto before = ledger.receipt(id_of(4));
  const auto results = submit(ledger, {real(100), real(4)});
  const auto after = ledger.receipt(id_of(4));
  CHECK(text_of(*before) == text_of(*after));
  if (results[0]->receipt) {
    CHECK(results[0]->receipt->proof == ledger.receipt(id_of(100))->proof);
    CHECK(results[0]->receipt->body == real(100).body);
  }
}

void check_many_threads(Ledger& ledger) {
  constexpr std::uint64_t kThreads = 8;
  constexpr std::uint64_t kEach = 60;
  std::latch done(kThreads * kEach);
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        // Every second one is sent by two threads.
        const std::uint64_t n = i % 2 == 0 ? t * kEach + i : t / 2 * kEach + i;
        ledger.submit({transaction_of(n, n)}, [&](std::vector<Result<Position>> results) {
          if (results.size() != 1 || !results.front()) ++failures;
          done.count_down();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.wait();
  CHECK(failures == 0);
  const auto entries = ledger.read(0, kThreads * kEach);
  REQUIRE(entries);
  CHECK(entries->size() == ledger.size());
  CHECK(entries->size() == kThreads * kEach / 2 + kThreads * kEach / 4);
  std::set<Uuid> ids;
  for (std::size_t i = 0; i < entries->size(); ++i) {
    CHECK((*entries)[i].index == i);
    ids.insert((*entries)[i].id);
  }
  CHECK(ids.size() == entries->size());
}

void check_order(Ledger& ledger) {
  std::latch done(50);
  for (std::uint64_t n = 0; n < 50; ++n) {
    ledger.submit({real(n)}, [&](std::vector<Result<Position>>) { done.count_down(); });
  }
  done.wait();
  const auto entries = ledger.read(0, 50);
  REQUIRE(entries->size() == 50);
  for (std::uint64_t n = 0; n < 50; ++n) CHECK((*entries)[n].id == id_of(n));
}

}  // namespace

void check_ledger_contract(const MakeLedger& make) {
  SUBCASE("what is recorded is found and read") { check_recording(*make()); }
  SUBCASE("the same transaction again is reported, not recorded") { check_repeats(*make()); }
  SUBCASE("another text under the same id is a conflict") { check_conflicts(*make()); }
  SUBCASE("a receipt stays the same for ever") { check_receipts(*make()); }
  SUBCASE("many threads submit at once") { check_many_threads(*make()); }
  SUBCASE("what one thread submits keeps its order") { check_order(*make()); }
}

}  // namespace flora::test
