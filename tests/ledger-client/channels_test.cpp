// Several channels as one network: where an entry goes, what a channel that fails leaves behind,
// and one local copy of all of them.
#include "ledger-client/outbox/channels.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "gateway/model/transaction.h"
#include "ledger-client/outbox/outbox.h"
#include "ledger-client/outbox/remote_ledger.h"
#include "ledger-client/outbox/waiters.h"
#include "tests/ledger-client/memory_network.h"
#include "tests/ledger-client/memory_store.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using namespace std::chrono_literals;
using outbox::Attempt;
using outbox::NetworkEntry;
using outbox::NetworkPlace;
using outbox::Outcome;

namespace {

using Names = std::vector<std::string>;

// Two channels, `ni` and `sn`, of which the first is the default.
struct TwoChannels {
  MemoryNetwork* ni = nullptr;
  MemoryNetwork* sn = nullptr;
  std::unique_ptr<outbox::RemoteNetwork> network;

  TwoChannels() {
    auto first = std::make_unique<MemoryNetwork>();
    auto second = std::make_unique<MemoryNetwork>();
    ni = first.get();
    sn = second.get();
    std::vector<outbox::Channel> channels;
    channels.push_back({"ni", std::move(first)});
    channels.push_back({"sn", std::move(second)});
    network = outbox::join(std::move(channels));
  }
};

Attempt attempt_of(const LedgerEntry& entry, Names channels, unsigned char nonce = 1) {
  Attempt attempt{entry.id, "000250", entry.body, {}, std::move(channels)};
  attempt.nonce.fill(static_cast<std::byte>(nonce));
  return attempt;
}

template <typename Value, typename Ask>
Value answer_of(Ask ask) {
  std::promise<Value> promise;
  auto future = promise.get_future();
  ask([&promise](Value value) { promise.set_value(std::move(value)); });
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

Outcome outcome_of(outbox::RemoteNetwork& network, Attempt attempt) {
  return answer_of<Outcome>(
      [&](auto done) { network.submit(std::move(attempt), std::move(done)); });
}

std::optional<NetworkEntry> found_of(outbox::RemoteNetwork& network, const Uuid& id) {
  return *answer_of<Result<std::optional<NetworkEntry>>>(
      [&](auto done) { network.find(id, std::move(done)); });
}

// Faults of the tries that a network is asked for next.
void next_faults(MemoryNetwork& network, std::vector<Fault> faults) {
  auto left = std::make_shared<std::vector<Fault>>(std::move(faults));
  network.set_faults([left](const Attempt&) {
    if (left->empty()) return Fault::none;
    const Fault first = left->front();
    left->erase(left->begin());
    return first;
  });
}

bool soon(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// What a follower is told.
class Told {
 public:
  auto take() {
    return [this](const std::vector<NetworkEntry>& entries) {
      const std::lock_guard lock(mutex_);
      entries_.insert(entries_.end(), entries.begin(), entries.end());
    };
  }
  auto up() {
    return [this](bool is_up) {
      const std::lock_guard lock(mutex_);
      ups_ += is_up ? 'u' : 'd';
    };
  }
  std::size_t count(const std::string& channel) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [&](const NetworkEntry& one) { return one.place.channel == channel; }));
  }
  bool is_up() const {
    const std::lock_guard lock(mutex_);
    return !ups_.empty() && ups_.back() == 'u';
  }

 private:
  mutable std::mutex mutex_;
  std::vector<NetworkEntry> entries_;
  std::string ups_;
};

// An outbox before two channels.
struct Gateway {
  Folder folder;
  MemoryStore store;
  TwoChannels two;
  MemoryNetwork* ni = two.ni;
  MemoryNetwork* sn = two.sn;
  std::unique_ptr<outbox::RemoteLedger> ledger;
  std::unique_ptr<outbox::Outbox> box;

  Gateway() {
    outbox::RemoteLedger::Options options{folder.path("copy.db"), "test"};
    options.channels = {"ni", "sn"};
    ledger = *outbox::RemoteLedger::open(std::move(options), std::move(two.network), Env::system());
  }
  ~Gateway() { box.reset(); }

