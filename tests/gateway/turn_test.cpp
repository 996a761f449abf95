// Whose turn it is to bring the outbox to the network, of two gateways that share a database of
// PostgreSQL and report to one network.
#include "gateway/store/turn.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "gateway/base/in_flight.h"
#include "gateway/base/log.h"
#include "gateway/intake/remote_forwarder.h"
#include "gateway/store/failed.h"
#include "tests/gateway/store_fixture.h"
#include "tests/ledger-client/memory_network.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using namespace std::chrono_literals;
using flora::test::Fault;
using flora::test::MemoryNetwork;
using flora::test::PostgresqlServer;

namespace {

constexpr auto kPatience = 60s;

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// One of several gateways on a database, as far as its store goes.
class SharedStore : public TestStore {
 public:
  SharedStore(const std::string& name, const sql::Server& shared) {
    log::set_level(log::Level::error);
    options.server = shared;
    options.audit.keeper = name;
    env.set_seed(static_cast<unsigned char>(name.back()) * 1'000'003U);
  }

  Result<std::int64_t> take(const Turn& seen) {
    return ask([&](auto done) { store->take_turn(seen, done); });
  }
  Result<std::int64_t> renew(std::int64_t fence) {
    return ask([&](auto done) { store->renew_turn(fence, done); });
  }
  Result<std::int64_t> give_back(std::int64_t fence) {
    return ask([&](auto done) { store->give_turn_back(fence, done); });
  }
  Result<void> settle(std::int64_t fence, const outbox::Settlement& settlement) {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    store->settle_in_turn(fence, {settlement},
                          [promise](const Result<void>& done) { promise->set_value(done); });
    return promise->get_future().get();
  }
  Turn turn() { return store->turn().value(); }

 private:
  template <typename Ask>
  Result<std::int64_t> ask(Ask ask) {
    auto promise = std::make_shared<std::promise<Result<std::int64_t>>>();
    ask([promise](const Result<std::int64_t>& fence) { promise->set_value(fence); });
    return promise->get_future().get();
  }
};

struct TwoStores {
  TwoStores() {
    one.reopen();
    other.reopen();
  }
  PostgresqlServer server;
  const sql::Server shared = server.create_database();
  SharedStore one{"one", shared};
  SharedStore other{"other", shared};
};

/// A clock that a test moves; while it is stopped, who asks for the time waits.
class StoppableEnv final : public Env {
 public:
  std::int64_t now_ms() override { return Env::system().now_ms(); }
  std::int64_t steady_ns() override {
    std::unique_lock lock(mutex_);
    goes_on_.wait(lock, [this] { return !stopped_; });
    return now_ns_;
  }
  void advance(std::chrono::nanoseconds by) {
    const std::lock_guard lock(mutex_);
    now_ns_ += by.count();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  void go_on_after(std::chrono::nanoseconds pause) {
    {
      const std::lock_guard lock(mutex_);
      now_ns_ += pause.count();
      stopped_ = false;
    }
    goes_on_.notify_all();
  }
  void random(std::span<std::byte> out) override { Env::system().random(out); }
  Result<std::string> read_file(const std::string& path, std::size_t most) override {
    return Env::system().read_file(path, most);
  }
  Result<void> replace_file(const std::string& path, std::string_view bytes,
                            unsigned mode) override {
    return Env::system().replace_file(path, bytes, mode);
  }

 private:
  std::mutex mutex_;
  std::condition_variable goes_on_;
  std::int64_t now_ns_ = 1;
  bool stopped_ = false;
};

/// One gateway's way to the network, which can be held up.
class Way final : public outbox::RemoteNetwork {
 public:
  explicit Way(MemoryNetwork& network) : network_(network) {}
  ~Way() override { under_way_.wait(); }

