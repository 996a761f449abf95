// The outbox before a remote ledger: order, faults, restarts, refusals, bounds.
#include "ledger-client/outbox/outbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "gateway/model/transaction.h"
#include "ledger-client/outbox/remote_ledger.h"
#include "ledger-client/outbox/waiters.h"
#include "tests/ledger-client/ledger_contract.h"
#include "tests/ledger-client/memory_network.h"
#include "tests/ledger-client/memory_store.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using namespace std::chrono_literals;
using outbox::Outbox;

namespace {

// What outlives one outbox.
struct World {
  Folder folder;
  MemoryStore store;
  MemoryNetwork* network = nullptr;  // Of the ledger.
  std::unique_ptr<outbox::RemoteLedger> ledger;
  std::unique_ptr<outbox::Waiters> waiters;
  std::unique_ptr<Outbox> box;
  outbox::Options options;
  std::mutex mutex;
  std::map<Uuid, std::string> refusals;  // That were told.

  World() {
    options.first_pause = 1ms;
    options.longest_pause = 8ms;
    auto owned = std::make_unique<MemoryNetwork>();
    network = owned.get();
    auto opened = outbox::RemoteLedger::open({folder.path("copy.db"), "test"}, std::move(owned),
                                             Env::system());
    REQUIRE(opened.has_value());
    ledger = std::move(*opened);
    waiters = std::make_unique<outbox::Waiters>(ledger->replica());
    ledger->on_entries([this](const auto& entries) { waiters->arrived(entries); });
    options.on_refused = [this](const Uuid& id, const std::string& reason) {
      const std::lock_guard lock(mutex);
      refusals[id] = reason;
      waiters->refused(id, reason);
    };
  }
  ~World() {
    ledger->on_entries({});
    box.reset();
  }

  void share() { options.look = 5ms; }

  void start() {
    auto started =
        Outbox::start(options, store, ledger->network(), ledger->replica(), Env::system());
    REQUIRE(started.has_value());
    box = std::move(*started);
  }

  outbox::Fate fate(const Uuid& id, std::chrono::milliseconds patience = kPatience) {
    std::promise<outbox::Fate> promise;
    auto future = promise.get_future();
    waiters->await(id, patience, [&](outbox::Fate fate) { promise.set_value(std::move(fate)); });
    {
      const std::lock_guard lock(mutex);
      if (refusals.contains(id)) waiters->refused(id, refusals[id]);
    }
    return future.get();
  }
};

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool is_committed(const outbox::Fate& fate) {
  return std::holds_alternative<outbox::Committed>(fate);
}

// The places of a procedure's entries in the network's order must rise with their numbers.
void check_order(const std::vector<std::string>& bodies) {
  std::map<Uuid, Uuid> last;
  for (const std::string& body : bodies) {
    const Transaction transaction = *parse_transaction(body);
    const auto before = last.find(transaction.procedure);
    if (before != last.end()) CHECK(before->second < transaction.id);
    last[transaction.procedure] = transaction.id;
  }
}

}  // namespace

TEST_CASE("a ledger network keeps the contract of ledgers") {
  std::deque<Folder> folders;
  check_ledger_contract([&] {
    auto opened = outbox::RemoteLedger::open({folders.emplace_back().path("copy.db"), "test"},
                                             std::make_unique<MemoryNetwork>(), Env::system());
    REQUIRE(opened.has_value());
    return std::move(*opened);
  });
}