  void start(outbox::Options options = {}) {
    options.first_pause = 1ms;
    options.longest_pause = 8ms;
    box =
        *outbox::Outbox::start(options, store, ledger->network(), ledger->replica(), Env::system());
  }
};

}  // namespace

TEST_CASE("one channel alone is given back as it is") {
  auto only = std::make_unique<MemoryNetwork>();
  const auto* const given = only.get();
  std::vector<outbox::Channel> channels;
  channels.push_back({"ni", std::move(only)});
  CHECK(outbox::join(std::move(channels)).get() == given);
}

TEST_CASE("an entry goes to the channels that it names, and to the default if it names none") {
  TwoChannels two;
  const LedgerEntry a = transaction_of(1);
  const LedgerEntry b = transaction_of(2);
  const LedgerEntry c = transaction_of(3);
  CHECK(outcome_of(*two.network, attempt_of(a, {})).kind == Outcome::Kind::committed);
  CHECK(outcome_of(*two.network, attempt_of(b, {"sn"}, 2)).kind == Outcome::Kind::committed);
  CHECK(outcome_of(*two.network, attempt_of(c, {"sn", "ni"}, 3)).kind == Outcome::Kind::committed);
  CHECK(two.ni->bodies() == Names{a.body, c.body});
  CHECK(two.sn->bodies() == Names{b.body, c.body});
}

TEST_CASE("an entry that names a channel that is not there goes to none") {
  TwoChannels two;
  const Outcome outcome = outcome_of(*two.network, attempt_of(transaction_of(1), {"ni", "th"}));
  CHECK(outcome.kind == Outcome::Kind::unavailable);
  CHECK(outcome.reason == outbox::kChannelUnknown);
  CHECK(two.ni->tries() == 0);
}

TEST_CASE("an entry that names no channel goes to that of its text, or to the default") {
  TwoChannels two;
  const LedgerEntry in_sn = naming(transaction_of(1), "sn");
  const LedgerEntry elsewhere = naming(transaction_of(2), "th");
  CHECK(outcome_of(*two.network, attempt_of(in_sn, {})).kind == Outcome::Kind::committed);
  CHECK(outcome_of(*two.network, attempt_of(elsewhere, {}, 2)).kind == Outcome::Kind::committed);
  CHECK(two.sn->bodies() == Names{in_sn.body});
  CHECK(two.ni->bodies() == Names{elsewhere.body});
}

TEST_CASE("a tombstone that names no channel goes to all") {
  TwoChannels two;
  const Transaction some = *parse_transaction(transaction_of(1).body);
  const Tombstone tombstone{id_of(7), some.procedure, some.recorded_at, "000250", "ni", {}};
  const LedgerEntry entry{tombstone.id, to_canonical(tombstone)};
  CHECK(outcome_of(*two.network, attempt_of(entry, {})).kind == Outcome::Kind::committed);
  CHECK(two.ni->bodies() == Names{entry.body});
  CHECK(two.sn->bodies() == Names{entry.body});
}

TEST_CASE("a tombstone that names no channel is settled when all have it, also after a restart") {
  Gateway gateway;
  gateway.sn->set_down(true);
  gateway.start();
  gateway.box->push({gateway.store.add(1, tombstone_of(1, 1))});
  CHECK(soon([&] { return gateway.ledger->size() == 1; }));
  const std::uint64_t tries = gateway.box->activity().tries;
  CHECK(soon([&] { return gateway.box->activity().tries > tries + 2; }));
  gateway.box.reset();
  gateway.start();
  CHECK(soon([&] { return gateway.box->activity().tries > 2; }));
  CHECK(gateway.store.rows(0, 10)->size() == 1);
  gateway.sn->set_down(false);
  gateway.store.wait_for_size(0);
  CHECK(gateway.sn->bodies().size() == 1);
}

