// The channels of a ledger network in the store: where each entry goes, and what the rows say of
// it.
#include <future>
#include <set>
#include <string>
#include <vector>

#include "gateway/store/channels_in_use.h"
#include "tests/gateway/remote_store.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using outbox::Settlement;

namespace {

using Names = std::vector<std::string>;

const ChannelRule& two_lands() {
  static const ChannelRule rule("flora", {{"DE-NI", "flora-ni"}, {"DE-SN", "flora-sn"}});
  return rule;
}

// With channels of its own for each of two Länder.
struct TwoLands : RemoteStore {
  TwoLands() {
    options.channels = two_lands();
    reopen();
  }
};

Draft of_land(Draft report, const std::string& land) {
  report.transaction.land = land;
  return report;
}

Draft handing_over(Draft report, const std::string& land) {
  report.transaction.status = "WEITERLEITUNG";
  report.transaction.details =
      R"({"empfaengerBehoerde":"999904","empfaengerLand":")" + land + "\"}";
  return report;
}

// The tombstone of the procedure alone.
Accepted buried(RemoteStore& fixture, const Uuid& procedure) {
  std::promise<std::vector<Accepted>> begun;
  fixture.store->erase(
      {procedure, std::string(kBamf),
       audit::opening({"eraser", {std::string(kBamf)}, "BAMF"}, audit::Action::erase)},
      [&begun](const Result<std::vector<Accepted>>& tombstones) { begun.set_value(*tombstones); },
      [](const Result<void>&) {});
  const std::vector<Accepted> tombstones = begun.get_future().get();
  REQUIRE(tombstones.size() == 1);
  return tombstones.front();
}

}  // namespace

TEST_CASE("with one channel no row names any, and a transaction has the name that it was given") {
  RemoteStore fixture;
  const Accepted report = fixture.added(draft("a", by({azr("1")})));
  CHECK(report.channels.empty());
  CHECK(transaction_of(report).channel == "default");
  CHECK(fixture.store->rows(0, 10)->front().channels.empty());
}

TEST_CASE(
    "an entry goes to the channels of reporter and procedure, and bears the first one's name") {
  TwoLands fixture;
  const ProcedureKey person = by({azr("1")});
  const auto channels = [&](const Draft& one) {
    const Accepted accepted = fixture.added(one);
    CHECK(transaction_of(accepted).channel == accepted.channels.front());
    CHECK(fixture.store->rows(accepted.number - 1, 1)->front().channels == accepted.channels);
    return accepted.channels;
  };
  CHECK(channels(draft("first", by({azr("2")}), kBamf)) == Names{"flora"});
  CHECK(channels(draft("a", person)) == Names{"flora-ni"});
  CHECK(channels(draft("b", person, kBamf)) == Names{"flora-ni"});
  fixture.reopen();
  CHECK(channels(handing_over(draft("c", person), "DE-SN")) == Names{"flora-ni", "flora-sn"});
  CHECK(channels(draft("d", person, kBamf)) == Names{"flora-ni", "flora-sn"});
  CHECK(channels(of_land(draft("e", person, kOtherAe), "DE-SN")) == Names{"flora-sn", "flora-ni"});
  CHECK(channels(correction("f", person, identity_of("c"))) == Names{"flora-ni", "flora-sn"});
  CHECK(channels(handing_over(of_land(draft("g", person, kOtherAe), "DE-SN"), "DE-BB")) ==
        Names{"flora-sn", "flora-ni", "flora"});
  CHECK(channels(draft("h", person, kBamf)) == Names{"flora-ni", "flora-sn", "flora"});
  CHECK(channels(draft("i", by({azr("3")}))) == Names{"flora-ni"});
  CHECK(channels(draft("j", by({azr("2")}))) == Names{"flora-ni", "flora"});
}

TEST_CASE("what corrects or revokes reaches every channel that holds what it refers to") {
  TwoLands fixture;
  const ProcedureKey person = by({azr("1")});
  fixture.added(draft("a", person));
  fixture.added(handing_over(draft("b", person), "DE-SN"));
  Draft corrected = handing_over(draft("c", person), "DE-BB");
  corrected.corrects = identity_of("b");
  CHECK(fixture.added(corrected).channels == Names{"flora-ni", "flora-sn", "flora"});
  Draft revoked = handing_over(draft("d", person), "DE-SN");
  revoked.revokes = identity_of("b");
  CHECK(fixture.added(revoked).channels == Names{"flora-ni", "flora-sn", "flora"});
  CHECK(fixture.added(draft("e", person, kBamf)).channels ==
        Names{"flora-ni", "flora-sn", "flora"});
}

TEST_CASE(
    "what comes after its correction or revocation reaches no channel that has not got that") {
  TwoLands fixture;
  for (const bool corrects : {true, false}) {
    const ProcedureKey person = by({azr(corrects ? "1" : "2")});
    const std::string name = corrects ? "x" : "y";
    Draft other = handing_over(draft(name + "1", person), "DE-BB");
    (corrects ? other.corrects : other.revokes) = identity_of(name + "2");
    CHECK(fixture.added(other).channels == Names{"flora-ni", "flora"});
    const Draft late = handing_over(draft(name + "2", person), "DE-SN");
    CHECK(fixture.added(late).channels == Names{"flora-ni", "flora"});
    CHECK(fixture.added(handing_over(draft(name + "3", person), "DE-SN")).channels ==
          Names{"flora-ni", "flora", "flora-sn"});
  }
}