TEST_CASE("a ledger network that fails at any try records once what it is told until it answers") {
  for (const Fault fault : {Fault::before, Fault::after, Fault::lost_race}) {
    const Folder folder;
    auto owned = std::make_unique<MemoryNetwork>();
    MemoryNetwork& network = *owned;
    int left = 3;
    network.set_faults([&](const outbox::Attempt&) { return left-- > 0 ? fault : Fault::none; });
    auto ledger = outbox::RemoteLedger::open({folder.path("copy.db"), "test"}, std::move(owned),
                                             Env::system());
    REQUIRE(ledger.has_value());
    Result<Position> position = Error{};
    for (int i = 0; i < 10 && !position; ++i) {
      position = submit(**ledger, {transaction_of(1)}).front();
      if (position) break;
      const bool is_right =
          position.error().code == (fault == Fault::after ? Errc::uncertain : Errc::unavailable);
      CHECK(is_right);
    }
    REQUIRE(position.has_value());
    CHECK(position->index == 0);
    CHECK(network.bodies().size() == 1);
  }
}

TEST_CASE("what was pushed is committed, once, and leaves the store") {
  World world;
  world.start();
  for (std::uint64_t n = 1; n <= 50; ++n) {
    world.box->push({world.store.add(static_cast<std::int64_t>(n), transaction_of(n, 1 + n % 7))});
  }
  for (std::uint64_t n = 1; n <= 50; ++n) CHECK(is_committed(world.fate(id_of(n))));
  world.store.wait_for_size(0);
  CHECK(world.network->bodies().size() == 50);
  check_order(world.network->bodies());
  CHECK(world.box->activity().failed == 0);
}

TEST_CASE("with faults at a third of all tries nothing is lost, doubled or out of order") {
  World world;
  std::uint32_t state = 7;
  world.network->set_faults([&](const outbox::Attempt&) {
    state = state * 1664525U + 1013904223U;
    const std::uint32_t draw = (state >> 16U) % 9;
    if (draw == 0) return Fault::before;
    if (draw == 1) return Fault::after;
    return draw == 2 ? Fault::lost_race : Fault::none;
  });
  world.options.spent = 1000;
  world.start();
  constexpr std::uint64_t kRows = 400;
  for (std::uint64_t n = 1; n <= kRows; ++n) {
    world.box->push({world.store.add(static_cast<std::int64_t>(n), transaction_of(n, n % 20))});
  }
  world.store.wait_for_size(0);
  const auto bodies = world.network->bodies();
  CHECK(bodies.size() == kRows);
  CHECK(std::set<std::string>(bodies.begin(), bodies.end()).size() == kRows);
  check_order(bodies);
  CHECK(world.network->tries() > kRows);
  CHECK(world.store.renewed() > 0);
}

TEST_CASE("an outbox that ends at any try goes on in the next one, with the same nonce") {
  for (int end = 0; end < 12; ++end) {
    World world;
    int tries = 0;
    std::set<std::string> nonces;
    std::mutex mutex;
    world.network->set_faults([&](const outbox::Attempt& attempt) {
      const std::lock_guard lock(mutex);
      nonces.insert(to_string(attempt.id) +
                    std::string(reinterpret_cast<const char*>(attempt.nonce.data()), 24));
      return tries++ % 3 == 1 ? Fault::after : Fault::none;
    });
    for (std::uint64_t n = 1; n <= 6; ++n) {
      world.store.add(static_cast<std::int64_t>(n), transaction_of(n, n % 2));
    }
    world.start();
    while (world.network->tries() < static_cast<std::uint64_t>(end) / 2) std::this_thread::yield();
    world.box.reset();
    world.start();
    world.store.wait_for_size(0);
    CHECK(world.network->bodies().size() == 6);
    check_order(world.network->bodies());
    CHECK(nonces.size() == 6);
  }
}