TEST_CASE("a channel that denies each transaction is told of, and keeps no other one waiting") {
  Gateway gateway;
  std::atomic<bool> denies = true;
  gateway.sn->set_faults(
      [&denies](const Attempt&) { return denies ? Fault::denied : Fault::none; });
  gateway.start();
  for (std::uint64_t n = 1; n <= 20; ++n) {
    gateway.box->push(
        {gateway.store.add(static_cast<std::int64_t>(n), transaction_of(n, n), {"sn"})});
  }
  CHECK(soon([&] { return gateway.box->activity().away.at("sn"); }));
  CHECK_FALSE(gateway.box->activity().away.at("ni"));
  CHECK_FALSE(gateway.box->activity().broken);
  gateway.box->push({gateway.store.add(21, transaction_of(21, 21), {"ni"})});
  gateway.store.wait_for_size(20);
  denies = false;
  gateway.store.wait_for_size(0);
  CHECK_FALSE(gateway.box->activity().away.at("sn"));
}

TEST_CASE("an entry whose channel is not there waits, and keeps no other one waiting") {
  Gateway gateway;
  gateway.start();
  for (std::uint64_t n = 1; n <= 20; ++n) {
    gateway.box->push(
        {gateway.store.add(static_cast<std::int64_t>(n), transaction_of(n, n), {"th"})});
  }
  gateway.box->push({gateway.store.add(21, transaction_of(21, 21), {"ni"})});
  gateway.store.wait_for_size(20);
  CHECK(soon([&] { return gateway.box->activity().tries > 30; }));
  CHECK(gateway.store.failed().empty());
  CHECK_FALSE(gateway.box->activity().broken);
  CHECK(gateway.ni->bodies().size() == 1);
}

TEST_CASE("a channel is asked when the one before has committed, in the order of the attempt") {
  TwoChannels two;
  const LedgerEntry entry = transaction_of(1);
  std::atomic<bool> ni_first = false;
  two.sn->set_faults([&](const Attempt&) {
    ni_first = two.ni->bodies().size() == 1;
    return Fault::none;
  });
  CHECK(outcome_of(*two.network, attempt_of(entry, {"ni", "sn"})).kind == Outcome::Kind::committed);
  CHECK(ni_first);

  next_faults(*two.sn, {Fault::before});
  const LedgerEntry other = transaction_of(2);
  CHECK(outcome_of(*two.network, attempt_of(other, {"sn", "ni"}, 2)).kind ==
        Outcome::Kind::unavailable);
  CHECK(two.ni->bodies() == Names{entry.body});
}

TEST_CASE("a try that the second channel ends is repeated until both hold the entry once") {
  for (const Fault fault : {Fault::before, Fault::after, Fault::denied, Fault::lost_race}) {
    TwoChannels two;
    next_faults(*two.sn, {fault});
    const LedgerEntry entry = transaction_of(1);
    const Outcome first = outcome_of(*two.network, attempt_of(entry, {"ni", "sn"}));
    CHECK(first.kind != Outcome::Kind::committed);
    const bool is_spent = first.kind == Outcome::Kind::spent;
    CHECK(is_spent == (fault == Fault::lost_race));
    const unsigned char nonce = is_spent ? 2 : 1;
    const Outcome again = outcome_of(*two.network, attempt_of(entry, {"ni", "sn"}, nonce));
    CHECK(again.kind == Outcome::Kind::committed);
    CHECK(again.repeated == is_spent);  // By the first channel's.
    CHECK(two.ni->bodies() == Names{entry.body});
    CHECK(two.sn->bodies() == Names{entry.body});
  }
}

TEST_CASE("a try whose turn ends between two channels goes to the first alone") {
  TwoChannels two;
  Attempt attempt = attempt_of(transaction_of(1), {"ni", "sn"});
  attempt.time_left = [&two] { return two.ni->bodies().empty() ? 1s : 0s; };
  const Outcome outcome = outcome_of(*two.network, std::move(attempt));
  CHECK(outcome.kind == Outcome::Kind::unavailable);
  CHECK(outcome.reason == outbox::kTurnOver);
  CHECK(two.ni->bodies().size() == 1);
  CHECK(two.sn->bodies().empty());
}

TEST_CASE("what is under way when the network ends is answered") {
  std::atomic<int> answered = 0;
  {
    TwoChannels two;
    for (std::uint64_t n = 1; n <= 50; ++n) {
      const Names channels = n % 2 == 0 ? Names{"ni", "sn"} : Names{"sn", "ni"};
      two.network->submit(attempt_of(transaction_of(n, n), channels, static_cast<unsigned char>(n)),
                          [&answered](const Outcome&) { ++answered; });
    }
  }
  CHECK(answered == 50);
}

