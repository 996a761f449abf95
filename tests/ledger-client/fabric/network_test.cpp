// The whole client against scripted peers: how each try ends, and what is read.
#include "ledger-client/fabric/network.h"

#include <doctest/doctest.h>

#include <atomic>

#include "gateway/base/bytes.h"
#include "ledger-client/fabric/endorsement.h"
#include "tests/ledger-client/fabric/client_fixture.h"
#include "tests/ledger-client/fabric/scripted_peer.h"

using namespace flora;
using namespace std::chrono_literals;
using fabric::Options;
using outbox::Attempt;
using outbox::Outcome;
using test::organisations;
using test::ScriptedLedger;
using test::ScriptedPeer;
using Kind = Outcome::Kind;
using Script = ScriptedPeer::Script;

namespace {

Env& env() { return Env::system(); }

Options options_for(const std::vector<const ScriptedPeer*>& peers) {
  Options options;
  options.channel = "default";
  options.chaincode = "flora";
  for (const ScriptedPeer* const peer : peers) {
    options.endpoints.push_back(peer->endpoint("peer" + std::to_string(options.endpoints.size())));
  }
  options.identities = {organisations().client("bund"), organisations().client("laender")};
  options.identities[0].is_default = true;
  options.identities[1].authorities = {"LEA-SN"};
  return options;
}

std::unique_ptr<outbox::RemoteNetwork> opened(const Options& options) {
  auto network = fabric::open(options, env());
  REQUIRE_MESSAGE(network.has_value(), network.error().message);
  return std::move(*network);
}

// A transaction of ours that was never seen.
Attempt attempt() {
  Attempt out;
  out.id = random_uuid(env());
  out.authority = "BAMF";
  out.body = "{\"id\":\"" + to_string(out.id) + "\",\"v\":1}";
  out.nonce = test::random_nonce(env());
  return out;
}

// One peer with its ledger, and a client.
struct One {
  ScriptedLedger ledger;
  ScriptedPeer peer{ledger};
  std::unique_ptr<outbox::RemoteNetwork> network = opened(options_for({&peer}));
};

// Two peers with one ledger.
struct Two {
  ScriptedLedger ledger;
  ScriptedPeer first{ledger};
  ScriptedPeer second{ledger};
  std::unique_ptr<outbox::RemoteNetwork> network;
  explicit Two(fabric::Deadlines deadlines = {}) {
    Options options = options_for({&first, &second});
    options.deadlines = deadlines;
    network = opened(options);
  }
};

ScriptedPeer::Step says(grpc::StatusCode code, const std::string& message) {
  return [=](grpc::ServerContext&) { return grpc::Status(code, message); };
}

// Answers nothing until the client gives up.
ScriptedPeer::Step hangs() {
  return [](grpc::ServerContext& context) {
    test::eventually([&] { return context.IsCancelled(); });
    return grpc::Status::CANCELLED;
  };
}

void check(const Outcome& outcome, Kind kind, const std::string& reason) {
  CHECK(static_cast<int>(outcome.kind) == static_cast<int>(kind));
  CHECK(outcome.reason == reason);
}

}  // namespace

TEST_CASE("what is recorded is committed, found, in the history, and its envelope verifies") {
  One one;
  const Attempt sent = attempt();
  const Outcome outcome = test::submit(*one.network, sent);
  check(outcome, Kind::committed, "");
  const auto found = test::find(*one.network, sent.id);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->body == sent.body);
  CHECK((*found)->place.transaction == outcome.transaction);
  CHECK((*found)->place.block == 5);
  CHECK(test::history(*one.network, random_uuid(env())).value() ==
        std::vector<std::string>{sent.body});
  const auto envelope = test::envelope(*one.network, outcome.transaction);
  REQUIRE(envelope);
  CHECK(*envelope == one.ledger.envelope_of(outcome.transaction));
  const auto call =
      fabric::verify_endorsement(*envelope, organisations().all(), {2, {"BundMSP", "LaenderMSP"}});
  REQUIRE_MESSAGE(call.has_value(), call.error().message);
  CHECK(call->arguments == std::vector<std::string>{"Record", sent.body});
}

