#include "gateway/intake/local_forwarder.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/model/transaction.h"

namespace flora::intake {
namespace {

constexpr std::size_t kChunk = 1024;
constexpr std::chrono::seconds kRetryAfter{1};

}  // namespace

LocalForwarder::LocalForwarder(store::Store& store, Ledger& ledger, view::ProcedureIndex& index)
    : store_(store), ledger_(ledger), index_(index), retry_thread_([this] { retry_loop(); }) {}

LocalForwarder::~LocalForwarder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  retry_thread_.join();
  under_way_.wait();
}

Result<void> LocalForwarder::recover() {
  FLORA_ASSIGN(const std::int64_t last, submit_outbox());
  store_.committed_through(last);
  return {};
}

// How long it takes is a matter of the disk: nobody needs patience.
void LocalForwarder::forward(const std::vector<store::Accepted>& accepted,
                             std::optional<std::chrono::milliseconds> /*patience*/, Done done) {
  std::vector<Pending> pending;
  pending.reserve(accepted.size());
  for (const store::Accepted& one : accepted) {
    pending.push_back({one.number, one.transaction_id, one.body, one.procedure, one.merged_into,
                       one.tombstone, one.status, one.recorded});
  }
  submit(std::move(pending), [done = std::move(done)](std::vector<Result<Position>> positions) {
    std::vector<Fate> fates;
    fates.reserve(positions.size());
    for (Result<Position>& one : positions) {
      fates.push_back(one ? Fate(OnLedger{std::move(*one)}) : Fate(OnItsWay{}));
    }
    done(std::move(fates));
  });
}

void LocalForwarder::retry(const Uuid& /*transaction_id*/,
                           std::function<void(const Result<void>&)> done) {
  done(Error{Errc::not_found, "no transaction of this id has failed"});
}

void LocalForwarder::submit(std::vector<Pending> pending, Submitted done) {
  std::vector<LedgerEntry> batch;
  batch.reserve(pending.size());
  for (Pending& one : pending) batch.push_back({one.transaction_id, std::move(one.body)});
  auto kept = std::make_shared<std::vector<Pending>>(std::move(pending));
  Submitted last = [ticket = under_way_.ticket(), done = std::move(done)](auto positions) {
    done(std::move(positions));
  };
  ledger_.submit(std::move(batch), [this, kept, last = std::move(last)](auto positions) {
    finished(*kept, std::move(positions), last);
  });
}

// On the ledger's thread, in the order of submission.
void LocalForwarder::finished(const std::vector<Pending>& pending,
                              std::vector<Result<Position>> positions, Submitted done) {
  std::vector<view::IndexedEntry> indexed;
  bool failed = false;
  std::int64_t highest = 0;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (!positions[i]) {
      failed = true;
      continue;
    }
    highest = std::max(highest, pending[i].number);
    indexed.push_back({positions[i]->index, pending[i].transaction_id, pending[i].procedure,
                       pending[i].merged_into, pending[i].tombstone, pending[i].status,
                       pending[i].recorded});
  }
  {
    const std::lock_guard lock(mutex_);
    if (failed) {
      ++failures_;
      stalled_ = true;
    }
    // Behind a gap nothing leaves the outbox until the gap is closed.
    if (!stalled_ && highest > 0) store_.committed_through(highest);
  }
  if (failed) wake_.notify_one();
  auto kept = std::make_shared<std::vector<Result<Position>>>(std::move(positions));
  index_.append(std::move(indexed), [kept, done = std::move(done)] { done(std::move(*kept)); });
}

// Everything in the outbox, in order; repeats are no harm. The number of the last one.
Result<std::int64_t> LocalForwarder::submit_outbox() {
  std::int64_t after = 0;
  while (true) {
    FLORA_ASSIGN(const std::vector<store::OutboxEntry> entries, store_.outbox(after, kChunk));
    if (entries.empty()) return after;
    after = entries.back().number;
    std::vector<Pending> pending;
    for (const store::OutboxEntry& entry : entries) {
      FLORA_ASSIGN(const EntryContent content, parse_entry(entry.body));
      Pending& one = pending.emplace_back();
      one.number = entry.number;
      one.transaction_id = entry.transaction_id;
      one.body = entry.body;
      if (const auto* tombstone = std::get_if<Tombstone>(&content)) {
        one.procedure = tombstone->procedure;
        one.tombstone = true;
      } else {
        const auto& transaction = std::get<Transaction>(content);
        one.procedure = transaction.procedure;
        one.merged_into = transaction.merged_into;
        one.status = transaction.status;
        one.recorded = transaction.recorded_at;
      }
    }
    auto promise = std::make_shared<std::promise<std::optional<Error>>>();
    auto outcome = promise->get_future();
    submit(std::move(pending), [promise](std::vector<Result<Position>> positions) {
      std::optional<Error> first;
      for (const Result<Position>& position : positions) {
        if (!position && !first) first = position.error();
      }
      promise->set_value(first);
    });
    if (std::optional<Error> error = outcome.get()) return std::move(*error);
  }
}

void LocalForwarder::retry_loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!stalled_) {
      wake_.wait(lock, [this] { return stopping_ || stalled_; });
      continue;
    }
    wake_.wait_for(lock, kRetryAfter, [this] { return stopping_; });
    if (stopping_) return;
    const std::uint64_t failures = failures_;
    lock.unlock();
    const Result<std::int64_t> last = submit_outbox();
    lock.lock();
    if (last && failures_ == failures) {
      // All that was accepted up to here is on the ledger, and what came since did not fail.
      stalled_ = false;
      store_.committed_through(*last);
    } else if (!last) {
      log::write(log::Level::warning, "outbox: the ledger does not take transactions",
                 {{"reason", to_string(last.error().code)}, {"waiting", store_.outbox_size()}});
    }
  }
}

}  // namespace flora::intake