TEST_CASE("what is found and a history are of all channels, each entry once") {
  TwoChannels two;
  const LedgerEntry in_ni = transaction_of(1);
  const LedgerEntry in_both = transaction_of(2);
  const LedgerEntry in_sn = transaction_of(3);
  outcome_of(*two.network, attempt_of(in_sn, {"sn"}, 3));
  outcome_of(*two.network, attempt_of(in_both, {"ni", "sn"}, 2));
  outcome_of(*two.network, attempt_of(in_ni, {"ni"}, 1));
  CHECK(found_of(*two.network, in_sn.id)->place.channel == "sn");
  CHECK(found_of(*two.network, in_both.id)->place.channel == "ni");
  CHECK_FALSE(found_of(*two.network, id_of(9)).has_value());
  const Uuid procedure = parse_transaction(in_ni.body)->procedure;
  const auto bodies = answer_of<Result<Names>>(
      [&](auto done) { two.network->history(procedure, std::move(done)); });
  REQUIRE(bodies.has_value());
  CHECK(*bodies == Names{in_ni.body, in_both.body, in_sn.body});
  const auto envelope = [&](const NetworkPlace& place) {
    return answer_of<Result<std::string>>(
        [&](auto done) { two.network->envelope(place, std::move(done)); });
  };
  const NetworkPlace place = found_of(*two.network, in_sn.id)->place;
  CHECK(envelope(place).error().code == Errc::unavailable);
  Told told;
  const auto following = two.network->follow({}, told.take(), told.up());
  REQUIRE(soon([&] { return told.is_up(); }));
  CHECK(envelope(place).has_value());
  CHECK(envelope({place.block, place.transaction, "ni"}).error().code == Errc::not_found);
}

TEST_CASE("all channels are followed, each from its own place") {
  TwoChannels two;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const Names channels = n <= 5 ? Names{"ni"} : Names{"ni", "sn"};
    outcome_of(*two.network,
               attempt_of(transaction_of(n, n), channels, static_cast<unsigned char>(n)));
  }
  Told told;
  {
    const auto following =
        two.network->follow({{14, "", "sn"}, {17, "", "ni"}}, told.take(), told.up());
    CHECK(soon([&] { return told.count("ni") == 2 && told.is_up(); }));
  }
  CHECK(told.count("ni") == 2);
  CHECK(told.count("sn") == 0);
  Told whole;
  const auto following = two.network->follow({}, whole.take(), whole.up());
  CHECK(soon([&] { return whole.count("ni") == 20 && whole.count("sn") == 15; }));
}

TEST_CASE("a channel that is away keeps no other's entries back, but is told of") {
  TwoChannels two;
  two.sn->set_down(true);
  Told told;
  const auto following = two.network->follow({}, told.take(), told.up());
  outcome_of(*two.network, attempt_of(transaction_of(1), {"ni"}));
  CHECK(soon([&] { return told.count("ni") == 1; }));
  CHECK_FALSE(told.is_up());
  two.sn->set_down(false);
  CHECK(soon([&] { return told.is_up(); }));
  outcome_of(*two.network, attempt_of(transaction_of(2), {"sn"}, 2));
  CHECK(soon([&] { return told.count("sn") == 1; }));
  two.ni->set_down(true);
  CHECK(soon([&] { return !told.is_up(); }));
}

TEST_CASE("an entry is proved by the channel that it names, whichever has told of it first") {
  Gateway gateway;
  gateway.ni->set_down(true);
  const LedgerEntry other = naming(transaction_of(2), "ni");
  outcome_of(*gateway.sn, attempt_of(other, {}));
  CHECK(soon([&] { return gateway.ledger->size() == 1; }));
  CHECK(gateway.ledger->receipt(other.id).error().code == Errc::unavailable);
  gateway.ni->set_down(false);
  outcome_of(*gateway.ni, attempt_of(other, {}));
  CHECK(soon([&] { return gateway.ledger->receipt(other.id).has_value(); }));
  CHECK(gateway.ledger->receipt(other.id)->network->channel == "ni");
}

