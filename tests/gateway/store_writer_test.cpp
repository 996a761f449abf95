// The store's writer: groups, order, the outbox, kept answers, bounds, and what a restart keeps.
#include <condition_variable>
#include <mutex>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "tests/gateway/store_fixture.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;

namespace {

struct Fixture : TestStore {
  Fixture() {
    log::set_level(log::Level::error);
    reopen();
  }
};

/// Holds the writer thread in the first draft with a new identifier, until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    reached_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_until_reached() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [this] { return reached_; }));
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool open_ = false;
};

// Values are encrypted on the writer's thread.
class GatedKeys final : public TestKeys {
 public:
  explicit GatedKeys(Gate& gate) : gate_(gate) {}
  std::string seal_value(const crypto::SecretKey& key, const Identifier& identifier,
                         const Uuid& procedure) const override {
    gate_.pass();
    return TestKeys::seal_value(key, identifier, procedure);
  }

 private:
  Gate& gate_;
};

struct Gated : TestStore {
  Gated() { options.keys = std::make_shared<const GatedKeys>(gate); }
  ~Gated() {
    gate.open();
    close();
  }
  Gate gate;
};

KeptAnswer answer_of(const std::string& body) {
  return {201, "/v1/transactions/1", "application/json", body};
}

void keep(TestStore& store, std::string_view key, const KeptAnswer& answer, Instant expires) {
  auto promise = std::make_shared<std::promise<void>>();
  auto kept = promise->get_future();
  store.store->keep_answer({crypto::sha256(key), crypto::sha256("request")}, answer, expires,
                           [promise] { promise->set_value(); });
  REQUIRE(kept.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}

std::optional<KeptAnswer> kept(TestStore& store, std::string_view key, std::int64_t now) {
  const auto found =
      store.store->kept_answer({{crypto::sha256(key), crypto::sha256("request")}}, Instant{now});
  REQUIRE(found.has_value());
  if (!*found) return std::nullopt;
  CHECK((**found).same_request);
  return (**found).answer;
}

std::vector<std::int64_t> numbers_in_outbox(TestStore& store, std::int64_t after,
                                            std::size_t limit) {
  const auto entries = store.store->outbox(after, limit);
  REQUIRE(entries.has_value());
  std::vector<std::int64_t> numbers;
  for (const OutboxEntry& entry : *entries) numbers.push_back(entry.number);
  return numbers;
}

}  // namespace

TEST_CASE_FIXTURE(Gated, "calls that wait are answered in their order, by groups") {
  options.group = 4;
  reopen();
  std::mutex mutex;
  std::vector<int> answered;
  std::vector<std::int64_t> numbers;
  std::promise<void> all;
  constexpr int kCalls = 9;
  for (int call = 0; call < kCalls; ++call) {
    std::vector<Draft> drafts;
    for (int i = 0; i < 3; ++i) {
      drafts.push_back(draft(std::to_string(call * 3 + i), by({azr("1")})));
    }
    store->accept("999902", std::move(drafts), [&, call](const std::vector<Outcome>& outcomes) {
      const std::lock_guard lock(mutex);
      answered.push_back(call);
      for (const Outcome& one : outcomes) numbers.push_back(std::get<Accepted>(one).number);
      if (answered.size() == kCalls) all.set_value();
    });
  }
  gate.open();
  REQUIRE(all.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  for (int call = 0; call < kCalls; ++call) CHECK(answered[static_cast<std::size_t>(call)] == call);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    CHECK(numbers[i] == static_cast<std::int64_t>(i + 1));
  }
  close();  // The last answer may hold the mutex still.
}