TEST_CASE("what is not there is not found") {
  One one;
  CHECK_FALSE(test::find(*one.network, random_uuid(env())).value());
  CHECK(test::history(*one.network, random_uuid(env())).value().empty());
  CHECK(test::envelope(*one.network, std::string(64, 'a')).error().code == Errc::not_found);
}

TEST_CASE(
    "a repeat with another nonce is committed under the first transaction, and not submitted") {
  One one;
  Attempt sent = attempt();
  const Outcome first = test::submit(*one.network, sent);
  sent.nonce = test::random_nonce(env());
  const Outcome second = test::submit(*one.network, sent);
  check(second, Kind::committed, "");
  CHECK(second.transaction == first.transaction);
  CHECK(one.peer.submits == 1);
}

TEST_CASE("a repeat with the same nonce is asked for by its id") {
  One one;
  const Attempt sent = attempt();
  const Outcome first = test::submit(*one.network, sent);
  const Outcome second = test::submit(*one.network, sent);
  check(second, Kind::committed, "");
  CHECK(second.transaction == first.transaction);
  CHECK(one.peer.submits == 1);
  one.peer.set({.code = 11});
  const Attempt spent = attempt();
  check(test::submit(*one.network, spent), Kind::spent, "mvcc-read-conflict");
  check(test::submit(*one.network, spent), Kind::spent, "mvcc-read-conflict");
}

TEST_CASE("the chaincode's refusals are final") {
  One one;
  Attempt sent = attempt();
  test::submit(*one.network, sent);
  sent.nonce = test::random_nonce(env());
  sent.body.insert(sent.body.size() - 1, ",\"other\":1");
  check(test::submit(*one.network, sent), Kind::refused, "conflict");
  CHECK(one.peer.submits == 1);
}

TEST_CASE("each authority's identity signs, and for whom there is none is refused") {
  ScriptedLedger ledger;
  const ScriptedPeer peer(ledger);
  Options options = options_for({&peer});
  auto network = opened(options);
  const auto creator_of = [&](const std::string& authority) {
    Attempt sent = attempt();
    sent.authority = authority;
    const Outcome outcome = test::submit(*network, sent);
    REQUIRE(outcome.kind == Kind::committed);
    const auto envelope = test::envelope(*network, outcome.transaction).value();
    return fabric::verify_endorsement(envelope, organisations().all(), {1, {"BundMSP"}})
        .value()
        .creator.msp_id;
  };
  CHECK(creator_of("BAMF") == "BundMSP");
  CHECK(creator_of("LEA-SN") == "LaenderMSP");
  options.identities[0].is_default = false;
  network = opened(options);
  check(test::submit(*network, attempt()), Kind::refused, "no-identity");
}

TEST_CASE("on each channel those sign, and those are asked, that are for it") {
  ScriptedLedger ledger;
  const ScriptedPeer of_all(ledger);
  const ScriptedPeer of_ni(ledger);
  Options options = options_for({&of_ni, &of_all});
  options.endpoints[0].channels = {"ni"};
  options.identities[0].channels = {"sn"};
  options.identities.push_back(organisations().client("bund"));
  options.identities[2].authorities = {"BAMF"};
  options.identities[2].channels = {"default", "ni"};
  options.identities[1].channels = {"default", "ni"};
  auto channels = fabric::open_channels(options, {"default", "ni", "sn"}, env());
  REQUIRE_MESSAGE(channels.has_value(), channels.error().message);
  const auto creator_of = [&](std::size_t channel, const std::string& authority) {
    Attempt sent = attempt();
    sent.authority = authority;
    outbox::RemoteNetwork& network = *(*channels)[channel].network;
    const Outcome outcome = test::submit(network, sent);
    if (outcome.kind != Kind::committed) return outcome.reason;
    const auto envelope = test::envelope(network, outcome.transaction).value();
    return fabric::verify_endorsement(envelope, organisations().all(), {1, {"BundMSP"}})
        .value()
        .creator.msp_id;
  };
  CHECK(creator_of(2, "LEA-SN") == "BundMSP");
  CHECK(creator_of(0, "LEA-SN") == "LaenderMSP");
  CHECK(of_ni.endorses == 0);
  CHECK(creator_of(1, "LEA-SN") == "LaenderMSP");
  CHECK(of_ni.endorses == 1);
  CHECK(creator_of(1, "BAMF") == "BundMSP");
  CHECK(creator_of(2, "ABH-1") == "BundMSP");
  CHECK(creator_of(1, "ABH-1") == "no-identity");
}