TEST_CASE(
    "a refused transaction is told, holds back its corrections alone, and can be tried again") {
  World world;
  std::atomic<bool> entitled = false;
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    return attempt.id == id_of(2) && !entitled ? Fault::refused : Fault::none;
  });
  world.start();
  world.box->push(
      {world.store.add(1, transaction_of(1, 1)), world.store.add(2, transaction_of(2, 1)),
       world.store.add(3, correction_of(3, 2, 1)), world.store.add(4, transaction_of(4, 1))});
  const outbox::Fate refused = world.fate(id_of(2));
  REQUIRE(std::holds_alternative<outbox::Refused>(refused));
  CHECK(std::get<outbox::Refused>(refused).reason == "not-entitled");
  CHECK(is_committed(world.fate(id_of(4))));
  CHECK(std::holds_alternative<outbox::Pending>(world.fate(id_of(3), 20ms)));
  world.store.wait_for_size(2);
  CHECK(world.store.failed() == std::map<std::int64_t, std::string>{{2, "not-entitled"}});

  // It is known after a restart as well.
  world.box.reset();
  world.start();
  CHECK(world.box->activity().failed == 1);
  CHECK(std::holds_alternative<outbox::Pending>(world.fate(id_of(3), 20ms)));
  CHECK(world.network->bodies().size() == 2);

  entitled = true;
  world.refusals.clear();
  world.box->retry(world.store.reopen(2));
  CHECK(is_committed(world.fate(id_of(2))));
  CHECK(is_committed(world.fate(id_of(3))));
  world.store.wait_for_size(0);
  CHECK(world.network->bodies().size() == 4);
  CHECK(world.network->bodies().back() == correction_of(3, 2, 1).body);
}

TEST_CASE("what the store cannot write now it is told again") {
  for (const Fault fault : {Fault::none, Fault::lost_race, Fault::refused}) {
    World world;
    std::atomic<int> left = 1;
    world.network->set_faults(
        [&](const outbox::Attempt&) { return left-- > 0 ? fault : Fault::none; });
    world.store.fail_settlements(2);
    world.start();
    world.box->push({world.store.add(1, transaction_of(1, 1))});
    if (fault == Fault::refused) {
      CHECK(std::holds_alternative<outbox::Refused>(world.fate(id_of(1))));
      CHECK(eventually([&] { return world.store.failed().size() == 1; }));
    } else {
      world.store.wait_for_size(0);
      CHECK(world.network->bodies().size() == 1);
    }
  }
}

TEST_CASE("a correction of a held correction is held as well, and follows in its order") {
  World world;
  std::atomic<bool> entitled = false;
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    return attempt.id == id_of(1) && !entitled ? Fault::refused : Fault::none;
  });
  world.start();
  world.box->push(
      {world.store.add(1, transaction_of(1, 1)), world.store.add(2, correction_of(2, 1, 1)),
       world.store.add(3, correction_of(3, 2, 1)), world.store.add(4, transaction_of(4, 1))});
  CHECK(is_committed(world.fate(id_of(4))));
  CHECK(world.network->bodies().size() == 1);
  entitled = true;
  world.box->retry(world.store.reopen(1));
  world.store.wait_for_size(0);
  const auto bodies = world.network->bodies();
  REQUIRE(bodies.size() == 4);
  CHECK(bodies[1] == transaction_of(1, 1).body);
  CHECK(bodies[2] == correction_of(2, 1, 1).body);
  CHECK(bodies[3] == correction_of(3, 2, 1).body);
}

TEST_CASE("a repeat of what was refused in an earlier life is not tried behind its back") {
  World world;
  std::atomic<int> tries = 0;
  world.network->set_faults([&](const outbox::Attempt&) {
    ++tries;
    return Fault::refused;
  });
  world.start();
  const outbox::Row row = world.store.add(1, transaction_of(1, 1));
  world.box->push({row});
  CHECK(eventually([&] { return world.store.failed().size() == 1; }));
  world.box.reset();
  world.start();
  world.box->push({row});
  world.box->push({world.store.add(2, transaction_of(2, 2))});
  CHECK(eventually([&] { return world.store.failed().size() == 2; }));
  CHECK(tries == 2);
}

