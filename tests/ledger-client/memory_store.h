// The rows of a store, in memory.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/env.h"
#include "ledger-client/ledger.h"
#include "ledger-client/outbox/outbox_store.h"

namespace flora::test {

inline constexpr std::chrono::seconds kPatience{60};

/// They survive an outbox. Settlements are durable at once, and told on a thread of their own.
/// Thread-safe.
class MemoryStore final : public outbox::OutboxStore {
 public:
  MemoryStore() : thread_([this] { run(); }) {}
  ~MemoryStore() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  outbox::Row add(std::int64_t number, const LedgerEntry& entry,
                  std::vector<std::string> channels = {}) {
    outbox::Row row{number, entry.id, entry.body, {}, std::move(channels)};
    Env::system().random(row.nonce);
    const std::lock_guard lock(mutex_);
    rows_[number] = row;
    return row;
  }

  void settle(std::vector<outbox::Settlement> settlements,
              std::function<void(const Result<void>&)> done) override {
    const std::lock_guard lock(mutex_);
    const bool fails = failing_ > 0;
    Result<void> result;
    if (is_over_) {
      result = Error{Errc::conflict, "another one has the turn"};
    } else if (fails) {
      --failing_;
      result = Error{Errc::overloaded, "the disk is full"};
    } else {
      for (const outbox::Settlement& one : settlements) apply(one);
    }
    told_.push_back([result, done = std::move(done)](const Result<void>&) { done(result); });
    wake_.notify_all();
  }

  /// From now on settlements are another one's.
  void end_turn() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }

  /// The next so many settlements are not written.
  void fail_settlements(int count) {
    const std::lock_guard lock(mutex_);
    failing_ = count;
  }

  Result<std::vector<outbox::Row>> rows(std::int64_t after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<outbox::Row> rows;
    for (auto row = rows_.upper_bound(after); row != rows_.end() && rows.size() < limit; ++row) {
      const auto failed = failed_.find(row->first);
      if (failed == failed_.end() || failed->second.empty()) rows.push_back(row->second);
    }
    most_read_ = std::max(most_read_, rows.size());
    return rows;
  }

  Result<std::vector<outbox::Failed>> failed_rows() override {
    const std::lock_guard lock(mutex_);
    std::vector<outbox::Failed> failed;
    for (const auto& [number, reason] : failed_) {
      failed.push_back({rows_[number].id, reason, rows_[number].body});
    }
    return failed;
  }

  outbox::Row reopen(std::int64_t number) {
    const std::lock_guard lock(mutex_);
    failed_.erase(number);
    Env::system().random(rows_[number].nonce);
    return rows_[number];
  }

  /// As a store that is shared does it: it stays among the failed rows, without a reason.
  void reopen_behind(std::int64_t number, std::int64_t behind) {
    const std::lock_guard lock(mutex_);
    failed_.erase(number);
    failed_[behind] = {};
    outbox::Row row = rows_.extract(number).mapped();
    row.number = behind;
    Env::system().random(row.nonce);
    rows_[behind] = row;
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return rows_.size();
  }
  void wait_for_size(std::size_t size) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, kPatience, [&] { return rows_.size() == size; }));
  }
  std::size_t told() {
    const std::lock_guard lock(mutex_);
    return told_count_;
  }
  std::map<std::int64_t, std::string> failed() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }
  std::size_t renewed() {
    const std::lock_guard lock(mutex_);
    return renewed_;
  }

 private:
  void apply(const outbox::Settlement& one) {
    const auto row = rows_.find(one.number);
    if (row == rows_.end()) return;
    switch (one.kind) {
      case outbox::Settlement::Kind::committed:
        rows_.erase(row);
        failed_.erase(one.number);
        break;
      case outbox::Settlement::Kind::failed:
        failed_[one.number] = one.reason;
        break;
      case outbox::Settlement::Kind::renewed:
        row->second.nonce = one.nonce;
        ++renewed_;
        break;
    }
    changed_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !told_.empty(); });
      if (told_.empty()) return;
      const auto done = std::move(told_.front());
      told_.erase(told_.begin());
      lock.unlock();
      done({});
      lock.lock();
      ++told_count_;
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::int64_t, outbox::Row> rows_;
  std::map<std::int64_t, std::string> failed_;
  std::size_t renewed_ = 0;
  std::size_t most_read_ = 0;
  int failing_ = 0;
  std::size_t told_count_ = 0;
  bool is_over_ = false;
  std::vector<std::function<void(const Result<void>&)>> told_;
  std::thread thread_;
};

}  // namespace flora::test