TEST_CASE("what fails before Submit is unavailable, and what fails in it unknown") {
  One one;
  const Attempt sent = attempt();
  const std::string too_many = "too many requests for /gateway.Gateway, exceeding limit (500)";
  one.peer.set({.endorse = says(grpc::UNKNOWN, too_many)});
  check(test::submit(*one.network, sent), Kind::unavailable, "too-many-requests");
  one.peer.set(
      {.endorse = says(grpc::FAILED_PRECONDITION, "no combination of peers can be derived")});
  check(test::submit(*one.network, sent), Kind::unavailable, "no-endorsers");
  one.peer.set({.endorse = says(grpc::UNAVAILABLE, "x")});
  check(test::submit(*one.network, sent), Kind::unavailable, "endpoint-unavailable");
  CHECK(one.peer.submits == 0);
  one.peer.set({.submit = says(grpc::UNKNOWN, too_many)});
  check(test::submit(*one.network, sent), Kind::unknown, "too-many-requests");
  one.peer.set({.submit = says(grpc::UNAVAILABLE, "no orderer nodes available")});
  check(test::submit(*one.network, sent), Kind::unknown, "orderer-unavailable");
  one.peer.set({});
  check(test::submit(*one.network, sent), Kind::committed, "");
}

TEST_CASE(
    "what is not permitted any more is not asked for: neither Endorse, nor Submit, nor again") {
  for (int permitted = 0; permitted < 3; ++permitted) {
    CAPTURE(permitted);
    Two two;
    two.first.set({.submit = says(grpc::UNAVAILABLE, "no orderer nodes available")});
    std::atomic<int> left = permitted;
    Attempt sent = attempt();
    sent.time_left = [&] { return std::chrono::seconds(left-- > 0 ? 60 : 0); };
    // Asked before Endorse, and before Submit at each endpoint.
    const Outcome outcome = test::submit(*two.network, sent);
    check(outcome, permitted < 2 ? Kind::unavailable : Kind::unknown, "turn-over");
    CHECK(two.first.endorses == (permitted == 0 ? 0 : 1));
    CHECK(two.first.submits == (permitted == 2 ? 1 : 0));
    CHECK(two.second.submits == 0);
    CHECK(two.ledger.entries().empty());
  }
}

TEST_CASE("a peer that is gone is passed over, and asked again when it is back") {
  Two two;
  two.first.stop();
  check(test::submit(*two.network, attempt()), Kind::committed, "");
  CHECK(two.second.endorses == 1);
  two.first.start();
  REQUIRE(test::eventually([&] {
    const Outcome outcome = test::submit(*two.network, attempt());
    return outcome.kind == Kind::committed && two.first.endorses > 0;
  }));
  two.first.stop();
  two.second.stop();
  CHECK(test::submit(*two.network, attempt()).kind == Kind::unavailable);
  CHECK(test::find(*two.network, random_uuid(env())).error().code == Errc::unavailable);
  two.second.start();
  CHECK(test::eventually(
      [&] { return test::submit(*two.network, attempt()).kind == Kind::committed; }));
}