TEST_CASE("who cannot sign keeps neither the others' rows away nor the breaker open") {
  World world;
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    return attempt.authority == "999901" ? Fault::denied : Fault::none;
  });
  world.options.window = 16;
  world.options.breaker = 4;
  world.start();
  // Each about a procedure of its own, and never done: it is an erasure.
  std::int64_t number = 0;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    world.box->push({world.store.add(++number, tombstone_of(n, n))});
  }
  for (std::uint64_t n = 101; n <= 150; ++n) {
    world.box->push({world.store.add(++number, transaction_of(n, n))});
  }
  for (std::uint64_t n = 101; n <= 150; ++n) CHECK(is_committed(world.fate(id_of(n))));
  CHECK_FALSE(world.box->activity().broken);
  world.store.wait_for_size(40);
}

TEST_CASE("an erasure that the network refuses is not given up") {
  World world;
  std::atomic<int> left = 5;
  world.network->set_faults(
      [&](const outbox::Attempt&) { return left-- > 0 ? Fault::refused : Fault::none; });
  world.start();
  world.box->push({world.store.add(1, tombstone_of(1, 1))});
  CHECK(is_committed(world.fate(id_of(1))));
  world.store.wait_for_size(0);
}

TEST_CASE("a tombstone takes with it what was refused of its procedure") {
  World world;
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    return attempt.id == id_of(1) ? Fault::refused : Fault::none;
  });
  world.start();
  world.box->push({world.store.add(1, transaction_of(1, 1)),
                   world.store.add(2, correction_of(2, 1, 1)),
                   world.store.add(3, tombstone_of(3, 1))});
  CHECK(is_committed(world.fate(id_of(3))));
  CHECK(world.box->activity().failed == 0);
}

TEST_CASE("a nonce that is spent again and again ends in a failure with the last reason") {
  World world;
  world.network->set_faults([](const outbox::Attempt&) { return Fault::lost_race; });
  world.options.spent = 3;
  world.start();
  world.box->push({world.store.add(1, transaction_of(1, 1))});
  const outbox::Fate fate = world.fate(id_of(1));
  REQUIRE(std::holds_alternative<outbox::Refused>(fate));
  CHECK(std::get<outbox::Refused>(fate).reason == "mvcc-read-conflict");
  CHECK(world.network->tries() == 3);
}

TEST_CASE("while the network is down few tries look for it, and then everything goes on") {
  World world;
  world.network->set_down(true);
  world.options.breaker = 4;
  world.options.concurrency = 8;
  world.options.longest_pause = 50ms;
  world.start();
  constexpr std::uint64_t kRows = 300;
  for (std::uint64_t n = 1; n <= kRows; ++n) {
    world.box->push({world.store.add(static_cast<std::int64_t>(n), transaction_of(n, n))});
  }
  REQUIRE(eventually([&] { return world.box->activity().broken; }));
  CHECK(std::holds_alternative<outbox::Pending>(world.fate(id_of(1), 200ms)));
  CHECK(world.network->tries() < 40);
  world.network->set_down(false);
  world.store.wait_for_size(0);
  CHECK_FALSE(world.box->activity().broken);
  CHECK(world.network->bodies().size() == kRows);
  CHECK(world.network->most_at_once() <= 8);
}

TEST_CASE("more rows than fit into memory are read from the store in time, in their order") {
  World world;
  world.network->set_down(true);
  world.options.window = 16;
  world.options.breaker = 2;
  world.start();
  constexpr std::uint64_t kRows = 500;
  world.box->push({world.store.add(1, transaction_of(1, 1))});
  REQUIRE(eventually([&] { return world.box->activity().broken; }));
  for (std::uint64_t n = 2; n <= kRows; ++n) {
    world.box->push({world.store.add(static_cast<std::int64_t>(n), transaction_of(n, n % 3))});
    const outbox::Activity activity = world.box->activity();
    CHECK(activity.waiting + activity.under_way <= 16);
  }
  world.network->set_down(false);
  world.store.wait_for_size(0);
  CHECK(world.network->bodies().size() == kRows);
  check_order(world.network->bodies());
  // What comes after that goes straight on.
  world.box->push({world.store.add(kRows + 1, transaction_of(kRows + 1, 1))});
  CHECK(is_committed(world.fate(id_of(kRows + 1))));
}

