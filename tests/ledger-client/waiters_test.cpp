// Who waits for what becomes of a transaction.
#include "ledger-client/outbox/waiters.h"

#include <doctest/doctest.h>

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