  void hold_up() {
    const std::lock_guard lock(mutex_);
    held_up_ = true;
  }
  void let_go() {
    std::deque<std::function<void()>> kept;
    {
      const std::lock_guard lock(mutex_);
      held_up_ = false;
      kept.swap(kept_);
    }
    for (const auto& one : kept) one();
  }
  std::size_t kept() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }
  /// Reasons that tries ended with.
  std::size_t count(std::string_view reason) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(reasons_, reason));
  }

  void submit(outbox::Attempt attempt, std::function<void(outbox::Outcome)> done) override {
    auto go = [this, attempt = std::move(attempt), ticket = under_way_.ticket(),
               done = std::move(done)] {
      network_.submit(attempt, [this, ticket, done](outbox::Outcome outcome) {
        {
          const std::lock_guard lock(mutex_);
          reasons_.push_back(outcome.reason);
        }
        done(std::move(outcome));
      });
    };
    {
      const std::lock_guard lock(mutex_);
      if (held_up_) {
        kept_.push_back(std::move(go));
        return;
      }
    }
    go();
  }
  void find(const Uuid& id, FindDone done) override { network_.find(id, std::move(done)); }
  void history(const Uuid& procedure,
               std::function<void(Result<std::vector<std::string>>)> done) override {
    network_.history(procedure, std::move(done));
  }
  void envelope(const outbox::NetworkPlace& place,
                std::function<void(Result<std::string>)> done) override {
    network_.envelope(place, std::move(done));
  }
  std::unique_ptr<outbox::Following> follow(
      std::vector<outbox::NetworkPlace> after,
      std::function<void(std::vector<outbox::NetworkEntry>)> take,
      std::function<void(bool up)> up) override {
    return network_.follow(std::move(after), std::move(take), std::move(up));
  }

 private:
  MemoryNetwork& network_;
  InFlight under_way_;
  std::mutex mutex_;
  bool held_up_ = false;
  std::deque<std::function<void()>> kept_;
  std::vector<std::string> reasons_;
};

/// A gateway from its store to the network.
class Gateway : public SharedStore {
 public:
  Gateway(const std::string& name, const sql::Server& shared, MemoryNetwork& network)
      : SharedStore(name, shared) {
    auto owned = std::make_unique<Way>(network);
    way = owned.get();
    auto opened = outbox::RemoteLedger::open({folder.file("network.db"), "test"}, std::move(owned),
                                             Env::system());
    REQUIRE(opened.has_value());
    ledger = std::move(*opened);
    options.ledger = ledger.get();
    auto made = view::ProcedureIndex::open(folder.file("view.db"), *ledger);
    REQUIRE(made.has_value());
    index = std::move(*made);
  }
  ~Gateway() {
    way->let_go();
    stop();
  }

  void start() {
    reopen();
    outbox::Options terms;
    terms.first_pause = 1ms;
    terms.longest_pause = 8ms;
    forwarder = std::make_unique<intake::RemoteForwarder>(terms, *store, *ledger, *index, clock,
                                                          intake::TurnTimes{kTurn, 2ms});
    REQUIRE(forwarder->recover().has_value());
  }
  void stop() {
    forwarder.reset();
    close();
  }

  bool has_turn() const { return forwarder->has_turn() == true; }

  /// As intake does it: accepted, and forwarded on the store's thread.
  std::future<intake::Fate> report(const Draft& one, std::chrono::milliseconds patience = 0ms) {
    auto promise = std::make_shared<std::promise<intake::Fate>>();
    store->accept("999902", {one}, [this, promise, patience](auto outcomes) {
      const auto* accepted = std::get_if<Accepted>(&outcomes.front());
      if (accepted == nullptr || accepted->body.empty()) {
        return promise->set_value(intake::OnItsWay{});
      }
      {
        const std::lock_guard lock(mutex_);
        if (!accepted->repeat) accepted_[accepted->transaction_id] = accepted->number;
      }
      forwarder->forward({*accepted}, patience, [promise](std::vector<intake::Fate> fates) {
        promise->set_value(std::move(fates.front()));
      });
    });
    return promise->get_future();
  }
  /// With their numbers.
  std::map<Uuid, std::int64_t> accepted_ones() {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

  /// As if the one that has the turn had stopped: time goes on here, until the turn is this one's.
  void take_over() {
    const std::int64_t before = turn().fence;
    REQUIRE(eventually([&] {
      if (turn().fence != before) return has_turn();
      clock.advance(50ms);
      return false;
    }));
  }

  static constexpr std::chrono::milliseconds kTurn = 5s;
  Way* way = nullptr;
  StoppableEnv clock;
  std::unique_ptr<outbox::RemoteLedger> ledger;
  std::unique_ptr<view::ProcedureIndex> index;
  std::unique_ptr<intake::RemoteForwarder> forwarder;

 private:
  std::mutex mutex_;
  std::map<Uuid, std::int64_t> accepted_;
};

/// The first one has the turn.
struct TwoGateways {
  TwoGateways() {
    one.start();
    REQUIRE(eventually([&] { return one.has_turn(); }));
    other.start();
  }

