// The client on a real Fabric network (examples/fabric-network), whose members are killed and
// started again. FLORA_FABRIC_NETWORK names its network.json; real_network.sh runs this.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "ledger-client/fabric/endorsement.h"
#include "ledger-client/fabric/network.h"
#include "tests/ledger-client/fabric/client_fixture.h"
#include "tests/ledger-client/fabric/organisations.h"
#include "tests/ledger-client/fabric/scripted_peer.h"

using namespace flora;
using namespace std::chrono_literals;
using fabric::Options;
using outbox::Attempt;
using outbox::NetworkEntry;
using outbox::NetworkPlace;
using outbox::Outcome;
using Kind = Outcome::Kind;

namespace {

constexpr const char* kAuthority = "000250";  // Of the Länder, in config/policy.yaml.

Env& env() { return Env::system(); }

std::string description_file() {
  const char* const file = std::getenv("FLORA_FABRIC_NETWORK");
  REQUIRE_MESSAGE(file != nullptr, "FLORA_FABRIC_NETWORK is not set: run real_network.sh");
  return file;
}

const nlohmann::json& description() {
  static const nlohmann::json only = nlohmann::json::parse(test::read_text(description_file()));
  return only;
}

// kill, stop, continue or restart of a member.
void disturb(const std::string& how, const std::string& member) {
  const std::string folder = description_file().substr(0, description_file().rfind('/'));
  test::run_command(std::string(FLORA_SOURCE_DIR) + "/examples/fabric-network/network.py " + how +
                    " " + folder + " " + member);
}

Options options() {
  Options out;
  out.channel = description().at("channel");
  out.chaincode = description().at("chaincode");
  for (const auto& one : description().at("organisations")) {
    out.endpoints.push_back(
        {one.at("member"), one.at("peer"), one.at("tlsCa"), one.at("tlsServerName")});
    fabric::Identity identity;
    identity.msp_id = one.at("mspId");
    identity.certificate_file = one.at("client").at("certificate");
    identity.key_file = one.at("client").at("key");
    identity.is_default = identity.msp_id == "BundMSP";
    if (!identity.is_default) identity.authorities = {kAuthority};
    out.identities.push_back(identity);
  }
  return out;
}

std::vector<fabric::Organisation> organisations() {
  std::vector<fabric::Organisation> out;
  for (const auto& one : description().at("organisations")) {
    std::string certificates;
    for (const auto& file : one.at("ca")) certificates += test::read_text(file);
    out.push_back({.msp_id = one.at("mspId"), .ca_certificates = certificates});
  }
  return out;
}

std::unique_ptr<outbox::RemoteNetwork> opened(const Options& given) {
  auto network = fabric::open(given, env());
  REQUIRE_MESSAGE(network.has_value(), network.error().message);
  return std::move(*network);
}

Uuid next_id() {
  static UuidSequence sequence(env());
  return sequence.next();
}

std::string body_of(const Uuid& id, const Uuid& procedure, const std::string& day = "02") {
  return R"({"authority":"000250","catalogue":"2026-11","channel":"default","id":")" +
         to_string(id) + R"(","land":"DE-NI","occurredOn":"2026-11-)" + day + R"(","procedure":")" +
         to_string(procedure) +
         R"(","recordedAt":"2026-11-03T08:15:30.123Z","role":"AE","salt":")" +
         std::string(32, '0') + R"(","status":"REGISTRIERUNG_ABGESCHLOSSEN","v":1})";
}

Attempt attempt(const Uuid& procedure) {
  Attempt out;
  out.id = next_id();
  out.authority = kAuthority;
  out.body = body_of(out.id, procedure);
  out.nonce = test::random_nonce(env());
  return out;
}

Attempt attempt() { return attempt(random_uuid(env())); }

// As the outbox does: again with the same nonce until it is known, with a new one if it is spent.
Outcome settle(outbox::RemoteNetwork& network, Attempt sent) {
  Outcome last;
  const bool is_settled = test::eventually([&] {
    last = test::submit(network, sent);
    if (last.kind == Kind::spent) sent.nonce = test::random_nonce(env());
    return last.kind == Kind::committed || last.kind == Kind::refused;
  });
  REQUIRE_MESSAGE(is_settled, last.reason);
  return last;
}