TEST_CASE("a peer that answers nothing is left after the deadline") {
  fabric::Deadlines deadlines;
  deadlines.endorse = 200ms;
  Two two(deadlines);
  two.first.set({.endorse = hangs()});
  check(test::submit(*two.network, attempt()), Kind::committed, "");
  CHECK(two.first.endorses == 1);
  CHECK(two.second.submits == 1);
}

TEST_CASE("a peer that dies between Submit and the commit is asked for at another") {
  Two two;
  two.first.set({.status = says(grpc::UNAVAILABLE, "Socket closed")});
  check(test::submit(*two.network, attempt()), Kind::committed, "");
  CHECK(two.first.submits == 1);
  CHECK(two.second.submits == 0);
  CHECK(two.second.statuses == 1);
}

TEST_CASE("Submit goes to another endpoint with the same envelope") {
  Two two;
  two.first.set({.submit = says(grpc::UNAVAILABLE, "no orderer nodes available")});
  check(test::submit(*two.network, attempt()), Kind::committed, "");
  CHECK(two.first.endorses == 1);
  CHECK(two.second.endorses == 0);
  CHECK(two.ledger.entries().size() == 1);
}

TEST_CASE("a commit that is not told in time is looked up, and else unknown") {
  fabric::Deadlines deadlines;
  deadlines.commit_status = 100ms;
  Two two(deadlines);
  two.first.set({.status = hangs()});
  two.second.set({.status = hangs()});
  const Attempt sent = attempt();
  const Outcome outcome = test::submit(*two.network, sent);
  check(outcome, Kind::committed, "");
  CHECK(two.ledger.knows(outcome.transaction));
  two.first.set({.loses_submissions = true});
  two.second.set({});
  const Attempt lost = attempt();
  check(test::submit(*two.network, lost), Kind::unknown, "deadline-exceeded");
  // To wait for a commit is no fault of the peer: it is asked first again.
  const int before = two.first.endorses;
  two.first.set({});
  const Outcome again = test::submit(*two.network, lost);
  check(again, Kind::committed, "");
  CHECK(two.first.endorses == before + 1);
  CHECK(two.ledger.entries().size() == 2);
}

TEST_CASE("what is invalid on the ledger is spent, and a duplicate id is looked up") {
  One one;
  one.peer.set({.code = 10});
  check(test::submit(*one.network, attempt()), Kind::spent, "endorsement-policy-failure");
  one.peer.set({.code = 12});
  check(test::submit(*one.network, attempt()), Kind::spent, "phantom-read-conflict");
  one.peer.set({.code = 9});
  check(test::submit(*one.network, attempt()), Kind::unknown, "duplicate-txid");
  const Attempt sent = attempt();
  one.ledger.commit(std::string(64, 'a'), "", sent.body, 0);
  one.peer.set({.code = 9});
  const Outcome outcome = test::submit(*one.network, sent);
  check(outcome, Kind::committed, "");
  CHECK(outcome.transaction == std::string(64, 'a'));
}

TEST_CASE("an envelope that is not what was asked for is never signed") {
  Two two;
  test::EnvelopeParts parts;
  const auto set = [&](std::function<void(gateway::Envelope&)> change) {
    two.first.set({.envelope = std::move(change)});
  };
  const auto other = [&](auto change) {
    test::EnvelopeParts changed = parts;
    change(changed);
    set([payload = test::payload_of(changed)](gateway::Envelope& e) { e.set_payload(payload); });
  };
  std::vector<std::function<void()>> scripts = {
      [&] { set([](gateway::Envelope& e) { e.set_payload("nonsense"); }); },
      [&] { set([](gateway::Envelope& e) { e.clear_payload(); }); },
      [&] { set([](gateway::Envelope& e) { e.mutable_payload()->pop_back(); }); },
      // Well-formed, of another transaction, channel, chaincode, or for another body.
      [&] { other([](auto&) {}); },
      [&] { other([](auto& p) { p.channel = "another"; }); },
      [&] { other([](auto& p) { p.chaincode = "another"; }); },
  };
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    CAPTURE(i);
    scripts[i]();
    // The second one is right.
    check(test::submit(*two.network, attempt()), Kind::committed, "");
    CHECK(two.first.submits == 0);
  }
  two.second.stop();
  check(test::submit(*two.network, attempt()), Kind::unavailable, "endpoint-unavailable");
}