TEST_CASE_FIXTURE(Gated, "a sender that floods does not make the others wait behind it") {
  options.queue = 100;
  options.group = 4;
  reopen();
  std::mutex mutex;
  std::string answered;
  std::promise<void> all;
  std::size_t sent = 0;
  std::size_t refused = 0;
  int number = 0;
  const auto accept = [&](const std::string& sender) {
    std::vector<Draft> drafts = {draft(std::to_string(++number), by({azr("1")}))};
    bool now = false;
    store->accept(sender, std::move(drafts), [&, sender](const std::vector<Outcome>& outcomes) {
      if (std::holds_alternative<Refusal>(outcomes.front())) {
        now = true;
        return;
      }
      const std::lock_guard lock(mutex);
      answered += sender;
      if (answered.size() == sent) all.set_value();
    });
    now ? ++refused : ++sent;
    return !now;
  };
  CHECK(accept("f"));
  gate.wait_until_reached();
  while (accept("f")) {
  }
  CHECK(refused == 1);
  CHECK(sent >= 50);
  for (int i = 0; i < 3; ++i) {
    CHECK(accept("a"));
    CHECK(accept("b"));
  }
  gate.open();
  REQUIRE(all.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  const std::lock_guard lock(mutex);  // the last callback lets go of it after it has set `all`
  // The first is what the gate held; then they take turns.
  CHECK(answered.starts_with("ffabfabfabff"));
}

TEST_CASE_FIXTURE(Fixture, "a refused draft does not hold back the others of its call") {
  const auto outcomes = send(
      {draft("e1", by({azr("1")})), draft("e2", random_uuid(env)), draft("e3", by({azr("1")}))});
  CHECK(std::holds_alternative<Accepted>(outcomes[0]));
  CHECK(std::get<Refusal>(outcomes[1]) == Refusal::procedure_unknown);
  CHECK(std::get<Accepted>(outcomes[2]).number == std::get<Accepted>(outcomes[0]).number + 1);
}

TEST_CASE_FIXTURE(Fixture, "recordedAt and the order of ids never go back") {
  Accepted last = added(draft("e0", by({azr("1")})));
  const std::int64_t start = env.now_ms();
  CHECK(transaction_of(last).recorded_at.ms == start);
  int number = 0;
  for (const std::int64_t step : {5, -100'000, 3, 200'000, -1}) {
    env.advance_ms(step);
    const Accepted next = added(draft("e" + std::to_string(++number), by({azr("1")})));
    CHECK(transaction_of(next).recorded_at >= transaction_of(last).recorded_at);
    CHECK(next.transaction_id > last.transaction_id);
    last = next;
  }
  options.last_recorded = Instant{start + 500'000};
  reopen();
  CHECK(transaction_of(added(draft("e9", by({azr("1")})))).recorded_at.ms == start + 500'000);
}

TEST_CASE_FIXTURE(Fixture, "each transaction has its own salt, and its body is canonical") {
  const Accepted one = added(draft("e1", by({azr("1")})));
  const Accepted other = added(draft("e2", by({azr("1")})));
  CHECK(transaction_of(one).salt != transaction_of(other).salt);
  CHECK(to_canonical(transaction_of(one)) == one.body);
  CHECK(transaction_of(one).id == one.transaction_id);
  CHECK(transaction_of(one).procedure == one.procedure);
}

TEST_CASE_FIXTURE(Fixture, "what is on the ledger leaves the outbox with a later commit") {
  std::vector<Accepted> sent;
  for (int i = 0; i < 4; ++i) {
    sent.push_back(added(draft("e" + std::to_string(i), by({azr("1")}))));
  }
  CHECK(numbers_in_outbox(*this, 0, 10) == std::vector<std::int64_t>{1, 2, 3, 4});
  CHECK(numbers_in_outbox(*this, 1, 2) == std::vector<std::int64_t>{2, 3});
  store->committed_through(2);
  added(draft("e4", by({azr("1")})));
  CHECK(numbers_in_outbox(*this, 0, 10) == std::vector<std::int64_t>{3, 4, 5});
  CHECK(store->outbox_size() == 3);

  const Accepted repeat = accepted(draft("e0", by({azr("1")})));
  CHECK(repeat.repeat);
  CHECK(repeat.number == 0);
  CHECK(repeat.body.empty());
  CHECK(repeat.transaction_id == sent[0].transaction_id);
  const auto gone = store->find_in_outbox(sent[0].transaction_id);
  const auto waiting = store->find_in_outbox(sent[3].transaction_id);
  REQUIRE((gone.has_value() && waiting.has_value()));
  CHECK_FALSE(gone->has_value());
  CHECK((*waiting)->body == sent[3].body);
}

TEST_CASE_FIXTURE(Fixture, "the outbox is trimmed at the end as well") {
  added(draft("e1", by({azr("1")})));
  const Accepted last = added(draft("e2", by({azr("1")})));
  store->committed_through(last.number);
  reopen();
  CHECK(numbers_in_outbox(*this, 0, 10).empty());
  CHECK(store->outbox_size() == 0);
  CHECK(accepted(draft("e2", by({azr("1")}))).transaction_id == last.transaction_id);
}

TEST_CASE_FIXTURE(Fixture, "a full outbox refuses until it is trimmed") {
  options.outbox = 1;
  reopen();
  added(draft("e1", by({azr("1")})));
  const Accepted second = added(draft("e2", by({azr("1")})));
  CHECK(refused(draft("e3", by({azr("1")}))) == Refusal::overloaded);
  store->committed_through(second.number);
  keep(*this, "key", answer_of("a commit of something else"), Instant{env.now_ms() + 1});
  added(draft("e3", by({azr("1")})));
}

TEST_CASE_FIXTURE(Gated, "a full queue refuses at once, and what waited is written") {
  options.queue = 3;
  reopen();
  auto first = send_later({draft("e1", by({azr("1")}))});
  gate.wait_until_reached();
  auto second = send_later({draft("e2", by({azr("1")})), draft("e3", by({azr("1")}))});
  auto third = send_later({draft("e4", by({azr("1")})), draft("e5", by({azr("1")}))});
  REQUIRE(third.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  for (const Outcome& one : third.get()) CHECK(std::get<Refusal>(one) == Refusal::overloaded);
  gate.open();
  for (const Outcome& one : wait(std::move(first))) CHECK(std::holds_alternative<Accepted>(one));
  for (const Outcome& one : wait(std::move(second))) CHECK(std::holds_alternative<Accepted>(one));
  added(draft("e4", by({azr("1")})));
}

TEST_CASE_FIXTURE(Gated, "closing writes what is queued") {
  reopen();
  auto waiting = send_later({draft("e1", by({azr("1")}))});
  gate.open();
  close();
  CHECK(std::holds_alternative<Accepted>(wait(std::move(waiting)).front()));
  reopen();
  CHECK(accepted(draft("e1", by({azr("1")}))).repeat);
}

TEST_CASE_FIXTURE(Fixture, "an answer is kept under its key until it expires") {
  const std::int64_t now = env.now_ms();
  keep(*this, "key", answer_of("first"), Instant{now + 1000});
  CHECK(kept(*this, "another key", now) == std::nullopt);
  const auto answer = kept(*this, "key", now + 999);
  REQUIRE(answer.has_value());
  CHECK(answer->status == 201);
  CHECK(answer->location == "/v1/transactions/1");
  CHECK(answer->content_type == "application/json");
  CHECK(answer->body == "first");
  CHECK(kept(*this, "key", now + 1000) == std::nullopt);

  env.set_now_ms(now + 2000);
  keep(*this, "key", answer_of("second"), Instant{now + 5000});
  CHECK(kept(*this, "key", now + 2000)->body == "second");
}

TEST_CASE_FIXTURE(Fixture, "expired answers leave the file when others come") {
  const std::int64_t now = env.now_ms();
  keep(*this, "old", answer_of("old"), Instant{now + 1000});
  env.set_now_ms(now + 1000);
  keep(*this, "new", answer_of("new"), Instant{now + 9000});
  // As if the clock had gone back: a row that was only hidden would be seen again.
  CHECK(kept(*this, "old", now) == std::nullopt);
}

TEST_CASE_FIXTURE(Fixture, "a restart keeps everything") {
  const Accepted first = added(draft("e1", by({azr("1"), file_number("F1")})));
  const Accepted merged = added(merge("m1", by({azr("1")}), by({azr("2")})));
  keep(*this, "key", answer_of("kept"), Instant{env.now_ms() + 1000});
  reopen();
  const Accepted again = accepted(draft("e1", by({azr("1"), file_number("F1")})));
  CHECK(again.repeat);
  CHECK(again.body == first.body);
  CHECK(find({azr("1")}) == merged.merged_into);
  CHECK(kept(*this, "key", env.now_ms())->body == "kept");
  const Accepted next = added(draft("e2", by({azr("2")})));
  CHECK(next.number == merged.number + 1);
  CHECK(next.procedure == merged.merged_into);
  CHECK(store->outbox_size() == 3);
}

TEST_CASE("files that are no store of this version are refused by name" *
          doctest::skip(on_postgresql())) {
  TestStore fixture;
  const auto spoil = [&fixture](const std::string& sql) {
    auto database = sqlite::Database::open(fixture.options.path, sqlite::Mode::read_write);
    REQUIRE(database.has_value());
    REQUIRE(database->execute(sql).has_value());
  };
  SUBCASE("a newer version") {
    fixture.reopen();
    fixture.close();
    spoil("PRAGMA user_version=99");
    CHECK(fixture.open().error().code == Errc::invalid);
  }
  SUBCASE("another program's database") {
    spoil("CREATE TABLE other(x); PRAGMA user_version=1;");
    CHECK(fixture.open().error().code == Errc::corrupt);
  }
  SUBCASE("another program's database without a version") {
    spoil("CREATE TABLE other(x)");
    CHECK(fixture.open().error().code == Errc::corrupt);
  }
  SUBCASE("no database at all") {
    REQUIRE(
        fixture.env.replace_file(fixture.options.path, std::string(8192, 'x'), 0600).has_value());
    CHECK(fixture.open().error().code == Errc::corrupt);
  }
  SUBCASE("a folder that does not exist") {
    fixture.options.path = fixture.folder.file("nowhere/store.db");
    CHECK(fixture.open().error().code == Errc::unavailable);
  }
}
