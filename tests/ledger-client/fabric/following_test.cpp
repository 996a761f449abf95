// Events: each once and in order, over restarts, at whatever peer; and nothing of another ledger.
#include <doctest/doctest.h>

#include "tests/ledger-client/fabric/scripted_peer.h"

using namespace flora;
using namespace std::chrono_literals;
using outbox::NetworkEntry;
using outbox::NetworkPlace;
using test::organisations;
using test::ScriptedLedger;
using test::ScriptedPeer;

namespace {

std::unique_ptr<outbox::RemoteNetwork> opened(const std::vector<const ScriptedPeer*>& peers) {
  fabric::Options options;
  options.channel = "default";
  options.chaincode = "flora";
  for (const ScriptedPeer* const peer : peers) options.endpoints.push_back(peer->endpoint("peer"));
  options.identities = {organisations().client("bund")};
  options.first_pause = 5ms;
  options.longest_pause = 50ms;
  return fabric::open(options, Env::system()).value();
}

// Commits entry number `i`.
void add(ScriptedLedger& ledger, int i) {
  std::string id = to_string(Uuid{});
  id.back() = static_cast<char>('a' + i);
  ledger.commit(std::string(64, static_cast<char>('a' + i)), "", "{\"id\":\"" + id + "\"}", 0);
}

// What a follower has been told.
class Seen {
 public:
  auto take() {
    return [this](std::vector<NetworkEntry> entries) {
      const std::lock_guard lock(mutex_);
      for (const NetworkEntry& one : entries) all_ += one.place.transaction.front();
      if (!entries.empty()) last_ = entries.back().place;
    };
  }
  auto up() {
    return [this](bool is_up) {
      const std::lock_guard lock(mutex_);
      ups_ += is_up ? 'u' : 'd';
    };
  }
  std::string all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::string ups() const {
    const std::lock_guard lock(mutex_);
    return ups_;
  }
  NetworkPlace last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  std::string all_;
  std::string ups_;
  NetworkPlace last_;
};

}  // namespace

TEST_CASE("all entries come from the first on, in order, then those that are added") {
  ScriptedLedger ledger;
  const ScriptedPeer peer(ledger);
  const auto network = opened({&peer});
  add(ledger, 0);
  add(ledger, 1);
  Seen seen;
  auto following = network->follow({}, seen.take(), seen.up());
  CHECK(test::eventually([&] { return seen.all() == "ab"; }));
  add(ledger, 2);
  CHECK(test::eventually([&] { return seen.all() == "abc"; }));
  CHECK(seen.ups() == "u");
  CHECK(seen.last().block == 7);
  CHECK(seen.last().transaction == std::string(64, 'c'));
  // Behind the second one.
  Seen later;
  const auto other =
      network->follow({{6, std::string(64, 'b'), "default"}}, later.take(), later.up());
  CHECK(test::eventually([&] { return later.all() == "c"; }));
  following.reset();
  add(ledger, 3);
  CHECK(test::eventually([&] { return later.all() == "cd"; }));
  CHECK(seen.all() == "abc");
}

TEST_CASE("following goes on exactly where it was, over restarts and at another peer") {
  ScriptedLedger ledger;
  ScriptedPeer first(ledger);
  ScriptedPeer second(ledger);
  const auto network = opened({&first, &second});
  Seen seen;
  const auto following = network->follow({}, seen.take(), seen.up());
  std::string expected;
  for (int i = 0; i < 8; ++i) {
    add(ledger, i);
    expected += static_cast<char>('a' + i);
    CHECK(test::eventually([&] { return seen.all() == expected; }));
    ScriptedPeer& one = i % 2 == 0 ? first : second;
    one.stop();
    if (i == 5) {
      // Both are away for a while.
      first.stop();
      CHECK(test::eventually([&] { return seen.ups().ends_with("d"); }));
      add(ledger, ++i);
      expected += static_cast<char>('a' + i);
      first.start();
    }
    one.start();
  }
  CHECK(test::eventually([&] { return seen.all() == expected; }));
  CHECK(second.streams > 0);
}

TEST_CASE("a peer whose ledger does not hold the last entry is told, and nothing of it is taken") {
  ScriptedLedger own;
  ScriptedLedger other;
  add(own, 0);
  add(own, 1);
  add(other, 2);
  add(other, 3);
  add(other, 4);
  ScriptedPeer liar(other);
  const auto network = opened({&liar});
  Seen seen;
  {
    const auto following =
        network->follow({{6, std::string(64, 'b'), "default"}}, seen.take(), seen.up());
    CHECK(test::eventually([&] { return liar.streams >= 3; }));
  }
  CHECK(seen.all().empty());
  CHECK(seen.ups().starts_with("ud"));
  // One that has it goes on.
  const ScriptedPeer right(own);
  const auto both = opened({&liar, &right});
  add(own, 5);
  const auto following =
      both->follow({{6, std::string(64, 'b'), "default"}}, seen.take(), seen.up());
  CHECK(test::eventually([&] { return seen.all() == "f"; }));
}

TEST_CASE("a peer that does not serve the channel is not up") {
  ScriptedLedger ledger;
  ScriptedPeer peer(ledger);
  peer.set({.evaluate = [](grpc::ServerContext&) {
    return grpc::Status(grpc::FAILED_PRECONDITION, "no combination of peers can be derived");
  }});
  const auto network = opened({&peer});
  Seen seen;
  const auto following = network->follow({}, seen.take(), seen.up());
  CHECK(test::eventually([&] { return peer.evaluates >= 3; }));
  CHECK(peer.streams == 0);
  CHECK(seen.ups() == "d");
  add(ledger, 0);
  peer.set({});
  CHECK(test::eventually([&] { return seen.all() == "a"; }));
  CHECK(seen.ups() == "du");
}

TEST_CASE("a follower may outlive its network, and its end waits for what is taken") {
  ScriptedLedger ledger;
  const ScriptedPeer peer(ledger);
  auto network = opened({&peer});
  std::atomic<bool> is_taking = false;
  std::atomic<bool> is_done = false;
  std::atomic<bool> may_end = false;
  auto following = network->follow(
      {},
      [&](const std::vector<NetworkEntry>&) {
        is_taking = true;
        test::eventually([&] { return may_end.load(); });
        is_done = true;
      },
      [](bool) {});
  network.reset();
  add(ledger, 0);
  CHECK(test::eventually([&] { return is_taking.load(); }));
  may_end = true;
  following.reset();
  CHECK(is_done);
}