// Sends all at once, and waits for the outcome of each.
std::vector<Outcome> submit_all(outbox::RemoteNetwork& network, const std::vector<Attempt>& all,
                                const std::function<void()>& meanwhile) {
  std::vector<Outcome> outcomes(all.size());
  std::atomic<std::size_t> done = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    network.submit(all[i], [&, i](Outcome outcome) {
      outcomes[i] = std::move(outcome);
      ++done;
    });
  }
  meanwhile();
  REQUIRE(test::eventually([&] { return done == all.size(); }));
  return outcomes;
}

// As settle(), for all at once.
std::vector<Outcome> settle_all(outbox::RemoteNetwork& network, std::vector<Attempt> all) {
  std::vector<Outcome> outcomes(all.size());
  const bool is_settled = test::eventually([&] {
    std::vector<Attempt> open;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (outcomes[i].kind == Kind::committed) continue;
      if (outcomes[i].kind == Kind::spent) all[i].nonce = test::random_nonce(env());
      open.push_back(all[i]);
      places.push_back(i);
    }
    const std::vector<Outcome> now = submit_all(network, open, [] {});
    for (std::size_t i = 0; i < now.size(); ++i) outcomes[places[i]] = now[i];
    return open.empty();
  });
  REQUIRE(is_settled);
  return outcomes;
}

// What a follower has been told.
class Seen {
 public:
  std::unique_ptr<outbox::Following> follow(outbox::RemoteNetwork& network,
                                            std::vector<NetworkPlace> after = {}) {
    return network.follow(
        std::move(after),
        [this](const std::vector<NetworkEntry>& entries) {
          const std::lock_guard lock(mutex_);
          entries_.insert(entries_.end(), entries.begin(), entries.end());
        },
        [](bool) {});
  }
  std::vector<NetworkEntry> entries() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }
  std::vector<std::string> transactions() const {
    std::vector<std::string> out;
    for (const NetworkEntry& one : entries()) out.push_back(one.place.transaction);
    return out;
  }
  bool has(const std::string& transaction) const {
    const std::vector<std::string> all = transactions();
    return std::ranges::find(all, transaction) != all.end();
  }
  // How many entries have this body.
  std::ptrdiff_t count(const std::string& body) const {
    const std::vector<NetworkEntry> all = entries();
    return std::ranges::count(all, body, &NetworkEntry::body);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<NetworkEntry> entries_;
};

}  // namespace

TEST_CASE("what is recorded is committed, found with its block, in the history and followed") {
  const auto network = opened(options());
  const Uuid procedure = random_uuid(env());
  const Attempt first = attempt(procedure);
  const Attempt second = attempt(procedure);
  const Outcome outcome = settle(*network, first);
  REQUIRE(outcome.kind == Kind::committed);
  settle(*network, second);
  const auto found = test::find(*network, first.id).value();
  REQUIRE(found);
  CHECK(found->body == first.body);
  CHECK(found->place.transaction == outcome.transaction);
  CHECK(test::history(*network, procedure).value() ==
        std::vector<std::string>{first.body, second.body});
  CHECK(test::history(*network, random_uuid(env())).value().empty());
  CHECK_FALSE(test::find(*network, next_id()).value());
  Seen seen;
  const auto following = seen.follow(*network);
  REQUIRE(test::eventually([&] { return seen.has(outcome.transaction); }));
  for (const NetworkEntry& one : seen.entries()) {
    if (one.place.transaction == outcome.transaction) CHECK(one.place.block == found->place.block);
  }
}

TEST_CASE("a repeat is committed under the first transaction, whatever its nonce") {
  const auto network = opened(options());
  Attempt sent = attempt();
  const Outcome first = settle(*network, sent);
  const Outcome same = test::submit(*network, sent);
  CHECK(same.kind == Kind::committed);
  CHECK(same.transaction == first.transaction);
  sent.nonce = test::random_nonce(env());
  const Outcome other = test::submit(*network, sent);
  CHECK(other.kind == Kind::committed);
  CHECK(other.transaction == first.transaction);
}