TEST_CASE("what cannot be read holds back its own channel alone, and is told again") {
  Gateway gateway;
  Attempt unreadable = attempt_of(transaction_of(1), {});
  unreadable.body = "{}";
  outcome_of(*gateway.sn, unreadable);
  CHECK(soon([&] { return !gateway.ledger->is_following(); }));
  outcome_of(*gateway.sn, attempt_of(transaction_of(2), {}, 2));
  outcome_of(*gateway.ni, attempt_of(transaction_of(3), {}, 3));
  CHECK(soon([&] { return gateway.ledger->size() == 1; }));
  CHECK_FALSE(gateway.ledger->is_following());
  gateway.ledger.reset();
  const auto replica = *outbox::Replica::open(gateway.folder.path("copy.db"), "test");
  CHECK(replica->size() == 1);
  const std::vector<NetworkPlace> last = replica->last();
  REQUIRE(last.size() == 1);
  CHECK(last[0].channel == "ni");
}

TEST_CASE("a receipt needs the entry's channel alone") {
  Gateway gateway;
  const LedgerEntry entry = naming(transaction_of(1), "ni");
  outcome_of(*gateway.ni, attempt_of(entry, {}));
  CHECK(soon([&] { return gateway.ledger->receipt(entry.id).has_value(); }));
  gateway.sn->set_down(true);
  CHECK(soon([&] { return !gateway.ledger->is_following(); }));
  CHECK(gateway.ledger->receipt(entry.id).has_value());
  gateway.ni->set_down(true);
  CHECK(soon([&] { return !gateway.ledger->receipt(entry.id).has_value(); }));
}

TEST_CASE("faults at both channels lose nothing, double nothing, and keep a procedure's order") {
  Gateway gateway;
  std::mutex mutex;
  unsigned tries = 0;
  std::map<Uuid, std::size_t> lost;  // Races of each; one more, and it would have failed.
  const auto faults = [&](const Attempt& attempt) {
    const std::lock_guard lock(mutex);
    switch (++tries % 7) {
      case 1:
        return Fault::before;
      case 3:
        return Fault::after;
      case 5:
        if (lost[attempt.id] + 1 == outbox::Options().spent) return Fault::none;
        ++lost[attempt.id];
        return Fault::lost_race;
      default:
        return Fault::none;
    }
  };
  gateway.ni->set_faults(faults);
  gateway.sn->set_faults(faults);
  gateway.start();
  Names both;
  for (std::uint64_t n = 1; n <= 60; ++n) {
    const LedgerEntry entry = transaction_of(n, n % 5);
    both.push_back(entry.body);
    gateway.box->push({gateway.store.add(static_cast<std::int64_t>(n), entry, {"ni", "sn"})});
  }
  gateway.store.wait_for_size(0);
  for (const MemoryNetwork* const one : {gateway.ni, gateway.sn}) {
    Names bodies = one->bodies();
    std::map<Uuid, Uuid> last;
    for (const std::string& body : bodies) {
      const Transaction transaction = *parse_transaction(body);
      CHECK(last[transaction.procedure] < transaction.id);
      last[transaction.procedure] = transaction.id;
    }
    CHECK(std::set<std::string>(bodies.begin(), bodies.end()) ==
          std::set<std::string>(both.begin(), both.end()));
    CHECK(bodies.size() == both.size());
  }
  CHECK(gateway.ledger->size() == 60);
}

TEST_CASE("a channel that is away does not keep the entries of another one waiting") {
  Gateway gateway;
  std::atomic<bool> away = true;
  gateway.sn->set_faults([&away](const Attempt&) { return away ? Fault::before : Fault::none; });
  gateway.start();
  outcome_of(gateway.ledger->network(), attempt_of(transaction_of(1000, 1000), {"ni"}));
  std::int64_t number = 0;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    gateway.box->push({gateway.store.add(++number, transaction_of(n, n), {"sn"})});
  }
  CHECK(soon([&] { return gateway.sn->tries() > 100; }));
  CHECK_FALSE(gateway.box->activity().broken);
  gateway.box->push({gateway.store.add(++number, transaction_of(500, 500), {"ni"})});
  gateway.store.wait_for_size(40);
  CHECK(gateway.ni->bodies().size() == 2);
  away = false;
  gateway.store.wait_for_size(0);
  CHECK(gateway.sn->bodies().size() == 40);
}