TEST_CASE("an envelope of the same transaction with another body or answer is never signed") {
  One one;
  const Attempt sent = attempt();
  test::EnvelopeParts parts;
  parts.nonce = std::string(as_text(sent.nonce));
  parts.arguments = {"Record", sent.body};
  const auto outcome_with = [&](auto change) {
    test::EnvelopeParts changed = parts;
    change(changed);
    one.peer.set({.envelope = [payload = test::payload_of(changed)](gateway::Envelope& e) {
      e.set_payload(payload);
    }});
    return test::submit(*one.network, sent);
  };
  const auto contradicts = [&](auto change) {
    check(outcome_with(change), Kind::unavailable, "peer-contradicts");
  };
  contradicts([](auto& p) { p.channel = "another"; });
  contradicts([](auto& p) { p.chaincode = "another"; });
  contradicts([](auto& p) { p.arguments[1] += " "; });
  contradicts([](auto& p) { p.arguments[0] = "Erase"; });
  contradicts([](auto& p) { p.arguments.emplace_back("more"); });
  contradicts([](auto& p) { p.creator = "laender"; });
  contradicts([](auto& p) { p.status = 500; });
  contradicts([](auto& p) { p.answer = "{}"; });
  contradicts(
      [](auto& p) { p.answer = "{\"repeated\":1,\"tx\":\"" + std::string(64, 'a') + "\"}"; });
  contradicts([](auto& p) { p.answer = "{\"repeated\":true,\"tx\":\"a\"}"; });
  contradicts(
      [](auto& p) { p.answer = "{\"repeated\":false,\"tx\":\"" + std::string(64, 'a') + "\"}"; });
  CHECK(one.peer.submits == 0);
  check(outcome_with([](auto&) {}), Kind::committed, "");
}

TEST_CASE("what is found must be what was asked for") {
  One one;
  const Attempt sent = attempt();
  const Outcome outcome = test::submit(*one.network, sent);
  const std::string tx = "\",\"tx\":\"" + std::string(64, 'a') + "\"}";
  for (const std::string& wrong :
       {std::string("{}"), std::string("nonsense"), "{\"body\":\"{}" + tx,
        "{\"body\":\"{\\\"id\\\":\\\"" + to_string(random_uuid(env())) + "\\\"}" + tx,
        "{\"body\":\"{\\\"id\\\":\\\"" + to_string(sent.id) + "\\\"}\",\"tx\":\"a\"}"}) {
    one.peer.set({.evaluated = wrong});
    CHECK(test::find(*one.network, sent.id).error().code == Errc::corrupt);
  }
  one.peer.set({.evaluated = "{}"});
  CHECK(test::history(*one.network, sent.id).error().code == Errc::corrupt);
  one.peer.set({.evaluated = "[\"text\"]"});
  CHECK(test::history(*one.network, sent.id).error().code == Errc::corrupt);
  one.peer.set({.evaluated = "nonsense"});
  CHECK(test::envelope(*one.network, outcome.transaction).error().code == Errc::corrupt);
  one.peer.set({});
  CHECK(test::envelope(*one.network, outcome.transaction).has_value());
}

TEST_CASE("a history beyond gRPC's own limit of 4 MiB is received") {
  One one;
  const std::string body = "{\"x\":\"" + std::string(6 << 20, 'x') + "\"}";
  one.peer.set({.evaluated = "[" + body + "]"});
  CHECK(test::history(*one.network, random_uuid(env())).value() == std::vector<std::string>{body});
}