TEST_CASE("conflicts, what is invalid and who is not entitled are refused") {
  const auto network = opened(options());
  const Uuid procedure = random_uuid(env());
  Attempt sent = attempt(procedure);
  settle(*network, sent);
  const auto check = [&](const Attempt& wrong, const std::string& reason) {
    const Outcome outcome = test::submit(*network, wrong);
    CHECK(outcome.kind == Kind::refused);
    CHECK(outcome.reason == reason);
  };
  sent.nonce = test::random_nonce(env());
  sent.body = body_of(sent.id, procedure, "01");
  check(sent, "conflict");
  Attempt free_text = attempt();
  free_text.body.insert(1, "\"a\":\"free text\",");
  check(free_text, "invalid");
  Attempt foreign = attempt();
  foreign.authority = "another";  // So that the Bund signs for an authority of the Länder.
  check(foreign, "not-entitled");
}

TEST_CASE("of two tries that race one is committed, the other spent, and it is recorded once") {
  const auto network = opened(options());
  Seen seen;
  const auto following = seen.follow(*network);
  bool was_spent = false;
  for (int i = 0; i < 50 && !was_spent; ++i) {
    std::vector<Attempt> both(2, attempt());
    both[1].nonce = test::random_nonce(env());
    const std::vector<Outcome> outcomes = submit_all(*network, both, [] {});
    std::set<std::string> under;
    for (const Outcome& one : outcomes) {
      if (one.kind == Kind::committed) under.insert(one.transaction);
      if (one.kind != Kind::spent) continue;
      was_spent = true;
      CHECK(one.reason == "mvcc-read-conflict");
    }
    CHECK(under.size() == 1);
    CHECK(settle(*network, both[1]).transaction == *under.begin());
    CHECK(test::eventually([&] { return seen.has(*under.begin()); }));
    CHECK(seen.count(both[0].body) == 1);
  }
  CHECK(was_spent);
}

TEST_CASE("more calls than a peer takes at once are committed, none is lost") {
  const auto network = opened(options());
  std::vector<Attempt> all;
  for (int i = 0; i < 600; ++i) all.push_back(attempt());
  const std::vector<Outcome> outcomes = submit_all(*network, all, [] {});
  std::map<std::string, int> reasons;
  for (const Outcome& one : outcomes) {
    if (one.kind != Kind::committed) ++reasons[one.reason];
  }
  for (const auto& [reason, count] : reasons) MESSAGE(reason, ": ", count);
  CHECK(reasons.empty());
}

TEST_CASE("a peer is killed while tries are under way: each is settled, and recorded once") {
  Options given = options();
  given.concurrency = 64;
  Seen seen;
  const auto watching = opened(given);
  const auto following = seen.follow(*watching);
  const auto round = [&](const Options& one) {
    const auto network = opened(one);
    std::vector<Attempt> all;
    for (int i = 0; i < 200; ++i) all.push_back(attempt());
    const std::vector<Outcome> outcomes = submit_all(*network, all, [&] {
      disturb("kill", "peer0");
      disturb("restart", "peer0");
    });
    std::map<Kind, int> kinds;
    for (const Outcome& first : outcomes) ++kinds[first.kind];
    const std::vector<Outcome> settled = settle_all(*network, all);
    CHECK(test::eventually([&] {
      return std::ranges::all_of(settled,
                                 [&](const Outcome& o) { return seen.has(o.transaction); });
    }));
    for (const Attempt& sent : all) CHECK(seen.count(sent.body) == 1);
    CHECK(kinds[Kind::refused] == 0);
    CHECK(kinds[Kind::spent] == 0);
    MESSAGE("committed ", kinds[Kind::committed], ", unavailable ", kinds[Kind::unavailable],
            ", unknown ", kinds[Kind::unknown]);
    return kinds[Kind::unknown];
  };
  // The second peer knows what became of what the first one had submitted.
  for (int i = 0; i < 2; ++i) round(given);
  // Nobody else knows before it is back.
  given.endpoints.resize(1);
  int unknown = 0;
  for (int i = 0; i < 10 && unknown == 0; ++i) unknown += round(given);
  CHECK(unknown > 0);
}