TEST_CASE("an outbox whose turn is over in the middle of a try submits nothing more") {
  World world;
  world.share();
  std::atomic<bool> has_turn = true;
  world.options.time_left = [&] { return std::chrono::seconds(has_turn ? 60 : 0); };
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    if (attempt.id == id_of(2)) has_turn = false;  // It was stopped here, for long.
    return Fault::none;
  });
  for (std::uint64_t n = 1; n <= 4; ++n) {
    world.store.add(static_cast<std::int64_t>(n), transaction_of(n, 1 + n % 2));
  }
  world.options.concurrency = 1;
  world.start();
  CHECK(eventually([&] { return !has_turn; }));
  CHECK(std::holds_alternative<outbox::Pending>(world.fate(id_of(2), 100ms)));
  CHECK(std::holds_alternative<outbox::Pending>(world.fate(id_of(4), 10ms)));
  CHECK(world.network->bodies().size() <= 1);
  CHECK_FALSE(world.box->activity().broken);
  // It was heard of again before another one has taken the turn.
  world.network->set_faults({});
  has_turn = true;
  world.store.wait_for_size(0);
  check_order(world.network->bodies());
}

TEST_CASE("an outbox that the store does not take settlements from begins no further try") {
  World world;
  world.share();
  world.store.end_turn();
  world.store.add(1, transaction_of(1, 1));
  world.start();
  CHECK(eventually([&] { return world.network->bodies().size() == 1; }));
  CHECK(is_committed(world.fate(id_of(1))));
  CHECK(eventually([&] { return world.store.told() == 1; }));
  world.store.add(2, transaction_of(2, 2));
  world.box->push({});
  CHECK(std::holds_alternative<outbox::Pending>(world.fate(id_of(2), 100ms)));
  CHECK(world.network->tries() == 1);
  CHECK(world.store.size() == 2);
}

TEST_CASE("what others have put into the store is found, in its order") {
  World world;
  world.share();
  world.start();
  for (std::uint64_t n = 1; n <= 60; ++n) {
    const outbox::Row row = world.store.add(static_cast<std::int64_t>(n), transaction_of(n, n % 3));
    if (n % 2 == 0) world.box->push({row});
  }
  world.store.wait_for_size(0);
  CHECK(world.network->bodies().size() == 60);
  check_order(world.network->bodies());
}

TEST_CASE("what others have opened again is tried again, with what was held behind it") {
  World world;
  world.share();
  std::atomic<bool> entitled = false;
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    return attempt.id == id_of(1) && !entitled ? Fault::refused : Fault::none;
  });
  world.store.add(1, transaction_of(1, 1));
  world.store.add(2, correction_of(2, 1, 1));
  world.store.add(3, transaction_of(3, 1));
  world.start();
  CHECK(is_committed(world.fate(id_of(3))));
  world.store.wait_for_size(2);
  CHECK(eventually([&] { return world.store.failed().size() == 1; }));
  entitled = true;
  world.store.reopen_behind(1, 4);
  world.store.wait_for_size(0);
  const auto bodies = world.network->bodies();
  REQUIRE(bodies.size() == 3);
  CHECK(bodies[1] == transaction_of(1, 1).body);
  CHECK(bodies[2] == correction_of(2, 1, 1).body);
  CHECK(world.box->activity().failed == 0);
}

TEST_CASE("what was opened again while nobody had the turn goes before what corrects it") {
  World world;
  world.share();
  for (const std::uint64_t procedure : {1U, 2U}) {
    const std::uint64_t n = 10 * procedure;
    const auto number = static_cast<std::int64_t>(n);
    world.store.add(number + 1, transaction_of(n + 1, procedure));
    world.store.add(number + 2, correction_of(n + 2, n + 1, procedure));
    world.store.add(number + 3, correction_of(n + 3, n + 2, procedure));
    world.store.reopen_behind(number + 1, number + 100);
  }
  SUBCASE("all are read at once") {}
  SUBCASE("it is read after what corrects it was tried") { world.options.window = 2; }
  world.options.concurrency = 1;
  world.start();
  world.store.wait_for_size(0);
  check_order(world.network->bodies());
}