TEST_CASE(
    "no more calls are under way than configured, the others wait, and too many are refused") {
  ScriptedLedger ledger;
  ScriptedPeer peer(ledger);
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> open_gate = false;
  peer.set({.endorse = [&](grpc::ServerContext&) -> std::optional<grpc::Status> {
    const int here = ++now;
    for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) continue;
    test::eventually([&] { return open_gate.load(); });
    --now;
    return std::nullopt;
  }});
  Options options = options_for({&peer});
  options.concurrency = 4;
  options.waiting = 20;
  options.deadlines.endorse = 60s;
  const auto network = opened(options);
  std::atomic<int> committed = 0;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 30; ++i) {
    network->submit(attempt(), [&](const Outcome& outcome) {
      if (outcome.kind == Kind::committed) ++committed;
      if (outcome.kind == Kind::unavailable && outcome.reason == "too-many-calls") ++refused;
    });
  }
  CHECK(test::eventually([&] { return now == 4 && refused == 6; }));
  open_gate = true;
  CHECK(test::eventually([&] { return committed == 24; }));
  CHECK(most == 4);
}

TEST_CASE("what goes to another channel, or to several, is asked for nowhere") {
  One one;
  const std::string channel = options_for({&one.peer}).channel;
  using Names = std::vector<std::string>;
  for (const Names& names : {Names{"other"}, Names{channel, "other"}}) {
    Attempt sent = attempt();
    sent.channels = names;
    check(test::submit(*one.network, sent), Kind::unavailable, "channel-unknown");
  }
  CHECK(one.peer.endorses == 0);
  Attempt own = attempt();
  own.channels = {channel};
  check(test::submit(*one.network, own), Kind::committed, "");
}

TEST_CASE("channels share the bound of calls, and the end of one does not wait for another's") {
  ScriptedLedger ledger;
  ScriptedPeer peer(ledger);
  peer.set({.endorse = hangs()});
  Options options = options_for({&peer});
  options.concurrency = 3;
  options.deadlines.endorse = 60s;
  auto channels = fabric::open_channels(options, {"ni", "sn"}, env());
  REQUIRE_MESSAGE(channels.has_value(), channels.error().message);
  REQUIRE(channels->size() == 2);
  CHECK((*channels)[1].name == "sn");
  std::atomic<int> of_ni = 0;
  std::atomic<int> of_sn = 0;
  for (int i = 0; i < 3; ++i) {
    (*channels)[0].network->submit(attempt(), [&](const Outcome&) { ++of_ni; });
  }
  CHECK(test::eventually([&] { return peer.endorses == 3; }));
  for (int i = 0; i < 5; ++i) {
    (*channels)[1].network->submit(attempt(), [&](const Outcome&) { ++of_sn; });
  }
  (*channels)[1].network.reset();
  CHECK(of_sn == 5);
  CHECK(of_ni == 0);
  CHECK(peer.endorses == 3);
  (*channels)[0].network.reset();
  CHECK(of_ni == 3);
}

TEST_CASE("the end of the network breaks off what is under way, and every callback has come") {
  ScriptedLedger ledger;
  ScriptedPeer peer(ledger);
  Options options = options_for({&peer});
  options.concurrency = 2;
  options.deadlines.endorse = 60s;
  options.deadlines.commit_status = 60s;
  std::mutex mutex;
  std::vector<Outcome> outcomes;
  const auto keep = [&](Outcome outcome) {
    const std::lock_guard lock(mutex);
    outcomes.push_back(std::move(outcome));
  };
  peer.set({.endorse = hangs()});
  auto network = opened(options);
  for (int i = 0; i < 10; ++i) network->submit(attempt(), keep);
  CHECK(test::eventually([&] { return peer.endorses == 2; }));
  network.reset();
  CHECK(outcomes.size() == 10);
  for (const Outcome& one : outcomes) check(one, Kind::unavailable, "broken-off");
  outcomes.clear();
  peer.set({.status = hangs()});
  network = opened(options);
  network->submit(attempt(), keep);
  CHECK(test::eventually([&] { return peer.statuses == 1; }));
  network.reset();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes.front().kind == Kind::unknown);
}

