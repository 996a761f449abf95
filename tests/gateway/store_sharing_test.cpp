// Several gateways on one PostgreSQL database, a server whose connections break, and servers that
// are refused.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <thread>

#include "gateway/audit/check.h"
#include "gateway/base/log.h"
#include "gateway/privacy/key_set.h"
#include "gateway/store/audit_reader.h"
#include "gateway/store/key_uses.h"
#include "tests/gateway/broken_wire.h"
#include "tests/gateway/key_fixture.h"
#include "tests/gateway/store_fixture.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using flora::test::BrokenWire;
using flora::test::PostgresqlServer;

namespace {

std::string number(int n) { return "2608150" + std::to_string(10'000 + n); }

/// One of several gateways.
class Gateway : public TestStore {
 public:
  Gateway(const std::string& name, const sql::Server& shared) {
    log::set_level(log::Level::error);
    options.server = shared;
    options.audit.keeper = name;
    options.on_fatal = [this](const Error&) { ++fatal; };
    env.set_seed(static_cast<unsigned char>(name.back()) * 1'000'003U);
  }
  ~Gateway() { close(); }

  std::atomic<int> fatal = 0;
};

struct Two {
  Two() {
    one.reopen();
    other.reopen();
  }

  PostgresqlServer server;
  const sql::Server shared = server.create_database();
  Gateway one{"one", shared};
  Gateway other{"other", shared};
};

std::vector<OutboxEntry> outbox_of(TestStore& gateway) {
  const auto entries = gateway.store->outbox(0, 1'000'000);
  REQUIRE_MESSAGE(entries.has_value(), entries.error().message);
  return *entries;
}

void check_trail(TestStore& gateway) {
  audit::Check check(gateway.trail->verifier());
  check.signed_head(*read_signed_head(gateway.options.audit.head_file));
  auto reader = AuditReader::open(gateway.options.place());
  REQUIRE(reader.has_value());
  check.segments(*reader->segments());
  REQUIRE(reader->groups(std::numeric_limits<std::int64_t>::min(), 10'000'000,
                         [&check](const AuditGroup& group) -> Result<void> {
                           check.group(group);
                           return {};
                         }));
  for (const std::string& finding : check.finish().findings) FAIL_CHECK(finding);
}

std::int64_t records_of(TestStore& gateway) {
  auto reader = AuditReader::open(gateway.options.place());
  REQUIRE(reader.has_value());
  return reader->newest()->number;
}

/// Sends the drafts one by one, again and again while the store cannot say that it has them.
std::map<std::string, Uuid> send_all(TestStore& gateway, int first, int last) {
  std::map<std::string, Uuid> acknowledged;
  for (int n = first; n < last; ++n) {
    const std::string id = "e" + std::to_string(n);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (true) {
      const Outcome outcome = gateway.send(draft(id, by({azr(number(n))})));
      if (const auto* accepted = std::get_if<Accepted>(&outcome)) {
        acknowledged[id] = accepted->transaction_id;
        break;
      }
      const Refusal refusal = std::get<Refusal>(outcome);
      const bool again = refusal == Refusal::unavailable || refusal == Refusal::uncertain;
      if (!again || std::chrono::steady_clock::now() > end) return acknowledged;
      std::this_thread::yield();
    }
  }
  return acknowledged;
}

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("what one gateway has accepted is a repeat for the other, and leads it on") {
  Two two;
  const Accepted first = two.one.added(draft("e1", by({azr("1"), file_number("F")})));
  const Accepted again = two.other.accepted(draft("e1", by({azr("1"), file_number("F")})));
  CHECK(again.repeat);
  CHECK(again.transaction_id == first.transaction_id);
  CHECK(again.body == first.body);
  const Accepted second = two.other.added(draft("e2", by({azr("1")})));
  CHECK(second.procedure == first.procedure);
  CHECK(second.number == first.number + 1);
  CHECK(two.one.find({azr("1")}) == first.procedure);
  CHECK(two.one.store->find_in_outbox(second.transaction_id)->has_value());
  two.one.env.advance_ms(-5'000);
  const Accepted third = two.one.added(draft("e3", by({azr("1")})));
  CHECK(third.recorded >= second.recorded);
  CHECK(third.number == second.number + 1);
  CHECK(two.one.store->outbox_size() == 3);
}

TEST_CASE("numbers of an outbox that is empty again are not given twice") {
  Two two;
  const Accepted first = two.one.added(draft("e1", by({azr("1")})));
  two.one.store->committed_through(first.number);
  const Accepted second = two.one.added(draft("e2", by({azr("1")})));
  two.one.store->committed_through(second.number);
  two.one.close();
  CHECK(outbox_of(two.other).empty());
  CHECK(two.other.added(draft("e3", by({azr("1")}))).number == second.number + 1);
  two.one.reopen();
  CHECK(two.one.added(draft("e4", by({azr("1")}))).number == second.number + 2);
}

TEST_CASE("two gateways that accept at the same time give every event one id, in one order") {
  constexpr int kEvents = 150;
  Two two;
  // Half of the events come to both.
  std::map<std::string, Uuid> of_one;
  std::map<std::string, Uuid> of_other;
  std::thread beside([&] { of_other = send_all(two.other, kEvents / 2, kEvents * 3 / 2); });
  of_one = send_all(two.one, 0, kEvents);
  beside.join();
  REQUIRE(of_one.size() == kEvents);
  REQUIRE(of_other.size() == kEvents);
  std::set<Uuid> ids;
  for (const auto& [event, id] : of_one) {
    ids.insert(id);
    if (of_other.contains(event)) CHECK(of_other[event] == id);
  }
  for (const auto& [event, id] : of_other) ids.insert(id);
  CHECK(ids.size() == kEvents * 3 / 2);
  const std::vector<OutboxEntry> entries = outbox_of(two.one);
  CHECK(entries.size() == ids.size());
  std::set<Uuid> procedures;
  Instant newest;
  for (const OutboxEntry& entry : entries) {
    CHECK(ids.contains(entry.transaction_id));
    const auto transaction = parse_transaction(entry.body);
    REQUIRE(transaction.has_value());
    CHECK(transaction->recorded_at >= newest);
    newest = transaction->recorded_at;
    procedures.insert(transaction->procedure);
  }
  CHECK(procedures.size() == ids.size());
  CHECK(records_of(two.one) == 2 * kEvents);
  two.one.close();
  two.other.close();
  check_trail(two.one);
  check_trail(two.other);
}

TEST_CASE("connections that end in the middle of commits lose nothing and double nothing") {
  constexpr int kEvents = 120;
  Two two;
  std::map<std::string, Uuid> of_one;
  std::map<std::string, Uuid> of_other;
  std::atomic<int> running = 2;
  std::thread first([&] {
    of_one = send_all(two.one, 0, kEvents);
    --running;
  });
  std::thread second([&] {
    of_other = send_all(two.other, kEvents, 2 * kEvents);
    --running;
  });
  std::int64_t ended = 0;
  std::int64_t seen = 0;
  while (running > 0) {
    // Each time when some more were accepted.
    const std::int64_t now = two.one.store->outbox_size() + two.other.store->outbox_size();
    if (now == seen) {
      std::this_thread::yield();
      continue;
    }
    seen = now;
    ended += two.server.end_connections(two.shared);
  }
  first.join();
  second.join();
  MESSAGE(ended << " connections were ended");
  CHECK(ended > 20);
  CHECK(of_one.size() == kEvents);
  CHECK(of_other.size() == kEvents);
  of_one.merge(of_other);
  std::map<Uuid, int> there;
  two.one.reopen();
  for (const OutboxEntry& entry : outbox_of(two.one)) ++there[entry.transaction_id];
  CHECK(there.size() == 2 * kEvents);
  for (const auto& [event, id] : of_one) CHECK(there[id] == 1);
  for (int n = 0; n < 2 * kEvents; n += 7) {
    const std::string id = "e" + std::to_string(n);
    CHECK(two.one.accepted(draft(id, by({azr(number(n))}))).transaction_id == of_one[id]);
  }
  CHECK(two.one.fatal == 0);
  CHECK(two.other.fatal == 0);
  two.one.close();
  two.other.close();
  check_trail(two.one);
}

TEST_CASE("a commit whose answer is lost is looked for") {
  PostgresqlServer server;
  sql::Server direct = server.create_database();
  const std::string host = direct.connection.substr(5, direct.connection.find(' ') - 5);
  BrokenWire wire(host);
  sql::Server through = direct;
  through.connection.replace(5, host.size(), wire.folder());
  Gateway gateway("one", through);
  gateway.reopen();
  gateway.added(draft("e1", by({azr("1")})));
  SUBCASE("it was done") {
    wire.break_next(BrokenWire::Breaks::behind_commit);
    const Accepted second = gateway.added(draft("e2", by({azr("1")})));
    CHECK(wire.has_broken());
    CHECK(outbox_of(gateway).size() == 2);
    CHECK(gateway.accepted(draft("e2", by({azr("1")}))).transaction_id == second.transaction_id);
  }
  SUBCASE("it was not done") {
    wire.break_next(BrokenWire::Breaks::before_commit);
    CHECK(gateway.refused(draft("e2", by({azr("1")}))) == Refusal::unavailable);
    CHECK(wire.has_broken());
    CHECK(outbox_of(gateway).size() == 1);
    gateway.added(draft("e2", by({azr("1")})));
  }
  CHECK(outbox_of(gateway).size() == 2);
  CHECK(gateway.fatal == 0);
  gateway.close();
  check_trail(gateway);
}

TEST_CASE(
    "a gateway that is new to a trail begins its head file, one that was there must have it") {
  Two two;
  two.one.added(draft("e1", by({azr("1")})));
  two.other.close();
  two.one.added(draft("e2", by({azr("1")})));
  // What others have added is no loss.
  two.other.reopen();
  two.other.added(draft("e3", by({azr("1")})));
  two.other.close();
  std::filesystem::remove(two.other.options.audit.head_file);
  CHECK(two.other.open().error().code == Errc::corrupt);
  Gateway third("third", two.shared);
  third.reopen();
  third.added(draft("e4", by({azr("1")})));
  third.close();
  check_trail(third);
}

TEST_CASE("a trail that has lost what a gateway has seen is not gone on with") {
  Two two;
  for (int n = 0; n < 5; ++n) two.one.added(draft("e" + std::to_string(n), by({azr("1")})));
  two.other.added(draft("of the other", by({azr("1")})));
  two.one.close();
  REQUIRE(two.other.database(sql::Access::write)
              ->execute("DELETE FROM audit_group WHERE first>3; "
                        "UPDATE flora_database SET generation=generation+1"));
  CHECK(two.other.refused(draft("more", by({azr("1")}))) == Refusal::unavailable);
  CHECK(two.one.open().error().code == Errc::corrupt);
}

TEST_CASE("a database that has lost commits is not written") {
  Two two;
  two.one.added(draft("e1", by({azr("1")})));
  REQUIRE(two.one.database(sql::Access::write)
              ->execute("UPDATE flora_database SET generation=generation-1"));
  CHECK(two.one.refused(draft("e2", by({azr("1")}))) == Refusal::unavailable);
  CHECK(outbox_of(two.one).size() == 1);
}

TEST_CASE("an erasure is known to all gateways, and each can end it") {
  Two two;
  const Accepted reported = two.one.added(draft("e1", by({azr("1")})));
  auto begun = std::make_shared<std::promise<std::int64_t>>();
  auto done = std::make_shared<std::promise<bool>>();
  two.one.store->erase(
      {reported.procedure, std::string(kBamf),
       audit::opening({"eraser", {std::string(kBamf)}, "BAMF"}, audit::Action::erase)},
      [begun](const Result<std::vector<Accepted>>& tombstones) {
        begun->set_value(tombstones ? tombstones->front().number : 0);
      },
      [done](const Result<void>& ended) { done->set_value(ended.has_value()); });
  const std::int64_t tombstone = begun->get_future().get();
  REQUIRE(tombstone > 0);
  CHECK(two.other.refused(draft("e2", by({azr("1")}))) == Refusal::unavailable);
  two.other.store->committed_through(tombstone);
  two.other.added(draft("e3", by({azr("2")})));
  CHECK(eventually([&] { return two.other.store->erasures_under_way() == 0; }));
  CHECK_FALSE(two.one.find({azr("1")}));
  // It learns of the end with its own next commit.
  two.one.store->committed_through(tombstone);
  two.one.added(draft("e4", by({azr("2")})));
  CHECK(done->get_future().get());
}

TEST_CASE("keys that one gateway takes into use are asked of the other") {
  Two two;
  const auto keys = [&two](const std::vector<std::string>& lookup,
                           const std::vector<std::string>& wrapping) {
    auto made = privacy::KeySet::make(lookup_keys(lookup), wrapping_keys(wrapping, two.one.env), {},
                                      two.one.env);
    REQUIRE(made.has_value());
    return *made;
  };
  for (Gateway* gateway : {&two.one, &two.other}) {
    gateway->close();
    gateway->options.keys = keys({"l1"}, {"w1"});
  }
  // With other keys than those that the database was opened with before.
  two.one.options.server = two.other.options.server = two.server.create_database();
  for (Gateway* gateway : {&two.one, &two.other}) {
    std::filesystem::remove(gateway->options.audit.head_file);
    gateway->reopen();
  }
  const Accepted first = two.one.added(draft("e1", by({azr("1")})));
  REQUIRE(two.one.store->use_keys(keys({"l2", "l1"}, {"w2", "w1"})).has_value());
  CHECK(two.other.refused(draft("e1", by({azr("1")}))) == Refusal::unavailable);
  CHECK(two.other.store->find_procedure({azr("1")}).error().code == Errc::invalid);
  REQUIRE(two.other.store->use_keys(keys({"l1", "l2"}, {"w1", "w2"})).has_value());
  CHECK(two.other.accepted(draft("e1", by({azr("1")}))).transaction_id == first.transaction_id);
  CHECK(two.other.find({azr("1")}) == first.procedure);
  // The rotation ends when all write with the same keys.
  REQUIRE(two.other.store->use_keys(keys({"l2", "l1"}, {"w2", "w1"})).has_value());
  CHECK(eventually([&] {
    two.one.env.advance_ms(1'000);
    two.other.env.advance_ms(1'000);
    two.one.send(draft("e1", by({azr("1")})));
    two.other.send(draft("e1", by({azr("1")})));
    return key_uses(two.one.options.place())->size() == 2;
  }));
  CHECK(two.one.find({azr("1")}) == first.procedure);
  CHECK(two.other.added(draft("e2", by({azr("1")}))).procedure == first.procedure);
}

TEST_CASE("a database that is not the store's, or of a newer version, is refused") {
  PostgresqlServer server;
  Gateway gateway("one", server.create_database());
  SUBCASE("another program's") {
    gateway.reopen();
    gateway.close();
    REQUIRE(gateway.database(sql::Access::write)
                ->execute("DROP TABLE flora_database; DROP TABLE flora_commit"));
    CHECK(gateway.open().error().code == Errc::corrupt);
  }
  SUBCASE("a newer version") {
    gateway.reopen();
    gateway.close();
    REQUIRE(gateway.database(sql::Access::write)->set_schema_version(99));
    CHECK(gateway.open().error().code == Errc::invalid);
  }
  SUBCASE("in another encoding") {
    gateway.options.server =
        server.create_database("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
    CHECK(gateway.open().error().code == Errc::invalid);
  }
  SUBCASE("one that nobody has written") {
    CHECK(sql::open(gateway.options.place(), sql::Access::read).error().code == Errc::not_found);
  }
}

TEST_CASE("a password is not part of the connection string, and stands in no error") {
  PostgresqlServer server;
  Gateway gateway("one", server.create_database());
  const sql::Server good = *gateway.options.server;
  gateway.options.server = sql::Server{good.connection + " password=secret", {}};
  CHECK(gateway.open().error().code == Errc::invalid);
  CHECK(gateway.open().error().message.find("secret") == std::string::npos);
  gateway.options.server = sql::Server{"password=secret host", {}};
  CHECK(gateway.open().error().message.find("secret") == std::string::npos);
  const std::string file = gateway.folder.file("password");
  REQUIRE(gateway.env.replace_file(file, "secret\n", 0600).has_value());
  gateway.options.server = sql::Server{"host=127.0.0.1 port=1 dbname=none user=flora", file};
  const auto opened = gateway.open();
  CHECK(opened.error().code == Errc::unavailable);
  CHECK(opened.error().message.find("secret") == std::string::npos);
}

TEST_CASE("a server that does not keep what it has acknowledged is refused") {
  const TemporaryFolder folder;
  const std::string file = folder.file("connection");
  const std::string script = std::string(FLORA_SOURCE_DIR) + "/tests/postgresql.sh ";
  for (const char* setting : {"fsync", "full_page_writes"}) {
    const std::string name = setting;
    REQUIRE(std::system((script + "start " + file + " " + name + "=off").c_str()) == 0);
    std::ifstream text(file);
    std::string connection;
    REQUIRE(std::getline(text, connection));
    sql::Place place;
    place.server = sql::Server{connection + " dbname=postgres", {}};
    const auto opened = sql::open(place, sql::Access::write);
    CHECK(std::system((script + "stop " + file).c_str()) == 0);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Errc::invalid);
    CHECK(opened.error().message == "PostgreSQL: the server has " + name + " off");
  }
}