TEST_CASE("while one peer is dead the other answers, and following goes on exactly") {
  const auto network = opened(options());
  Seen seen;
  const auto following = seen.follow(*network);
  const Attempt before = attempt();
  const Outcome first = settle(*network, before);
  CHECK(test::eventually([&] { return seen.has(first.transaction); }));
  for (const std::string member : {"peer0", "peer1"}) {
    disturb("kill", member);
    CHECK(test::eventually([&] { return test::find(*network, before.id).has_value(); }));
    CHECK(test::find(*network, before.id).value()->place.transaction == first.transaction);
    const Outcome away = test::submit(*network, attempt());
    CHECK(away.kind == Kind::unavailable);
    disturb("restart", member);
    const Outcome back = settle(*network, attempt());
    CHECK(test::eventually([&] { return seen.has(back.transaction); }));
  }
  // Who begins in the middle, at another client, gets the same rest.
  const std::vector<NetworkEntry> all = seen.entries();
  Seen whole;
  Seen rest;
  const auto from_start = whole.follow(*network);
  const auto from_middle = rest.follow(*network, {all[all.size() / 2].place});
  const std::vector<std::string> expected = seen.transactions();
  CHECK(test::eventually([&] { return whole.entries().size() == all.size(); }));
  CHECK(whole.transactions() == expected);
  CHECK(test::eventually([&] { return rest.has(expected.back()); }));
  CHECK(rest.transactions() ==
        std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(all.size() / 2) + 1,
                                 expected.end()));
}

TEST_CASE("without the orderer a try is unknown, and the same nonce settles it when it is back") {
  Options given = options();
  given.deadlines.commit_status = 2s;
  const auto network = opened(given);
  disturb("kill", "orderer");
  const Attempt sent = attempt();
  const Outcome away = test::submit(*network, sent);
  CHECK(away.kind == Kind::unknown);
  CHECK(away.reason == "orderer-unavailable");
  disturb("restart", "orderer");
  CHECK(settle(*network, sent).kind == Kind::committed);
}

TEST_CASE("without the chaincode nothing is recorded, and nothing refused") {
  const auto network = opened(options());
  disturb("kill", "chaincode");
  const Attempt sent = attempt();
  CHECK(test::submit(*network, sent).kind == Kind::unavailable);
  CHECK(test::find(*network, sent.id).error().code == Errc::unavailable);
  disturb("restart", "chaincode");
  CHECK(settle(*network, sent).kind == Kind::committed);
}

TEST_CASE("a real envelope verifies offline, and no byte of it can be changed") {
  const auto network = opened(options());
  const Attempt sent = attempt();
  const Outcome outcome = settle(*network, sent);
  const std::string envelope = test::envelope(*network, outcome.transaction).value();
  const fabric::EndorsementPolicy both = {2, {"BundMSP", "LaenderMSP"}};
  const std::vector<fabric::Organisation> known = organisations();
  const auto call = fabric::verify_endorsement(envelope, known, both);
  REQUIRE_MESSAGE(call.has_value(), call.error().message);
  CHECK(call->transaction == outcome.transaction);
  CHECK(call->channel == "default");
  CHECK(call->chaincode == "flora");
  CHECK(call->arguments == std::vector<std::string>{"Record", sent.body});
  CHECK(call->creator.msp_id == "LaenderMSP");
  CHECK(call->endorsers.size() == 2);
  for (std::size_t at = 0; at < envelope.size(); ++at) {
    std::string changed = envelope;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    CHECK_MESSAGE(!fabric::verify_endorsement(changed, known, both).has_value(), "byte ", at);
  }
  CHECK(test::envelope(*network, std::string(64, 'a')).error().code == Errc::not_found);
}