TEST_CASE(
    "a peer that asks for a client certificate gets it, and one that is not the peer gets "
    "nothing") {
  ScriptedLedger ledger;
  const ScriptedPeer strict(ledger, true);
  Options options = options_for({&strict});
  CHECK(test::submit(*opened(options), attempt()).kind == Kind::unavailable);
  options.client_certificate = {organisations().file("tls-client.pem"),
                                organisations().file("tls-client.key")};
  CHECK(test::submit(*opened(options), attempt()).kind == Kind::committed);
  // Of a CA that the peer does not know.
  options.client_certificate = {organisations().file("bund-client.pem"),
                                organisations().file("bund-client.key")};
  CHECK(test::submit(*opened(options), attempt()).kind == Kind::unavailable);
  const ScriptedPeer open_to_all(ledger);
  options = options_for({&open_to_all});
  options.endpoints[0].ca_file = organisations().file("bund-ca.pem");
  CHECK(test::submit(*opened(options), attempt()).kind == Kind::unavailable);
  options = options_for({&open_to_all});
  options.endpoints[0].server_name = "another.test";
  CHECK(test::submit(*opened(options), attempt()).kind == Kind::unavailable);
}

TEST_CASE("options that cannot be are told when the network is opened") {
  ScriptedLedger ledger;
  const ScriptedPeer peer(ledger);
  const auto error_of = [&](auto change) {
    Options options = options_for({&peer});
    change(options);
    const auto network = fabric::open(options, env());
    return network ? "none" : network.error().message;
  };
  const std::string bund = organisations().file("bund-");
  CHECK(error_of([](Options&) {}) == "none");
  CHECK(error_of([](Options& o) { o.channel.clear(); }) ==
        "Fabric needs a channel and a chaincode");
  CHECK(error_of([](Options& o) { o.chaincode.clear(); }) ==
        "Fabric needs a channel and a chaincode");
  CHECK(error_of([](Options& o) { o.endpoints.clear(); }) ==
        "Fabric needs an endpoint on the channel default");
  CHECK(error_of([](Options& o) { o.identities.clear(); }) ==
        "Fabric needs an identity on the channel default");
  CHECK(error_of([](Options& o) { o.identities[1].is_default = true; }) ==
        "there are two default identities on the channel default");
  CHECK(error_of([](Options& o) { o.identities[0].authorities = {"LEA-SN"}; }) ==
        "two identities sign for one authority on the channel default");
  Options several = options_for({&peer});
  several.identities[1].channels = several.identities[0].channels = {"ni"};
  const auto without = fabric::open_channels(several, {"ni", "sn"}, env());
  REQUIRE_FALSE(without.has_value());
  CHECK(without.error().message == "Fabric needs an identity on the channel sn");
  CHECK(error_of([](Options& o) { o.identities[0].msp_id.clear(); }) ==
        "an identity has no MSP id");
  CHECK(error_of([](Options& o) { o.concurrency = 0; }) == "the concurrency is not from 1 to 499");
  CHECK(error_of([](Options& o) { o.concurrency = 499; }) == "none");
  CHECK(error_of([](Options& o) { o.concurrency = 500; }) ==
        "the concurrency is not from 1 to 499");
  CHECK(error_of([&](Options& o) { o.identities[0].key_file = bund + "peer.key"; }) ==
        bund + "peer.key: the key is not that of the certificate");
  CHECK(error_of([&](Options& o) { o.identities[0].certificate_file = bund + "ca.pem"; }) ==
        bund + "ca.pem: the certificate is a CA's");
  CHECK(error_of([&](Options& o) { o.endpoints[0].ca_file = bund + "peer.key"; }) ==
        bund + "peer.key: they are not CA certificates in PEM");
  CHECK(error_of([&](Options& o) { o.endpoints[0].ca_file = bund + "none.pem"; }) != "none");
}
