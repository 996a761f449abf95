// Who waits for what becomes of a transaction.
#include "ledger-client/outbox/waiters.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>

#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using namespace std::chrono_literals;
using outbox::Waiters;

namespace {

std::future<outbox::Fate> fate_of(Waiters& waiters, const Uuid& id,
                                  std::chrono::milliseconds patience) {
  auto promise = std::make_shared<std::promise<outbox::Fate>>();
  waiters.await(id, patience,
                [promise](outbox::Fate fate) { promise->set_value(std::move(fate)); });
  return promise->get_future();
}

struct Fixture {
  Folder folder;
  std::unique_ptr<outbox::Replica> replica =
      std::move(outbox::Replica::open(folder.path("copy.db"), "test").value());
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "the end of somebody's patience is when the store is asked for a refusal") {
  Waiters waiters(*replica, [](const Uuid& id) {
    return id == id_of(1) ? std::optional<std::string>("not-entitled") : std::nullopt;
  });
  const outbox::Fate refused = fate_of(waiters, id_of(1), 5ms).get();
  REQUIRE(std::holds_alternative<outbox::Refused>(refused));
  CHECK(std::get<outbox::Refused>(refused).reason == "not-entitled");
  CHECK(std::holds_alternative<outbox::Pending>(fate_of(waiters, id_of(2), 5ms).get()));
}

TEST_CASE_FIXTURE(Fixture,
                  "all who wait are told: what has arrived, what was refused, and the end") {
  auto waiters = std::make_unique<Waiters>(*replica);
  auto first = fate_of(*waiters, id_of(1), 1h);
  auto again = fate_of(*waiters, id_of(1), 1h);
  auto second = fate_of(*waiters, id_of(2), 1h);
  auto third = fate_of(*waiters, id_of(3), 1h);
  waiters->arrived({{7, id_of(1), body_of(1)}});
  CHECK(std::get<outbox::Committed>(first.get()).index == 7);
  CHECK(std::get<outbox::Committed>(again.get()).index == 7);
  waiters->refused(id_of(2), "not-entitled");
  CHECK(std::holds_alternative<outbox::Refused>(second.get()));
  waiters.reset();
  CHECK(std::holds_alternative<outbox::Pending>(third.get()));
}

TEST_CASE_FIXTURE(Fixture, "one look asks whether a row has left, however many wait for it") {
  std::promise<void> looked;
  std::promise<void> go_on;
  auto is_looked = looked.get_future();
  auto may_go_on = go_on.get_future().share();
  std::atomic<int> looks = 0;
  std::atomic<int> pending = 0;
  std::promise<void> all;
  Waiters waiters(*replica, {}, [&](const Uuid&) {
    if (looks++ > 0) return false;
    looked.set_value();
    may_go_on.wait();
    return false;
  });
  const auto wait = [&](std::chrono::milliseconds patience) {
    waiters.await_settled(id_of(1), patience, [&](const outbox::Fate& fate) {
      if (std::holds_alternative<outbox::Pending>(fate) && ++pending == 20) all.set_value();
    });
  };
  wait(1h);
  REQUIRE(is_looked.wait_for(60s) == std::future_status::ready);
  for (int i = 0; i < 20; ++i) wait(1ms);
  go_on.set_value();
  REQUIRE(all.get_future().wait_for(60s) == std::future_status::ready);
  CHECK(looks < 20);
}