TEST_CASE("after a restart the rows of a channel that is away do not fill the outbox") {
  Gateway gateway;
  gateway.sn->set_down(true);
  for (std::uint64_t n = 1; n <= 200; ++n) {
    gateway.store.add(static_cast<std::int64_t>(n), transaction_of(n, n), {"sn"});
  }
  gateway.store.add(201, transaction_of(201, 201), {"ni"});
  outbox::Options options;
  options.concurrency = 16;
  options.window = 64;
  gateway.start(options);
  gateway.store.wait_for_size(200);
  CHECK(gateway.ni->bodies().size() == 1);
  CHECK(gateway.sn->most_at_once() <= 8);
  CHECK_FALSE(gateway.box->activity().broken);
  CHECK(soon([&] { return gateway.box->activity().away.at("sn"); }));
  CHECK_FALSE(gateway.box->activity().away.at("ni"));
  gateway.sn->set_down(false);
  gateway.store.wait_for_size(0);
  CHECK(gateway.sn->bodies().size() == 200);
  CHECK(gateway.sn->most_at_once() <= 16);
}

TEST_CASE("after a restart with both channels away the first one that is back is found") {
  Gateway gateway;
  gateway.ni->set_down(true);
  gateway.sn->set_down(true);
  for (std::uint64_t n = 1; n <= 200; ++n) {
    gateway.store.add(static_cast<std::int64_t>(n), transaction_of(n, n), {"sn"});
  }
  for (std::uint64_t n = 201; n <= 220; ++n) {
    gateway.store.add(static_cast<std::int64_t>(n), transaction_of(n, n), {"ni"});
  }
  gateway.start();
  CHECK(soon([&] { return gateway.box->activity().broken; }));
  gateway.ni->set_down(false);
  gateway.store.wait_for_size(200);
  CHECK(gateway.ni->bodies().size() == 20);
  CHECK(soon([&] { return !gateway.box->activity().broken; }));
  gateway.sn->set_down(false);
  gateway.store.wait_for_size(0);
}

TEST_CASE("an entry of two channels is committed for who waits when both have it") {
  Gateway gateway;
  gateway.sn->set_down(true);
  outbox::Waiters waiters(gateway.ledger->replica());
  outbox::Options options;
  options.on_settled = [&waiters](const Uuid& id) { waiters.settled(id); };
  gateway.ledger->on_entries(
      [&waiters](const std::vector<CommittedEntry>& entries) { waiters.arrived(entries); });
  gateway.start(options);
  const LedgerEntry entry = transaction_of(1);
  std::promise<outbox::Fate> early;
  std::promise<outbox::Fate> whole;
  auto told_early = early.get_future();
  auto told_whole = whole.get_future();
  waiters.await(entry.id, kPatience, [&](outbox::Fate fate) { early.set_value(std::move(fate)); });
  waiters.await_settled(entry.id, kPatience,
                        [&](outbox::Fate fate) { whole.set_value(std::move(fate)); });
  gateway.box->push({gateway.store.add(1, entry, {"ni", "sn"})});
  REQUIRE(told_early.wait_for(kPatience) == std::future_status::ready);
  CHECK(told_whole.wait_for(0s) == std::future_status::timeout);
  gateway.sn->set_down(false);
  REQUIRE(told_whole.wait_for(kPatience) == std::future_status::ready);
  CHECK(std::holds_alternative<outbox::Committed>(told_whole.get()));
  CHECK(gateway.sn->bodies().size() == 1);
  gateway.ledger->on_entries({});
  gateway.box.reset();
}

