// The store's outbox before a remote ledger: what becomes of single rows, and of erasures with
// them.
#include <algorithm>
#include <future>

#include "gateway/base/sqlite.h"
#include "tests/gateway/remote_store.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;
using outbox::Settlement;

TEST_CASE("a nonce is stored with what is accepted, the same after a restart and for a repeat") {
  RemoteStore fixture;
  const Accepted accepted = fixture.added(draft("a", by({azr("1")})));
  const Accepted other = fixture.added(draft("b", by({azr("2")})));
  CHECK(accepted.nonce != outbox::Nonce{});
  CHECK(accepted.nonce != other.nonce);
  CHECK(fixture.accepted(draft("a", by({azr("1")}))).nonce == accepted.nonce);
  fixture.reopen();
  const auto rows = fixture.store->rows(0, 10);
  REQUIRE(rows->size() == 2);
  CHECK(rows->front().nonce == accepted.nonce);
  CHECK(rows->front().body == accepted.body);
  CHECK(fixture.store->rows(accepted.number, 10)->size() == 1);
}

TEST_CASE("rows are settled one by one, in any order, durably") {
  RemoteStore fixture;
  std::vector<Accepted> accepted;
  for (const char* id : {"a", "b", "c", "d"}) {
    accepted.push_back(fixture.added(draft(id, by({azr(id)}))));
  }
  const outbox::Nonce renewed = {std::byte{9}};
  fixture.settle({{accepted[2].number, Settlement::Kind::committed, {}, {}},
                  {accepted[1].number, Settlement::Kind::failed, "not-entitled", {}},
                  {accepted[0].number, Settlement::Kind::renewed, {}, renewed},
                  {4711, Settlement::Kind::committed, {}, {}}});
  for (int life = 0; life < 2; ++life) {
    CHECK(fixture.numbers() == std::vector{accepted[0].number, accepted[3].number});
    CHECK(fixture.store->rows(0, 1)->front().nonce == renewed);
    CHECK(fixture.store->outbox_size() == 3);
    const auto failed = fixture.store->failed_rows();
    REQUIRE(failed->size() == 1);
    CHECK(failed->front().id == accepted[1].transaction_id);
    CHECK(failed->front().reason == "not-entitled");
    CHECK(failed->front().body == accepted[1].body);
    CHECK(fixture.store->failed(0, 10)->size() == 1);
    CHECK(fixture.store->failed(accepted[1].number, 10)->empty());
    CHECK((*fixture.store->find_in_outbox(accepted[1].transaction_id))->failed == "not-entitled");
    CHECK((*fixture.store->find_in_outbox(accepted[0].transaction_id))->failed.empty());
    fixture.reopen();
  }
  CHECK_FALSE(fixture.reopen_failed(accepted[0].transaction_id).has_value());
  const auto row = fixture.reopen_failed(accepted[1].transaction_id);
  REQUIRE(row.has_value());
  CHECK(row->nonce != accepted[1].nonce);
  CHECK(row->body == accepted[1].body);
  CHECK(fixture.reopen_failed(accepted[1].transaction_id).error().code == Errc::not_found);
  fixture.reopen();
  CHECK(fixture.numbers().size() == 3);
  CHECK(fixture.store->rows(row->number - 1, 1)->front().nonce == row->nonce);
}

TEST_CASE("a mapping goes when its tombstone is settled, with what was refused of it, alone") {
  RemoteStore fixture;
  const Accepted refused = fixture.added(draft("a", by({azr("1")})));
  const Accepted other = fixture.added(draft("b", by({azr("2")})));
  fixture.settle({{refused.number, Settlement::Kind::failed, "not-entitled", {}},
                  {other.number, Settlement::Kind::failed, "not-entitled", {}}});
  std::promise<std::vector<Accepted>> begun;
  std::promise<Result<void>> ended;
  auto done = ended.get_future();
  fixture.store->erase(
      {refused.procedure, std::string(kBamf),
       audit::opening({"eraser", {std::string(kBamf)}, "BAMF"}, audit::Action::erase)},
      [&begun](const Result<std::vector<Accepted>>& tombstones) { begun.set_value(*tombstones); },
      [&ended](const Result<void>& result) { ended.set_value(result); });
  const std::vector<Accepted> tombstones = begun.get_future().get();
  REQUIRE(tombstones.size() == 1);
  CHECK(tombstones.front().nonce != outbox::Nonce{});
  CHECK(done.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  CHECK(fixture.find({azr("1")}).has_value());

  fixture.settle({{tombstones.front().number, Settlement::Kind::committed, {}, {}}});
  REQUIRE(done.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
  CHECK(done.get().has_value());
  CHECK_FALSE(fixture.find({azr("1")}).has_value());
  CHECK(fixture.find({azr("2")}).has_value());
  const auto failed = fixture.store->failed_rows();
  REQUIRE(failed->size() == 1);
  CHECK(failed->front().id == other.transaction_id);
  CHECK(fixture.store->outbox_size() == 1);
}

TEST_CASE("rows of an older store get a nonce") {
  RemoteStore fixture;
  const Accepted accepted = fixture.added(draft("a", by({azr("1")})));
  fixture.close();
  {
    auto database = sqlite::Database::open(fixture.options.path, sqlite::Mode::read_write);
    REQUIRE(database.has_value());
    REQUIRE(database
                ->execute("DROP INDEX outbox_failed; ALTER TABLE outbox DROP COLUMN nonce; "
                          "ALTER TABLE outbox DROP COLUMN failed; "
                          "ALTER TABLE outbox DROP COLUMN channels; "
                          "ALTER TABLE procedure DROP COLUMN channels; "
                          "DROP TABLE purged_copy")
                .has_value());
    REQUIRE(database->set_schema_version(5).has_value());
  }
  REQUIRE(fixture.open().has_value());
  const auto rows = fixture.store->rows(0, 10);
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().id == accepted.transaction_id);
  CHECK(rows->front().nonce != outbox::Nonce{});
}
