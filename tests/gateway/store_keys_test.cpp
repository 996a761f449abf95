// The store with real keys: they are changed while it works, rows are damaged, and a file of the
// version before keys had names is brought forward.
#include <atomic>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "gateway/base/log.h"
#include "gateway/base/sqlite.h"
#include "gateway/model/status_event.h"
#include "gateway/store/key_uses.h"
#include "tests/gateway/key_fixture.h"
#include "tests/gateway/store_fixture.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using privacy::KeySet;

namespace {

const std::string kMappingSecret(32, 's');

// A wrapping key whose token fails when the test wants it.
class BrittleKey final : public privacy::WrappingKey {
 public:
  BrittleKey(std::unique_ptr<privacy::WrappingKey> key, const std::atomic<bool>& fails)
      : key_(std::move(key)), fails_(fails) {}
  Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) override {
    if (fails_) return Error{Errc::unavailable, "the token was removed"};
    return key_->wrap(key, context);
  }
  Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) override {
    if (fails_) return Error{Errc::unavailable, "the token was removed"};
    return key_->unwrap(wrapped, context);
  }

 private:
  std::unique_ptr<privacy::WrappingKey> key_;
  const std::atomic<bool>& fails_;
};

class Fixture : public TestStore {
 public:
  Fixture() {
    log::set_level(log::Level::error);
    options.keys = keys({"l1"}, {"w1"});
  }
  ~Fixture() { close(); }

  std::shared_ptr<const KeySet> keys(const std::vector<std::string>& lookup,
                                     const std::vector<std::string>& wrapping,
                                     const std::optional<privacy::Keys>& secret = {}) {
    std::vector<privacy::NamedWrappingKey> brittle = wrapping_keys(wrapping, env);
    for (auto& one : brittle) one.key = std::make_unique<BrittleKey>(std::move(one.key), fails);
    auto made = KeySet::make(lookup_keys(lookup), std::move(brittle), secret, env);
    REQUIRE(made.has_value());
    return *made;
  }

  void use(std::shared_ptr<const KeySet> set) {
    const auto used = store->use_keys(std::move(set));
    REQUIRE_MESSAGE(used.has_value(), used.error().message);
  }

  // Until nothing is left to do.
  void wait_for_rotation() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (store->rotation().running) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  }

  // The uses of one kind by id.
  std::map<std::string, KeyUse> uses(KeyUse::Kind kind) {
    const auto all = key_uses(options.place());
    REQUIRE(all.has_value());
    std::map<std::string, KeyUse> out;
    for (const KeyUse& use : *all) {
      if (use.kind == kind) out.emplace(use.id, use);
    }
    return out;
  }

  std::vector<std::string> ids(KeyUse::Kind kind) {
    std::vector<std::string> out;
    for (const auto& [id, use] : uses(kind)) out.push_back(id);
    return out;
  }

  std::string error_at_start(std::shared_ptr<const KeySet> set) {
    close();
    options.keys = std::move(set);
    const auto opened = open();
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Errc::invalid);
    return opened.error().message;
  }

  // A gateway that is not running.
  void change(const std::string& sql) {
    close();
    const auto database = TestStore::database(sql::Access::write);
    const auto done = database->execute(sql);
    REQUIRE_MESSAGE(done.has_value(), done.error().message);
  }

  std::atomic<bool> fails = false;
};