TEST_CASE("a row of two channels that another gateway has settled is found to have left") {
  Gateway gateway;
  std::atomic<bool> left = false;
  outbox::Waiters waiters(gateway.ledger->replica(), {},
                          [&left](const Uuid&) { return left.load(); });
  gateway.ledger->on_entries(
      [&waiters](const std::vector<CommittedEntry>& entries) { waiters.arrived(entries); });
  const LedgerEntry entry = transaction_of(1);
  std::promise<outbox::Fate> promise;
  auto told = promise.get_future();
  waiters.await_settled(entry.id, kPatience,
                        [&](outbox::Fate fate) { promise.set_value(std::move(fate)); });
  outcome_of(*gateway.ni, attempt_of(entry, {}));
  CHECK(soon([&] { return gateway.ledger->size() == 1; }));
  CHECK(told.wait_for(0s) == std::future_status::timeout);
  left = true;
  REQUIRE(told.wait_for(kPatience) == std::future_status::ready);
  CHECK(std::holds_alternative<outbox::Committed>(told.get()));
  gateway.ledger->on_entries({});
}

TEST_CASE("channels that are all away are the network that is away") {
  Gateway gateway;
  gateway.ni->set_down(true);
  gateway.sn->set_down(true);
  gateway.start();
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const Names channels = n % 2 == 0 ? Names{"ni"} : Names{"sn"};
    gateway.box->push(
        {gateway.store.add(static_cast<std::int64_t>(n), transaction_of(n, n), channels)});
  }
  CHECK(soon([&] { return gateway.box->activity().broken; }));
  // One that is not there says nothing of the others.
  gateway.box->push({gateway.store.add(21, transaction_of(21, 21), {"gone"})});
  const std::uint64_t tries = gateway.box->activity().tries;
  CHECK(soon([&] { return gateway.box->activity().tries > tries + 30; }));
  CHECK(gateway.box->activity().broken);
  gateway.ni->set_down(false);
  gateway.sn->set_down(false);
  gateway.store.wait_for_size(1);
  CHECK_FALSE(gateway.box->activity().broken);
}

TEST_CASE("what the first channel alone holds at a restart goes to the second, too") {
  Gateway gateway;
  const LedgerEntry entry = transaction_of(1);
  gateway.sn->set_down(true);
  gateway.start();
  gateway.box->push({gateway.store.add(1, entry, {"ni", "sn"})});
  CHECK(soon([&] { return gateway.ledger->size() == 1; }));
  gateway.box.reset();
  gateway.sn->set_down(false);
  gateway.start();
  gateway.store.wait_for_size(0);
  CHECK(gateway.ni->bodies() == Names{entry.body});
  CHECK(gateway.sn->bodies() == Names{entry.body});
  const auto receipt = gateway.ledger->receipt(entry.id);
  REQUIRE(receipt.has_value());
  CHECK(receipt->network->channel == "ni");
}

TEST_CASE("what the second channel refuses has failed, is on the first, and is mended by a retry") {
  Gateway gateway;
  const LedgerEntry entry = transaction_of(1);
  next_faults(*gateway.sn, {Fault::refused});
  gateway.start();
  gateway.box->push({gateway.store.add(1, entry, {"ni", "sn"})});
  CHECK(soon([&] { return gateway.store.failed().contains(1); }));
  CHECK(gateway.ni->bodies() == Names{entry.body});
  CHECK(gateway.sn->bodies().empty());
  gateway.box->retry(gateway.store.reopen(1));
  gateway.store.wait_for_size(0);
  CHECK(gateway.ni->bodies() == Names{entry.body});
  CHECK(gateway.sn->bodies() == Names{entry.body});
}

TEST_CASE("copies of several channels have names of their own, those of one have none") {
  const Folder folder;
  const auto open = [&folder](const char* file, bool several) {
    outbox::RemoteLedger::Options options{folder.path(file), "test"};
    if (several) options.channels = {"ni", "sn"};
    return *outbox::RemoteLedger::open(std::move(options), std::make_unique<MemoryNetwork>(),
                                       Env::system());
  };
  CHECK(open("one.db", false)->numbering().empty());
  const std::string numbering = open("a.db", true)->numbering();
  CHECK_FALSE(numbering.empty());
  CHECK(open("a.db", true)->numbering() == numbering);
  CHECK(open("b.db", true)->numbering() != numbering);
}
