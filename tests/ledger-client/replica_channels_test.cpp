// The local copy of a network of several channels.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gateway/model/transaction.h"
#include "ledger-client/outbox/replica.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using outbox::NetworkEntry;
using outbox::NetworkPlace;

namespace {

NetworkEntry entry_at(const LedgerEntry& entry, std::uint64_t block, const std::string& channel) {
  return {{block, "tx-" + std::to_string(block), channel}, entry.body, "peer"};
}

}  // namespace

TEST_CASE("the local copy has an entry of two channels once, and each channel's last place") {
  const Folder folder;
  const std::string path = folder.path("copy.db");
  auto replica = *outbox::Replica::open(path, "test");
  const LedgerEntry a = transaction_of(1);
  const LedgerEntry b = transaction_of(2);
  REQUIRE(replica->take({entry_at(a, 3, "ni")}).has_value());
  REQUIRE(replica->take({entry_at(b, 7, "sn"), entry_at(a, 8, "sn")}).has_value());
  REQUIRE(replica->take({entry_at(b, 9, "ni")}).has_value());
  const std::string name = replica->name();
  for (int round = 0; round < 2; ++round) {
    CHECK(replica->size() == 2);
    CHECK(replica->held(a.id)->entry.place.channel == "ni");
    CHECK(replica->held(a.id)->entry.place.block == 3);
    CHECK(replica->held(b.id)->entry.place.channel == "sn");
    const std::vector<NetworkPlace> last = replica->last();
    REQUIRE(last.size() == 2);
    CHECK(last[0].channel == "ni");
    CHECK(last[0].block == 9);
    CHECK(last[1].channel == "sn");
    CHECK(last[1].transaction == "tx-8");
    CHECK(replica->name() == name);
    CHECK(replica->is_complete() == (round == 1));
    CHECK(replica->newest() == parse_transaction(b.body)->recorded_at);
    REQUIRE(replica->complete().has_value());
    replica = *outbox::Replica::open(path, "test");
  }
  replica = *outbox::Replica::open(path, "other channels");
  CHECK(replica->size() == 0);
  CHECK(replica->last().empty());
  CHECK(replica->name() != name);
  CHECK_FALSE(replica->is_complete());
  CHECK(replica->newest() == Instant{});
}

TEST_CASE("the copy has an entry as the channel tells of it that its text names") {
  const Folder folder;
  const std::string path = folder.path("copy.db");
  auto replica = *outbox::Replica::open(path, "test");
  const LedgerEntry entry = naming(transaction_of(1), "ni");
  REQUIRE(replica->take({entry_at(entry, 7, "sn")}).has_value());
  CHECK(replica->held(entry.id)->entry.place.channel == "sn");
  REQUIRE(replica->take({entry_at(entry, 3, "ni")}).has_value());
  REQUIRE(replica->take({entry_at(entry, 7, "sn"), entry_at(entry, 8, "sn")}).has_value());
  CHECK(replica->size() == 1);
  CHECK(replica->held(entry.id)->entry.place.channel == "ni");
  CHECK(replica->held(entry.id)->entry.place.transaction == "tx-3");
}

TEST_CASE("different entries of one id are one entry, the first") {
  const Folder folder;
  auto replica = *outbox::Replica::open(folder.path("copy.db"), "test");
  const LedgerEntry first = naming(transaction_of(1), "ni");
  REQUIRE(replica->take({entry_at(first, 7, "sn")}).has_value());
  REQUIRE(replica->take({entry_at(naming(transaction_of(1, 1, 5), "ni"), 3, "ni")}).has_value());
  CHECK(replica->size() == 1);
  CHECK(replica->held(first.id)->entry.body == first.body);
  CHECK(replica->held(first.id)->entry.place.channel == "sn");
}

TEST_CASE("a correction that comes by its channel before the entry of another is taken") {
  const Folder folder;
  auto replica = *outbox::Replica::open(folder.path("copy.db"), "test");
  REQUIRE(replica->take({entry_at(correction_of(2, 1, 1), 1, "sn")}).has_value());
  REQUIRE(replica->take({entry_at(transaction_of(1), 1, "ni")}).has_value());
  CHECK(replica->size() == 2);
  CHECK(*replica->find(id_of(1)) == 1);
}