TEST_CASE("what is opened again goes before its correction, and this before what corrects it") {
  World world;
  bool shared = false;
  SUBCASE("alone") {}
  SUBCASE("of several gateways") { shared = true; }
  if (shared) world.share();
  std::atomic<bool> entitled = false;
  std::atomic<bool> reached = false;
  world.network->set_faults([&](const outbox::Attempt& attempt) {
    if (attempt.id == id_of(1) && !entitled) return Fault::refused;
    return attempt.id == id_of(3) && !reached ? Fault::before : Fault::none;
  });
  const auto add = [&](const outbox::Row& row) { world.box->push({row}); };
  world.start();
  add(world.store.add(1, transaction_of(1, 1)));
  CHECK(eventually([&] { return world.store.failed().size() == 1; }));
  add(world.store.add(2, correction_of(2, 1, 1)));
  add(world.store.add(3, transaction_of(3, 1)));
  CHECK(eventually([&] { return world.box->activity().tries > 2; }));
  // It stands behind one that is being tried.
  add(world.store.add(4, correction_of(4, 2, 1)));
  entitled = true;
  if (shared) {
    world.store.reopen_behind(1, 5);
  } else {
    world.box->retry(world.store.reopen(1));
  }
  CHECK(eventually([&] { return world.box->activity().failed == 0; }));
  reached = true;
  world.store.wait_for_size(0);
  const auto bodies = world.network->bodies();
  REQUIRE(bodies.size() == 4);
  CHECK(bodies[0] == transaction_of(3, 1).body);
  CHECK(bodies[1] == transaction_of(1, 1).body);
  CHECK(bodies[2] == correction_of(2, 1, 1).body);
  CHECK(bodies[3] == correction_of(4, 2, 1).body);
}

TEST_CASE("the local copy is made anew from nothing, and follows exactly from where it was") {
  World world;
  world.start();
  for (std::uint64_t n = 1; n <= 30; ++n) {
    world.box->push({world.store.add(static_cast<std::int64_t>(n), transaction_of(n, n))});
  }
  world.store.wait_for_size(0);
  const auto whole = *world.ledger->read(0, 100);
  REQUIRE(whole.size() == 30);
  const auto network_entries = world.network->bodies();

  const std::string path = world.folder.path("other.db");
  auto replica = *outbox::Replica::open(path, "test");
  std::vector<outbox::NetworkEntry> entries;
  for (std::size_t i = 0; i < network_entries.size(); ++i) {
    entries.push_back({{i, std::to_string(i)}, network_entries[i], "peer"});
  }
  REQUIRE(replica->take({entries.begin(), entries.begin() + 10}).has_value());
  replica.reset();
  replica = *outbox::Replica::open(path, "test");
  REQUIRE(replica->last().size() == 1);
  CHECK(replica->last().front().block == 9);
  // An event that comes again is passed over.
  REQUIRE(replica->take({entries.begin() + 8, entries.end()}).has_value());
  const auto copy = *replica->read(0, 100);
  REQUIRE(copy.size() == 30);
  for (std::size_t i = 0; i < 30; ++i) CHECK(copy[i].body == network_entries[i]);
  CHECK(replica->held(whole[3].id)->entry.witness == "peer");
  replica.reset();

  replica = *outbox::Replica::open(path, "another network");
  CHECK(replica->size() == 0);
  CHECK(replica->last().empty());
  CHECK(replica->take({{{0, "x"}, "{}", "peer"}}).error().code == Errc::corrupt);
  CHECK(replica->size() == 0);
}