TEST_CASE("the order of acceptance does not matter: who was ever involved gets what comes") {
  TwoLands fixture;
  for (const bool ni_first : {true, false}) {
    const ProcedureKey person = by({azr(ni_first ? "1" : "2")});
    const std::string name = ni_first ? "x" : "y";
    const Draft there = handing_over(draft(name + "1", person), "DE-SN");
    const Draft back = handing_over(of_land(draft(name + "2", person, kOtherAe), "DE-SN"), "DE-NI");
    fixture.added(ni_first ? there : back);
    fixture.added(ni_first ? back : there);
    const Names channels = fixture.added(draft(name + "3", person, kBamf)).channels;
    CHECK(std::set<std::string>(channels.begin(), channels.end()) ==
          std::set<std::string>{"flora-ni", "flora-sn"});
  }
}

TEST_CASE("a merge joins the channels of its procedures, and goes to all of them") {
  TwoLands fixture;
  const ProcedureKey from = by({azr("1")});
  const ProcedureKey into = by({azr("2")});
  fixture.added(draft("a", from));
  fixture.added(of_land(draft("b", into, kOtherAe), "DE-SN"));
  CHECK(fixture.added(merge("m", from, into)).channels == Names{"flora-ni", "flora-sn"});
  CHECK(fixture.added(draft("c", into, kBamf)).channels == Names{"flora-ni", "flora-sn"});
  CHECK(fixture.added(draft("d", from, kBamf)).channels == Names{"flora-ni", "flora-sn"});
  CHECK(fixture.added(handing_over(draft("e", from), "DE-BB")).channels ==
        Names{"flora-ni", "flora-sn", "flora"});
  const Names later = fixture.added(draft("f", into, kBamf)).channels;
  CHECK(std::set<std::string>(later.begin(), later.end()) ==
        std::set<std::string>{"flora", "flora-ni", "flora-sn"});
}

TEST_CASE("what is refused goes to no further channel") {
  TwoLands fixture;
  const ProcedureKey person = by({azr("1")});
  fixture.added(draft("a", person));
  Draft other = handing_over(draft("a", person), "DE-SN");
  other.content = crypto::sha256("other");
  CHECK(fixture.refused(other) == Refusal::content_differs);
  CHECK(fixture.added(draft("b", person, kBamf)).channels == Names{"flora-ni"});
}

TEST_CASE("a repeat and what is opened again keep their channels") {
  TwoLands fixture;
  const Draft report = handing_over(draft("a", by({azr("1")})), "DE-SN");
  const Accepted accepted = fixture.added(report);
  CHECK(fixture.accepted(report).channels == Names{"flora-ni", "flora-sn"});
  fixture.settle({{accepted.number, Settlement::Kind::failed, "not-entitled", {}}});
  const auto row = fixture.reopen_failed(accepted.transaction_id);
  REQUIRE(row.has_value());
  CHECK(row->channels == Names{"flora-ni", "flora-sn"});
  CHECK(fixture.store->rows(0, 10)->front().channels == row->channels);
}

TEST_CASE("a tombstone goes where the entries of its procedure have gone") {
  RemoteStore fixture;
  fixture.options.channel = "flora";
  const Accepted before = fixture.added(draft("before", by({azr("1")})));
  const Accepted known = fixture.added(draft("known", by({azr("2")})));
  fixture.options.channels = two_lands();
  fixture.reopen();
  fixture.added(draft("later", by({azr("2")})));
  const Accepted report = fixture.added(handing_over(draft("a", by({azr("3")})), "DE-SN"));
  CHECK(buried(fixture, before.procedure).channels == two_lands().all());
  CHECK(buried(fixture, known.procedure).channels == two_lands().all());
  const Accepted tombstone = buried(fixture, report.procedure);
  CHECK(tombstone.channels == Names{"flora-ni", "flora-sn"});
  CHECK(std::get<Tombstone>(*parse_entry(tombstone.body)).channel == "flora-ni");
  CHECK(fixture.store->rows(tombstone.number - 1, 1)->front().channels == tombstone.channels);
}

TEST_CASE("the channels that are in use are told: of a person, of what waits, and of all") {
  TwoLands fixture;
  const Accepted handed = fixture.added(handing_over(draft("a", by({azr("1")})), "DE-SN"));
  const Names both = {"flora-ni", "flora-sn"};
  CHECK((*fixture.store->find_in_outbox(handed.transaction_id))->channels == both);
  const auto holdings = fixture.store->holdings(azr("1"));
  REQUIRE(holdings->size() == 1);
  CHECK(holdings->front().channels == both);
  CHECK(*channels_in_use(fixture.options.place()) == std::set<std::string>{"flora-ni", "flora-sn"});
  fixture.added(draft("b", by({azr("2")}), kBamf));
  CHECK(channels_in_use(fixture.options.place())->contains("flora"));
}

TEST_CASE(
    "a store of a time with one channel goes on: what waits as it is, what comes by the rule") {
  RemoteStore fixture;
  const Accepted accepted = fixture.added(draft("a", by({azr("1")})));
  fixture.close();
  {
    const auto database = sql::open(fixture.options.place(), sql::Access::write);
    REQUIRE(database.has_value());
    REQUIRE((*database)
                ->execute("ALTER TABLE outbox DROP COLUMN channels; "
                          "ALTER TABLE procedure DROP COLUMN channels; "
                          "DROP TABLE purged_copy")
                .has_value());
    REQUIRE((*database)->set_schema_version(6).has_value());
  }
  CHECK(channels_in_use(fixture.options.place())->empty());
  fixture.options.channels = two_lands();
  REQUIRE(fixture.open().has_value());
  const auto rows = fixture.store->rows(0, 10);
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().channels.empty());
  CHECK(rows->front().nonce == accepted.nonce);
  CHECK(fixture.added(draft("b", by({azr("1")}))).channels == Names{"flora-ni", "flora"});
  CHECK(fixture.accepted(draft("a", by({azr("1")}))).channels.empty());
}