  /// Each entry once, and those of one procedure in the order of acceptance, by whomever.
  void check_ledger(std::size_t count) {
    const std::vector<std::string> bodies = network.bodies();
    CHECK(bodies.size() == count);
    auto numbers = one.accepted_ones();
    numbers.merge(other.accepted_ones());
    std::map<Uuid, std::int64_t> last;
    for (const std::string& body : bodies) {
      const Transaction entry = *parse_transaction(body);
      CHECK(last[entry.procedure] < numbers.at(entry.id));
      last[entry.procedure] = numbers.at(entry.id);
    }
  }

  PostgresqlServer server;
  const sql::Server shared = server.create_database();
  MemoryNetwork network;
  Gateway one{"one", shared, network};
  Gateway other{"other", shared, network};
};

std::string number(int n) { return "2608150" + std::to_string(10'000 + n); }

bool is_on_ledger(const intake::Fate& fate) {
  return std::holds_alternative<intake::OnLedger>(fate);
}

intake::Fate fate_of(std::future<intake::Fate> future) {
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

}  // namespace

TEST_CASE("a turn may be taken when it is free, or when its beat has not changed for its length") {
  TurnWatch watch(5s);
  constexpr std::int64_t kSecond = 1'000'000'000;
  CHECK(watch.may_take({.fence = 0, .beat = 0, .is_free = true}, 0));
  const Turn first{.fence = 1, .beat = 0, .is_free = false};
  CHECK_FALSE(watch.may_take(first, 10 * kSecond));
  CHECK_FALSE(watch.may_take(first, 15 * kSecond - 1));
  CHECK(watch.may_take(first, 15 * kSecond));
  const Turn beaten{.fence = 1, .beat = 1, .is_free = false};
  CHECK_FALSE(watch.may_take(beaten, 16 * kSecond));
  CHECK_FALSE(watch.may_take({.fence = 2, .beat = 1, .is_free = false}, 21 * kSecond));
  watch.forget();
  CHECK_FALSE(watch.may_take({.fence = 2, .beat = 1, .is_free = false}, 40 * kSecond));
}

TEST_CASE("a turn is taken by one, renewed, given back, and taken from who is not heard of") {
  TwoStores two;
  const Turn seen = two.one.turn();
  CHECK(seen.is_free);
  CHECK(two.other.turn() == seen);
  const auto fence = two.one.take(seen);
  REQUIRE(fence.has_value());
  CHECK(two.other.take(seen).error().code == Errc::conflict);
  const Turn taken = two.other.turn();
  CHECK(taken == Turn{.fence = *fence, .beat = 0, .is_free = false});
  REQUIRE(two.one.renew(*fence).has_value());
  CHECK(two.other.turn().beat == 1);
  // It has beaten since.
  CHECK(two.other.take(taken).error().code == Errc::conflict);
  const auto next = two.other.take(two.other.turn());
  REQUIRE(next.has_value());
  CHECK(*next == *fence + 1);
  CHECK(two.one.renew(*fence).error().code == Errc::conflict);
  CHECK(two.one.give_back(*fence).error().code == Errc::conflict);
  CHECK_FALSE(two.one.turn().is_free);
  REQUIRE(two.other.give_back(*next).has_value());
  CHECK(two.one.turn().is_free);
  CHECK(two.other.renew(*next).error().code == Errc::conflict);
  CHECK(two.one.take(two.one.turn()).value() == *next + 1);
}

TEST_CASE("an outbox that was full has room again for all, whoever has made it") {
  TwoStores two;
  for (SharedStore* one : {&two.one, &two.other}) {
    one->options.outbox = 1;
    one->reopen();
  }
  const std::int64_t fence = *two.one.take(two.one.turn());
  const Accepted first = two.one.added(draft("e1", by({azr("1")})));
  const Accepted second = two.other.added(draft("e2", by({azr("2")})));
  CHECK(two.other.refused(draft("e3", by({azr("3")}))) == Refusal::overloaded);
  for (const Accepted& one : {first, second}) {
    REQUIRE(two.one.settle(fence, {one.number, outbox::Settlement::Kind::committed, {}, {}}));
  }
  CHECK(eventually([&] {
    two.other.env.advance_ms(300);
    return std::holds_alternative<Accepted>(two.other.send(draft("e3", by({azr("3")}))));
  }));
}

TEST_CASE("two that take the turn at the same time get one") {
  TwoStores two;
  for (int round = 0; round < 20; ++round) {
    const Turn seen = two.one.turn();
    std::atomic<int> taken = 0;
    std::thread beside([&] { taken += two.other.take(seen).has_value() ? 1 : 0; });
    taken += two.one.take(seen).has_value() ? 1 : 0;
    beside.join();
    CHECK(taken == 1);
  }
}

TEST_CASE("what is settled in a turn that is over is not written, and harms nothing else") {
  TwoStores two;
  const Accepted first = two.one.added(draft("e1", by({azr("1")})));
  const Accepted second = two.one.added(draft("e2", by({azr("1")})));
  const std::int64_t fence = *two.one.take(two.one.turn());
  const outbox::Settlement committed{first.number, outbox::Settlement::Kind::committed, {}, {}};
  REQUIRE(two.one.settle(fence, committed).has_value());
  CHECK_FALSE(two.one.store->find_in_outbox(first.transaction_id)->has_value());
  const std::int64_t next = *two.other.take(two.other.turn());
  using Kind = outbox::Settlement::Kind;
  for (const Kind kind : {Kind::committed, Kind::failed, Kind::renewed}) {
    const outbox::Settlement stale{second.number, kind, "late", {}};
    auto beside = two.one.send_later(
        {draft("e" + std::to_string(9 + static_cast<int>(kind)), by({azr("1")}))});
    CHECK(two.one.settle(fence, stale).error().code == Errc::conflict);
    CHECK(std::holds_alternative<Accepted>(TestStore::wait(std::move(beside)).front()));
  }
  const auto rows = *two.other.store->rows(0, 1);
  REQUIRE(rows.size() == 1);
  CHECK(rows.front().id == second.transaction_id);
  CHECK(rows.front().nonce == second.nonce);
  REQUIRE(two.other.settle(next, {second.number, Kind::failed, "not-entitled", {}}).has_value());
  CHECK(two.one.accepted(draft("e2", by({azr("1")}))).failed == "not-entitled");
}

TEST_CASE("what is opened again has a number behind all others, whoever does it") {
  TwoStores two;
  const std::int64_t fence = *two.one.take(two.one.turn());
  using Kind = outbox::Settlement::Kind;
  const Accepted first = two.one.added(draft("e1", by({azr("1")})));
  const Accepted second = two.other.added(draft("e2", by({azr("1")})));
  for (const Accepted& one : {first, second}) {
    REQUIRE(two.one.settle(fence, {one.number, Kind::failed, "not-entitled", {}}).has_value());
  }
  auto promise = std::make_shared<std::promise<Result<outbox::Row>>>();
  two.other.store->reopen_failed(first.transaction_id,
                                 [promise](auto row) { promise->set_value(std::move(row)); });
  const auto row = promise->get_future().get();
  REQUIRE(row.has_value());
  CHECK(row->number == second.number + 1);
  CHECK(reopen_failed_in(two.one.options.place(), {}, two.one.env).value() == 1);
  const auto rows = *two.one.store->rows(0, 10);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].id == first.transaction_id);
  CHECK(rows[1].id == second.transaction_id);
  CHECK(rows[1].number == second.number + 2);
  CHECK(two.one.added(draft("e3", by({azr("1")}))).number == second.number + 3);
}

TEST_CASE(
    "two gateways report of the same procedures: each entry once, in the order of acceptance") {
  constexpr int kEvents = 60;
  TwoGateways two;
  const auto report = [](Gateway& gateway, const std::string& name) {
    std::vector<std::future<intake::Fate>> fates;
    for (int n = 0; n < kEvents; ++n) {
      fates.push_back(
          gateway.report(draft(name + std::to_string(n), by({azr(number(n % 7))})), kPatience));
    }
    for (auto& fate : fates) CHECK(is_on_ledger(fate_of(std::move(fate))));
  };
  std::thread beside([&] { report(two.other, "b"); });
  report(two.one, "a");
  beside.join();
  two.check_ledger(2 * kEvents);
  CHECK(eventually([&] { return two.one.store->outbox(0, 10)->empty(); }));
  CHECK(two.one.has_turn());
  CHECK_FALSE(two.other.has_turn());
  CHECK(two.other.way->count("") == 0);
  CHECK(two.other.forwarder->state() == intake::LedgerState::up);
}

TEST_CASE("a turn that is given back is taken at once") {
  TwoGateways two;
  two.one.stop();
  CHECK(eventually([&] { return two.other.has_turn(); }));
  CHECK(is_on_ledger(fate_of(two.other.report(draft("e1", by({azr("1")})), kPatience))));
  two.one.start();
  CHECK(is_on_ledger(fate_of(two.one.report(draft("e2", by({azr("1")})), kPatience))));
  CHECK_FALSE(two.one.has_turn());
}

TEST_CASE("a gateway that was stopped past its turn submits nothing when it goes on") {
  TwoGateways two;
  // The network refuses it at the other one, so that nothing but the turn keeps it off the ledger.
  std::atomic<int> refusals = 1;
  two.network.set_faults(
      [&](const outbox::Attempt&) { return refusals-- > 0 ? Fault::refused : Fault::none; });
  two.one.way->hold_up();
  two.one.report(draft("e1", by({azr("1")})));
  two.one.report(draft("e2", by({azr("2")})));
  REQUIRE(eventually([&] { return two.one.way->kept() == 2; }));
  two.one.clock.stop();
  two.other.take_over();
  REQUIRE(eventually([&] { return two.network.bodies().size() == 1; }));
  REQUIRE(eventually([&] { return two.other.store->failed(0, 10)->size() == 1; }));
  const Uuid first = two.other.store->failed(0, 10)->front().transaction_id;
  CHECK(two.one.accepted_ones().at(first) == 1);
  CHECK(is_on_ledger(fate_of(two.other.report(draft("e3", by({azr("1")})), kPatience))));

  two.one.clock.go_on_after(7s);
  two.one.way->let_go();
  REQUIRE(eventually([&] { return two.one.way->count("turn-over") == 2; }));
  CHECK_FALSE(two.one.has_turn());
  CHECK(two.one.way->count("") == 0);
  CHECK(two.network.bodies().size() == 2);
  // It stands by, and answers for the other.
  CHECK(is_on_ledger(fate_of(two.one.report(draft("e4", by({azr("1")})), kPatience))));
  CHECK(two.one.way->count("") == 0);
  two.check_ledger(3);

  // What was refused is known here, and tried again by the other.
  CHECK(std::holds_alternative<intake::RefusedByLedger>(
      fate_of(two.one.report(draft("e1", by({azr("1")})), kPatience))));
  std::promise<bool> retried;
  two.one.forwarder->retry(first,
                           [&](const Result<void>& done) { retried.set_value(done.has_value()); });
  CHECK(retried.get_future().get());
  CHECK(eventually([&] { return two.network.bodies().size() == 4; }));
  CHECK(eventually([&] { return two.one.store->outbox(0, 10)->empty(); }));
}

TEST_CASE("who has not been heard of for a moment goes on with its turn") {
  TwoGateways two;
  two.one.clock.stop();
  two.one.clock.go_on_after(20s);
  CHECK(is_on_ledger(fate_of(two.one.report(draft("e1", by({azr("1")})), kPatience))));
  CHECK(two.one.has_turn());
  CHECK(two.one.turn().fence == 1);
}

TEST_CASE("a refusal that the other gateway was told is found at the end of a sender's patience") {
  TwoGateways two;
  two.network.set_faults([](const outbox::Attempt&) { return Fault::refused; });
  two.other.report(draft("e1", by({azr("1")}))).wait();
  CHECK(eventually([&] { return two.other.store->failed(0, 10)->size() == 1; }));
  // As one who has waited since before.
  Accepted waiting;
  waiting.transaction_id = two.other.store->failed(0, 10)->front().transaction_id;
  std::promise<intake::Fate> fate;
  two.other.forwarder->forward({waiting}, 1ms, [&](std::vector<intake::Fate> fates) {
    fate.set_value(std::move(fates.front()));
  });
  const intake::Fate told = fate_of(fate.get_future());
  const auto* refused = std::get_if<intake::RefusedByLedger>(&told);
  REQUIRE(refused != nullptr);
  CHECK(refused->reason == "not-entitled");
}

TEST_CASE("a merge that needs an entry which the copy lacks is accepted when the copy has it") {
  PostgresqlServer server;
  const sql::Server shared = server.create_database();
  MemoryNetwork network;
  MemoryNetwork silent;
  Gateway one{"one", shared, network};
  Gateway lagging{"other", shared, silent};
  one.start();
  REQUIRE(eventually([&] { return one.has_turn(); }));
  lagging.start();
  const Uuid a = one.added(draft("e1", by({azr("1")}))).procedure;
  const Uuid b = one.added(draft("e2", by({azr("2")}))).procedure;
  one.added(merge("m1", a, b));
  REQUIRE(eventually([&] { return one.store->outbox(0, 1)->empty(); }));
  const Uuid c = lagging.added(draft("e3", by({azr("3")}))).procedure;
  const auto outcomes =
      lagging.send({draft("e4", by({azr("4")})), merge("m2", b, c), draft("e5", by({azr("5")}))});
  CHECK(std::holds_alternative<Accepted>(outcomes[0]));
  CHECK(std::get<Refusal>(outcomes[1]) == Refusal::unavailable);
  CHECK(std::holds_alternative<Accepted>(outcomes[2]));
  CHECK(lagging.store->has_accepted(one.accepted(merge("m1", a, b)).transaction_id).value());
  CHECK(one.added(merge("m2", b, c)).merged_into == c);
}

TEST_CASE("the turn changes again and again, and nothing is lost, doubled or out of order") {
  constexpr int kEvents = 80;
  TwoGateways two;
  std::uint32_t state = 7;
  two.network.set_faults([&](const outbox::Attempt&) {
    state = state * 1664525U + 1013904223U;
    const std::uint32_t draw = (state >> 16U) % 9;
    if (draw == 0) return Fault::before;
    return draw == 1 ? Fault::after : Fault::none;
  });
  std::atomic<int> sent = 0;
  const auto report = [&sent](Gateway& gateway, const std::string& name) {
    for (int n = 0; n < kEvents; ++n) {
      gateway.report(draft(name + std::to_string(n), by({azr(number(n % 7))}))).wait();
      ++sent;
    }
  };
  std::thread first([&] { report(two.one, "a"); });
  std::thread second([&] { report(two.other, "b"); });
  for (int changes = 0; changes < 6; ++changes) {
    Gateway& holder = changes % 2 == 0 ? two.one : two.other;
    Gateway& taker = changes % 2 == 0 ? two.other : two.one;
    const int before = sent;
    CHECK(eventually([&] { return sent > before + 5 || sent == 2 * kEvents; }));
    // The holder's clock stands still meanwhile, then it leaps: past its turn, but not so far that
    // it may take the next one, whose holder's clock stands still now.
    holder.way->hold_up();
    taker.take_over();
    holder.clock.advance(4500ms);
    holder.way->let_go();
    CHECK(eventually([&] { return !holder.has_turn(); }));
  }
  first.join();
  second.join();
  CHECK(eventually([&] { return two.one.store->outbox(0, 10)->empty(); }));
  two.check_ledger(2 * kEvents);
  CHECK(two.one.turn().fence >= 7);
}
