// A store before a remote ledger.
#pragma once

#include <future>
#include <utility>
#include <vector>

#include "tests/gateway/store_fixture.h"

namespace flora::store::test {

/// Open; settlements are durable when they return.
class RemoteStore : public TestStore {
 public:
  RemoteStore() {
    const auto opened = open();
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  }

  void settle(std::vector<outbox::Settlement> settlements) {
    std::promise<Result<void>> promise;
    auto done = promise.get_future();
    store->settle(std::move(settlements),
                  [&promise](const Result<void>& result) { promise.set_value(result); });
    REQUIRE(done.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    CHECK(done.get().has_value());
  }

  Result<outbox::Row> reopen_failed(const Uuid& id) {
    std::promise<Result<outbox::Row>> promise;
    auto done = promise.get_future();
    store->reopen_failed(
        id, [&promise](Result<outbox::Row> row) { promise.set_value(std::move(row)); });
    REQUIRE(done.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    return done.get();
  }

  std::vector<std::int64_t> numbers() {
    const auto rows = store->rows(0, 1000);
    REQUIRE(rows.has_value());
    std::vector<std::int64_t> numbers;
    for (const outbox::Row& row : *rows) numbers.push_back(row.number);
    return numbers;
  }
};

}  // namespace flora::store::test
