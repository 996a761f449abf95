#include "gateway/erasure/retention.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "gateway/audit/record.h"
#include "gateway/base/log.h"
#include "gateway/erasure/copies.h"

namespace flora::erasure {
namespace {

constexpr std::size_t kPage = 256;

// Each group is erased within one commit, or few: intake goes on between them.
constexpr std::size_t kAtOnce = 16;

constexpr std::chrono::milliseconds kDay = std::chrono::hours(24);

std::chrono::milliseconds pause_of(const std::optional<Period>& period) {
  if (!period || period->unit != Period::Unit::seconds) return kDay;
  return std::min<std::chrono::milliseconds>(kDay, std::chrono::seconds(period->count));
}

void tell(const char* what, const Error& error) {
  log::write(log::Level::error, what,
             {{"reason", to_string(error.code)}, {"detail", std::string_view(error.message)}});
}

}  // namespace

struct Retention::Shared {
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;

  bool is_stopping() {
    const std::lock_guard lock(mutex);
    return stopping;
  }
};

Retention::Retention(Parts parts, Rules rules, Instant last_recorded, Env& env)
    : parts_(parts),
      rules_(std::move(rules)),
      env_(env),
      last_now_(last_recorded.ms == 0 ? Instant{env.now_ms()} : last_recorded),
      last_steady_ns_(env.steady_ns()),
      shared_(std::make_shared<Shared>()) {}

Retention::~Retention() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Retention::start() {
  thread_ = std::thread([this] { loop(); });
}

void Retention::loop() {
  const std::chrono::milliseconds pause = pause_of(rules_.periods.mapping);
  while (true) {
    run();
    std::unique_lock lock(shared_->mutex);
    if (shared_->wake.wait_for(lock, pause, [this] { return shared_->stopping; })) return;
  }
}

RetentionRun Retention::run() {
  RetentionRun run;
  const bool leapt = clock_has_leapt();
  const Instant now = last_now_;
  if (leapt) {
    run.put_off = true;
    log::write(log::Level::warning,
               "retention: put off, the clock is more than a day ahead of what was last seen");
  } else {
    expire_mappings(now, run);
    delete_copies(now, run);
  }
  count(run, now);
  if (run.erased + run.open + run.copies + run.failed > 0) {
    log::write(log::Level::info, "retention: what is due was erased",
               {{"erased", static_cast<std::int64_t>(run.erased)},
                {"open", static_cast<std::int64_t>(run.open)},
                {"copies_deleted", static_cast<std::int64_t>(run.copies)},
                {"failed", static_cast<std::int64_t>(run.failed)}});
  }
  return run;
}

bool Retention::clock_has_leapt() {
  const Instant now{env_.now_ms()};
  const std::int64_t steady = env_.steady_ns();
  const std::int64_t passed = (steady - last_steady_ns_) / 1'000'000;
  const std::int64_t leap = now.ms - last_now_.ms - passed;
  last_now_ = now;
  last_steady_ns_ = steady;
  return leap > kDay.count();
}

// In the order in which the ends were recorded: nothing is due before its period has passed since.
void Retention::expire_mappings(Instant now, RetentionRun& run) {
  if (!rules_.periods.mapping) return;
  std::set<Uuid> seen;
  std::vector<Order> orders;
  std::optional<view::EndingEntry> after;
  for (bool more = true; more;) {
    const auto page = parts_.index->ending_entries(after, kPage);
    if (!page) {
      ++run.failed;
      tell("retention: the read model does not answer", page.error());
      break;
    }
    more = page->size() == kPage;
    for (const view::EndingEntry& one : *page) {
      if (shared_->is_stopping()) return;
      after = one;
      if (end_of(one.recorded, *rules_.periods.mapping) > now) {
        more = false;
        break;
      }
      const Result<bool> added = add_if_due(one.procedure, now, seen, orders);
      if (!added) {
        ++run.failed;
        tell("retention: the entries of a procedure cannot be read", added.error());
      }
      if (orders.size() == kAtOnce) erase(std::exchange(orders, {}), run);
    }
  }
  erase(std::move(orders), run);
}

// True if it was.
Result<bool> Retention::add_if_due(const Uuid& procedure, Instant now, std::set<Uuid>& seen,
                                   std::vector<Order>& orders) {
  if (!seen.insert(procedure).second) return false;
  FLORA_ASSIGN(const auto entries, view::joined_entries({parts_.index, parts_.ledger}, procedure));
  const auto expiry = expiry_of(entries, *parts_.catalogue, *rules_.periods.mapping);
  if (!expiry || expiry->at > now) return false;
  seen.insert(expiry->procedures.begin(), expiry->procedures.end());
  orders.push_back({procedure, expiry->transactions});
  return true;
}

void Retention::erase(std::vector<Order> orders, RetentionRun& run) {
  if (orders.empty()) return;
  const auto answers = std::make_shared<std::vector<Result<void>>>();
  const std::size_t count = orders.size();
  for (Order& one : orders) {
    store::ErasureOrder order{one.procedure, rules_.authority,
                              audit::own_opening(audit::Action::expire), std::move(one.known)};
    parts_.eraser->erase(std::move(order), [shared = shared_, answers](const Result<void>& erased) {
      const std::lock_guard lock(shared->mutex);
      answers->push_back(erased);
      shared->wake.notify_all();
    });
  }
  std::unique_lock lock(shared_->mutex);
  shared_->wake.wait(lock, [&] { return shared_->stopping || answers->size() == count; });
  for (const Result<void>& erased : *answers) {
    // The store does not hold what is not found.
    if (!erased && erased.error().code == Errc::not_found) continue;
    ++(erased ? run.erased : run.open);
    if (erased || erased.error().code == Errc::conflict) continue;
    ++run.failed;
    tell("retention: an erasure is not finished", erased.error());
  }
}

void Retention::delete_copies(Instant now, RetentionRun& run) {
  for (const std::string& database : rules_.databases) {
    const auto copies = copies_beside(database);
    if (!copies) {
      ++run.failed;
      tell("retention: a folder cannot be read", copies.error());
      continue;
    }
    for (const Copy& copy : *copies) {
      if (shared_->is_stopping()) return;
      if (end_of(copy.made, rules_.periods.copies) > now) continue;
      const Result<void> gone = destroy_database(copy.path);
      ++(gone ? run.copies : run.failed);
      if (!gone) tell("retention: a copy cannot be deleted", gone.error());
    }
  }
}

void Retention::count(const RetentionRun& run, Instant now) {
  const std::lock_guard lock(counters_mutex_);
  counters_.erased += run.erased;
  counters_.copies += run.copies;
  counters_.failed += run.failed;
  if (run.put_off) {
    ++counters_.put_off;
    return;
  }
  counters_.open = run.open;
  counters_.last_run = now;
}

RetentionCounters Retention::counters() const {
  const std::lock_guard lock(counters_mutex_);
  return counters_;
}

}  // namespace flora::erasure