// Digits that a value does not have by chance.
std::string number(int n) { return "2608150" + std::to_string(10'000 + n); }

// So many bytes 0, in the database's words.
std::string zeros(int count) {
  const std::string number = std::to_string(count);
  return on_postgresql() ? "decode(repeat('00', " + number + "), 'hex')"
                         : "zeroblob(" + number + ")";
}

std::string plain_bytes(const std::string& path) {
  std::stringstream out;
  for (const char* ending : {"", "-wal"}) {
    std::ifstream file(path + ending, std::ios::binary);
    out << file.rdbuf();
  }
  return out.str();
}

std::vector<Draft> many_drafts(int count) {
  std::vector<Draft> drafts;
  for (int n = 0; n < count; ++n) {
    drafts.push_back(draft("e" + std::to_string(n), by({azr(number(n)), file_number(number(n))})));
    drafts.back().native = crypto::sha256("native " + std::to_string(n));
  }
  return drafts;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "neither identifier nor digest nor key stands in the file" *
                               doctest::skip(on_postgresql())) {
  reopen();
  const Draft one = draft("e1", by({azr(number(1))}));
  added(one);
  close();
  const std::string bytes = plain_bytes(options.path);
  CHECK(bytes.find(number(1)) == std::string::npos);
  for (const Digest& digest : {one.identity, one.content, keys_named("l1").check()}) {
    CHECK((bytes.find(as_text(digest)) == std::string::npos) ==
          (digest != keys_named("l1").check()));
  }
  for (const char* secret : {"l1", "w1"}) {
    CHECK(bytes.find(as_text(crypto::sha256(secret))) == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "after a rotation old keys are named by nothing, and all is found") {
  reopen();
  const std::vector<Draft> drafts = many_drafts(300);
  std::vector<Uuid> procedures;
  for (const Outcome& outcome : send(drafts)) {
    procedures.push_back(std::get<Accepted>(outcome).procedure);
  }
  const Accepted early = added(correction("c1", by({azr(number(1))}), identity_of("late")));
  use(keys({"l2", "l1"}, {"w2", "w1"}));
  wait_for_rotation();
  CHECK(store->rotation().rekeyed == 300 + 600 + 302);
  CHECK(store->rotation().damaged == 0);
  CHECK(ids(KeyUse::Kind::lookup) == std::vector<std::string>{"l2"});
  CHECK(ids(KeyUse::Kind::wrapping) == std::vector<std::string>{"w2"});
  CHECK(uses(KeyUse::Kind::wrapping)["w2"].procedures == 300);
  CHECK(uses(KeyUse::Kind::lookup)["l2"].identifiers == 600);
  CHECK(uses(KeyUse::Kind::lookup)["l2"].submissions == 302);

  use(keys({"l2"}, {"w2"}));
  for (std::size_t n = 0; n < drafts.size(); ++n) {
    const Accepted again = accepted(drafts[n]);
    REQUIRE(again.repeat);
    REQUIRE(again.procedure == procedures[n]);
    REQUIRE(find({azr(number(static_cast<int>(n)))}) == procedures[n]);
  }
  // The native record alone makes it a repeat, too; another content does not.
  Draft changed = drafts[0];
  changed.content = crypto::sha256("of a newer adapter");
  CHECK(accepted(changed).repeat);
  changed.native = crypto::sha256("another record");
  CHECK(refused(changed) == Refusal::content_differs);
  // The reserved identity is filled, under its id.
  const Accepted late = added(draft("late", by({azr(number(1))})));
  CHECK(transaction_of(early).corrects == late.transaction_id);
  // A new identifier of a procedure needs its key.
  CHECK(added(draft("more", by({azr(number(2)), eurodac("E2")}))).procedure == procedures[2]);
}

TEST_CASE_FIXTURE(Fixture, "while keys change, an event finds its procedure under the old ones") {
  reopen();
  const std::vector<Draft> drafts = many_drafts(50);
  const auto first = send(drafts);
  // The token of the old wrapping key is away: nothing is brought forward.
  fails = true;
  CHECK_FALSE(store->use_keys(keys({"l2", "l1"}, {"w2", "w1"})).has_value());
  CHECK(ids(KeyUse::Kind::lookup) == std::vector<std::string>{"l1"});
  fails = false;
  const Accepted known = std::get<Accepted>(first[0]);
  use(keys({"l2", "l1"}, {"w1"}));
  // At any moment of the rotation.
  for (std::size_t n = drafts.size(); n-- > 0;) {
    const Accepted again = accepted(drafts[n]);
    REQUIRE(again.repeat);
    const Accepted next = added(draft("n" + std::to_string(n), drafts[n].procedure));
    REQUIRE(next.procedure == std::get<Accepted>(first[n]).procedure);
  }
  wait_for_rotation();
  CHECK(find({azr(number(0))}) == known.procedure);
  CHECK(uses(KeyUse::Kind::wrapping)["w1"].procedures == 50);
}

TEST_CASE_FIXTURE(Fixture, "what is held about a person is found under whatever key") {
  reopen();
  const Accepted known = added(draft("e1", by({azr(number(1)), eurodac("E1")})));
  const auto held = [this, &known](const Identifier& identifier) {
    const auto holdings = store->holdings(identifier);
    REQUIRE(holdings.has_value());
    REQUIRE(holdings->size() == 1);
    CHECK(holdings->front().procedure == known.procedure);
    CHECK(holdings->front().types.size() == 2);
    CHECK(holdings->front().submissions.size() == 1);
  };
  // The row of the one identifier is damaged, and stays under the old key.
  change("UPDATE identifier SET value=" + zeros(40) +
         " WHERE type=" + std::to_string(static_cast<int>(IdentifierType::azr_nummer)));
  options.keys = keys({"l2", "l1"}, {"w1"});
  reopen();
  wait_for_rotation();
  REQUIRE(ids(KeyUse::Kind::lookup) == std::vector<std::string>{"l1", "l2"});
  held(azr(number(1)));
  held(eurodac("E1"));
  const std::vector<Digest> hashes = {keys_named("l2").identifier_hash(azr(number(1))),
                                      keys_named("l1").identifier_hash(azr(number(1)))};
  const auto beside = holdings_of(options.place(), hashes);
  REQUIRE(beside.has_value());
  CHECK(beside->size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "mistakes in the keys are told without opening the store") {
  CHECK(key_mistakes(options.place(), keys({"l2"}, {"w2"}))->empty());
  reopen();
  added(draft("e1", by({azr(number(1))})));
  CHECK(key_mistakes(options.place(), keys({"l1"}, {"w1"}))->empty());
  CHECK(key_mistakes(options.place(), keys({"l2", "l1"}, {"w2", "w1"}))->empty());
  CHECK(*key_mistakes(options.place(), keys({"l2"}, {"w2"})) ==
        std::vector<std::string>{
            "rows name the lookup key \"l1\", which the settings do not have",
            "rows name the wrapping key \"w1\", which the settings do not have"});
}

TEST_CASE_FIXTURE(Fixture, "a store that was closed in the middle goes on with the next start") {
  reopen();
  send(many_drafts(2000));
  use(keys({"l2", "l1"}, {"w2", "w1"}));
  options.keys = keys({"l2", "l1"}, {"w2", "w1"});
  reopen();
  wait_for_rotation();
  CHECK(ids(KeyUse::Kind::lookup) == std::vector<std::string>{"l2"});
  CHECK(uses(KeyUse::Kind::lookup)["l2"].submissions == 2000);
}

TEST_CASE_FIXTURE(Fixture,
                  "keys that rows name are missed by name, and others of their name found out") {
  reopen();
  added(draft("e1", by({azr(number(1))})));
  CHECK(error_at_start(keys({"l2"}, {"w1"})) ==
        "store.db: rows name the lookup key \"l1\", which the settings do not have");
  CHECK(error_at_start(keys({"l2"}, {"w2"})) ==
        "store.db: rows name the lookup key \"l1\", which the settings do not have; rows name the "
        "wrapping key \"w1\", which the settings do not have");
  std::vector<privacy::NamedLookupKey> lookup = {{"l1", keys_named("another")}};
  std::vector<privacy::NamedWrappingKey> wrapping;
  wrapping.push_back({"w1", privacy::wrapping_key(keys_named("another"), env)});
  auto other = KeySet::make(std::move(lookup), std::move(wrapping), {}, env);
  CHECK(error_at_start(*other) ==
        "store.db: the lookup key \"l1\" is not the one that rows name so; the wrapping key "
        "\"w1\" is not the one that rows name so");
  options.keys = keys({"l1"}, {"w1"});
  reopen();
  CHECK(store->use_keys(keys({"l2"}, {"w2"})).error().code == Errc::invalid);
  CHECK(accepted(draft("e1", by({azr(number(1))}))).repeat);
}

TEST_CASE_FIXTURE(Fixture,
                  "a damaged row keeps its key in use, and the others are brought forward") {
  reopen();
  send(many_drafts(20));
  change("UPDATE procedure SET wrapped=" + zeros(60) +
         " WHERE n=3;"
         "UPDATE identifier SET value=" +
         zeros(40) +
         " WHERE procedure=5 AND type=2;"
         "UPDATE submission SET sealed=" +
         zeros(90) +
         " WHERE n=7;"
         "UPDATE procedure SET wrapped=(SELECT wrapped FROM procedure WHERE n=10) WHERE n=11");
  options.keys = keys({"l2", "l1"}, {"w2", "w1"});
  reopen();
  wait_for_rotation();
  CHECK(store->rotation().damaged == 4);
  CHECK(uses(KeyUse::Kind::wrapping)["w1"].procedures == 2);
  CHECK(uses(KeyUse::Kind::lookup)["l1"].identifiers == 5);
  CHECK(uses(KeyUse::Kind::lookup)["l1"].submissions == 1);
  CHECK(error_at_start(keys({"l2"}, {"w2"})).find("\"l1\"") != std::string::npos);
  options.keys = keys({"l2", "l1"}, {"w2", "w1"});
  reopen();
  // What does not need the damaged key goes on; what does is refused, alone.
  CHECK(accepted(draft("more", by({azr(number(2))}))).repeat == false);
  const auto outcomes = send({draft("x1", by({azr(number(2)), eurodac("E1")})),
                              draft("x2", by({azr(number(4)), eurodac("E2")}))});
  CHECK(std::get<Refusal>(outcomes[0]) == Refusal::unavailable);
  CHECK(std::holds_alternative<Accepted>(outcomes[1]));
}

TEST_CASE_FIXTURE(Fixture, "a token that fails refuses new procedures, and nothing else") {
  reopen();
  const Accepted known = added(draft("e1", by({azr(number(1))})));
  fails = true;
  CHECK(refused(draft("e2", by({azr(number(2))}))) == Refusal::unavailable);
  CHECK(added(draft("e3", by({azr(number(1))}))).procedure == known.procedure);
  CHECK(find({azr(number(2))}) == std::nullopt);
  fails = false;
  // It is given some rest.
  CHECK(refused(draft("e2", by({azr(number(2))}))) == Refusal::unavailable);
  env.advance_ms(1000);
  CHECK(added(draft("e2", by({azr(number(2))}))).procedure != known.procedure);
}

TEST_CASE_FIXTURE(Fixture, "a kept answer is found under its old key until it expires") {
  reopen();
  std::promise<void> kept;
  store->keep_answer({crypto::sha256("key"), crypto::sha256("request")}, {201, "", "", "body"},
                     Instant{env.now_ms() + 1000}, [&kept] { kept.set_value(); });
  kept.get_future().wait();
  use(keys({"l2", "l1"}, {"w1"}));
  const auto ask = [this](std::string_view request) {
    const auto found = store->kept_answer({{crypto::sha256("key"), crypto::sha256(request)}},
                                          Instant{env.now_ms()});
    REQUIRE(found.has_value());
    return *found;
  };
  REQUIRE(ask("request").has_value());
  CHECK(ask("request")->same_request);
  CHECK_FALSE(ask("another")->same_request);
  CHECK(store->use_keys(keys({"l2"}, {"w1"})).error().code == Errc::invalid);
  env.advance_ms(1000);
  CHECK_FALSE(ask("request").has_value());
  use(keys({"l2", "l1"}, {"w1"}));  // Looks again.
  wait_for_rotation();
  use(keys({"l2"}, {"w1"}));
}

TEST_CASE_FIXTURE(Fixture, "an event that is to be sent again after a loss is not brought back") {
  reopen();
  added(draft("e1", by({azr(number(1))})));
  change("UPDATE submission SET content=NULL, native=NULL, status=NULL; DELETE FROM outbox");
  options.keys = keys({"l2", "l1"}, {"w1"});
  reopen();
  wait_for_rotation();
  CHECK_FALSE(accepted(draft("e1", by({azr(number(1))}))).repeat);
}

namespace {

// The events of golden/store-v3.sql, as the API makes drafts of them.
Draft old_event(const std::string& id, std::vector<Identifier> identifiers) {
  StatusEvent event;
  event.identity = {"urn:flora:test", id};
  event.status = "REGISTRIERUNG_ABGESCHLOSSEN";
  event.occurred = *parse_day("2026-11-02");
  event.authority = "999902";
  event.procedure.identifiers = identifiers;
  const privacy::Keys first = keys_of(kMappingSecret);
  const std::string content = fingerprint_text(event);
  Draft made = draft(id, by(std::move(identifiers)), "999902");
  made.transaction.status = event.status;
  made.identity = privacy::identity_digest(event.authority, event.identity);
  made.content = privacy::content_digest(content);
  made.first = {first.first_identity_hash(event.authority, event.identity),
                first.first_content_hash(content), std::nullopt};
  return made;
}

void write_golden(const std::string& name, const std::string& path) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/tests/gateway/golden/" + name);
  std::stringstream text;
  text << file.rdbuf();
  auto database = sqlite::Database::open(path, sqlite::Mode::read_write);
  REQUIRE(database.has_value());
  const auto written = database->execute(text.str());
  REQUIRE_MESSAGE(written.has_value(), written.error().message);
}

void check_third_version(Fixture& fixture) {
  const Accepted known =
      fixture.accepted(old_event("v3-a", {azr("260815000001"), file_number("1234567")}));
  CHECK(known.repeat);
  CHECK(to_string(known.transaction_id) == "01a2177d-d1ed-7267-893c-797edb44742c");
  CHECK(to_string(known.procedure) == "2adb84cf-86e4-4b61-bb9c-398ed4b2d3ea");
  CHECK(fixture.find({file_number("1234567")}) == known.procedure);
  CHECK(to_string(*fixture.find({azr("260815000002")})) == "24693040-5608-44cc-947c-2bf0ba2f552c");
  Draft other = old_event("v3-b", {azr("260815000002")});
  other.content = crypto::sha256("another");
  other.first->content = crypto::sha256("another");
  CHECK(fixture.refused(other) == Refusal::content_differs);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a store of the third version gets keys for its procedures" *
                               doctest::skip(on_postgresql())) {
  write_golden("store-v3.sql", options.path);
  CHECK(key_uses(options.place()).error().code == Errc::not_found);
  CHECK(key_mistakes(options.place(), keys({"l1"}, {"w1"}))->empty());
  options.keys = keys({}, {}, keys_of(kMappingSecret));
  reopen();
  CHECK(store->has_first_rows());
  check_third_version(*this);
  wait_for_rotation();
  CHECK(store->rotation().damaged == 0);
  const std::string id = keys_of(kMappingSecret).derived_id();
  CHECK(uses(KeyUse::Kind::wrapping)[id].procedures == 2);
  CHECK(uses(KeyUse::Kind::lookup)[id].identifiers == 3);
  CHECK(uses(KeyUse::Kind::first)[""].identifiers == 0);
  CHECK(uses(KeyUse::Kind::first)[""].procedures == 0);
  CHECK(uses(KeyUse::Kind::first)[""].submissions == 4);
  check_third_version(*this);
  // A reference had reserved the identity.
  const Accepted late = added(old_event("v3-later", {azr("260815000001")}));
  CHECK(to_string(late.transaction_id) == "01a2177d-d201-7804-8189-269fb21324f8");
}

TEST_CASE_FIXTURE(Fixture, "rows of the third version are brought under keys with names" *
                               doctest::skip(on_postgresql())) {
  write_golden("store-v3.sql", options.path);
  options.keys = keys({"l1"}, {"w1"}, keys_of(kMappingSecret));
  reopen();
  check_third_version(*this);
  wait_for_rotation();
  check_third_version(*this);
  CHECK(uses(KeyUse::Kind::wrapping)["w1"].procedures == 2);
  CHECK(uses(KeyUse::Kind::lookup)["l1"].identifiers == 3);
  // Its submissions are recognised by the mapping secret as long as they are there.
  CHECK(error_at_start(keys({"l1"}, {"w1"})) ==
        "store.db: rows of an earlier version were made with the mapping_secret, which the "
        "settings do not have");
  change("DELETE FROM submission WHERE lookup_key=0; DELETE FROM kept_answer");
  options.keys = keys({"l1"}, {"w1"}, keys_of(kMappingSecret));
  reopen();
  wait_for_rotation();
  options.keys = keys({"l1"}, {"w1"});
  reopen();
  CHECK(find({azr("260815000001")}).has_value());
}

TEST_CASE_FIXTURE(Fixture, "another mapping secret than that of the third version is found out" *
                               doctest::skip(on_postgresql())) {
  write_golden("store-v3.sql", options.path);
  CHECK(error_at_start(keys({}, {}, keys_of(std::string(32, 't')))) ==
        "store.db: rows of an earlier version were made with another mapping_secret");
}

// The events of golden/store-v4.sql.
namespace {

std::vector<Draft> fourth_events() {
  std::vector<Draft> drafts = {
      draft("v4-a", by({azr("260815000001"), file_number("1234567")})),
      draft("v4-b", by({azr("260815000002")})),
      correction("v4-c", by({azr("260815000001")}), identity_of("v4-later"))};
  drafts[1].native = crypto::sha256("native of v4-b");
  return drafts;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a store of the fourth version is read, and its keys change" *
                               doctest::skip(on_postgresql())) {
  write_golden("store-v4.sql", options.path);
  reopen();
  const auto check = [this] {
    for (const Draft& one : fourth_events()) CHECK(accepted(one).repeat);
    const Accepted known = accepted(fourth_events()[1]);
    CHECK(to_string(known.transaction_id) == "01a1a043-56cb-71a8-87c6-091170183afd");
    CHECK(to_string(known.procedure) == "50e57ffb-e2d7-4307-89f2-683c0310eece");
    CHECK(find({azr("260815000002")}) == known.procedure);
    CHECK(to_string(*find({file_number("1234567")})) == "63d56405-371f-4073-a782-086f51c00c43");
    const auto answer = store->kept_answer({{crypto::sha256("key"), crypto::sha256("request")}},
                                           Instant{env.now_ms()});
    REQUIRE((answer.has_value() && answer->has_value()));
    CHECK((*answer)->same_request);
  };
  check();
  use(keys({"l2", "l1"}, {"w2", "w1"}));
  wait_for_rotation();
  CHECK(store->rotation().damaged == 0);
  CHECK(uses(KeyUse::Kind::wrapping)["w2"].procedures == 2);
  CHECK(uses(KeyUse::Kind::lookup)["l2"].submissions == 4);
  check();
  const Accepted late = added(draft("v4-later", by({azr("260815000001")})));
  CHECK(to_string(late.transaction_id) == "01a1a043-56cb-71a8-87c6-091170183afe");
}

TEST_CASE_FIXTURE(Fixture, "a store of the sixth version is read, and learns where entries go" *
                               doctest::skip(on_postgresql())) {
  write_golden("store-v6.sql", options.path);
  options.channels = ChannelRule("flora", {{"DE-NI", "flora-ni"}, {"DE-SN", "flora-sn"}});
  reopen();
  for (const Draft& one : fourth_events()) {
    const Accepted known = accepted(one);
    CHECK(known.repeat);
    CHECK(known.channels.empty());
  }
  CHECK(accepted(fourth_events()[1]).failed == "not-entitled");
  CHECK(store->rows(0, 10)->size() == 2);
  using Names = std::vector<std::string>;
  const ProcedureKey person = by({azr("260815000001")});
  CHECK(added(draft("v6-a", person, kBamf)).channels == Names{"flora"});
  CHECK(added(draft("v6-b", person)).channels == Names{"flora-ni", "flora"});
  CHECK(added(draft("v6-c", person, kBamf)).channels == Names{"flora", "flora-ni"});
}
