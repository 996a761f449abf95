#include "ledger-client/outbox/outbox.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/model/transaction.h"
#include "ledger-client/outbox/channels.h"
#include "ledger-client/outbox/routes.h"

namespace flora::outbox {
namespace {

// Of a try for which nobody was asked: the local copy has it.
constexpr std::string_view kInCopy = "in-copy";

// So many times Options::window are in memory at most, while nothing of that can be tried.
constexpr std::size_t kMostWindows = 10;

using Clock = std::chrono::steady_clock;

// What the schedule needs to know of a row's text.
struct Subject {
  Uuid procedure;
  std::string authority;
  std::optional<Uuid> refers;
  bool tombstone = false;
};

Result<Subject> subject_of(const std::string& body) {
  FLORA_ASSIGN(const EntryContent content, parse_entry(body));
  if (const auto* tombstone = std::get_if<Tombstone>(&content)) {
    return Subject{tombstone->procedure, tombstone->authority, {}, true};
  }
  const auto& transaction = std::get<Transaction>(content);
  return Subject{transaction.procedure, transaction.authority,
                 transaction.corrects ? transaction.corrects : transaction.revokes, false};
}

struct Task {
  Row row;
  Subject subject;
  std::size_t tries = 0;  // Since the last that found the network.
  std::size_t spent = 0;
};

// The rows of one procedure, in order; only the first is ever tried.
struct Chain {
  std::deque<Task> tasks;
  bool busy = false;  // The first is being tried, or waits for its new nonce or its time.
};

// What the network has refused.
struct Refusal {
  std::string reason;
  Uuid procedure;
};

}  // namespace

// Kept alive by the callbacks of the network and the store: after the end they find `stopping_`.
class Outbox::Core : public std::enable_shared_from_this<Core> {
 public:
  using Settled = std::function<void(bool durable)>;

  Core(Options options, OutboxStore& store, RemoteNetwork& network, Replica& replica, Env& env)
      : options_(std::move(options)),
        store_(store),
        network_(network),
        replica_(replica),
        env_(env),
        routes_(options_.breaker) {}

  Result<void> start() {
    FLORA_ASSIGN(const std::vector<Failed> failed, store_.failed_rows());
    for (const Failed& one : failed) {
      const Result<Subject> subject = subject_of(one.body);  // It may have failed for that.
      failed_.emplace(one.id, Refusal{one.reason, subject ? subject->procedure : Uuid{}});
    }
    {
      const std::lock_guard lock(mutex_);
      FLORA_TRY(refill());
    }
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    // A callback that is within this object now goes on to its end.
    const std::lock_guard settled(callbacks_);
  }

  void push(std::vector<Row> rows) {
    const std::lock_guard lock(mutex_);
    if (is_shared()) {
      behind_ = true;
      rows.clear();
    }
    for (Row& row : rows) {
      accepted_through_ = std::max(accepted_through_, row.number);
      if (row.number <= loaded_through_ || failed_.contains(row.id)) continue;
      // Behind a gap everything is read from the store, which keeps the order.
      if (in_memory_ >= options_.window || behind_) {
        behind_ = true;
        continue;
      }
      loaded_through_ = row.number;
      add(std::move(row));
    }
    wake_.notify_one();
  }

  void retry(Row row) {
    const std::lock_guard lock(mutex_);
    // Behind a gap it is read from the store in its place.
    if (row.number > loaded_through_ && behind_) return;
    loaded_through_ = std::max(loaded_through_, row.number);
    put_back(release_held(row.id));
    add(std::move(row), true);
    wake_.notify_one();
  }

  Activity activity() const {
    const std::lock_guard lock(mutex_);
    return {under_way_.size(),
            in_memory_ - under_way_.size(),
            failed_.size(),
            tries_,
            failures_ >= options_.breaker,
            network_.away()};
  }

  bool is_submitted(const Uuid& id) const {
    const std::lock_guard lock(mutex_);
    return submitted_.contains(id);
  }

 private:
  bool is_shared() const { return options_.look.count() > 0; }

  // Under the lock, like all until run().
  void add(Row row, bool again = false) {
    Result<Subject> subject = subject_of(row.body);
    // It goes with the mapping of its procedure.
    if (subject && buried_.contains(subject->procedure)) return;
    ++in_memory_;
    if (!subject) {
      // The store wrote it: nothing but damage makes it unreadable.
      settle_failed(row, {}, "unreadable");
      return;
    }
    put({std::move(row), std::move(*subject)}, again);
  }

  // A row that is known as failed has been opened again, by whomever: then it goes before what has
  // waited for it, and both before what refers to that.
  void add_read(Row row) {
    loaded_through_ = row.number;
    const bool reopened = failed_.contains(row.id);
    if (reopened) put_back(release_held(row.id));
    add(std::move(row), reopened);
  }

  void put_back(const std::vector<Task>& released) {
    for (const Task& task : released) put(task, true);
  }

  // What has waited for a transaction that is to be tried again.
  std::vector<Task> release_held(const Uuid& id) {
    failed_.erase(id);
    const auto held = held_.find(id);
    if (held == held_.end()) return {};
    std::vector<Task> released = std::move(held->second);
    held_.erase(held);
    for (const Task& task : released) held_behind_.erase(task.row.id);
    return released;
  }

  // Before what refers to it and is not being tried; else the end.
  static std::deque<Task>::iterator place_in(Chain& chain, const Task& task) {
    const bool tried = chain.busy && !chain.tasks.empty();
    return std::find_if(chain.tasks.begin() + (tried ? 1 : 0), chain.tasks.end(),
                        [&task](const Task& other) { return other.subject.refers == task.row.id; });
  }

  // At the end; what comes again goes before what refers to it.
  void put(Task task, bool again = false) {
    const Uuid procedure = task.subject.procedure;
    Chain& chain = chains_[procedure];
    chain.tasks.insert(again ? place_in(chain, task) : chain.tasks.end(), std::move(task));
    if (!chain.busy && chain.tasks.size() == 1) ready_.push_back(procedure);
  }

  // Also if all that is in memory waits for something else than its turn: it must not keep the
  // others away.
  bool wants_rows() const {
    const bool idle = ready_.empty() && under_way_.size() < options_.concurrency && !is_broken();
    const std::size_t most = idle ? kMostWindows * options_.window : options_.window / 2;
    return behind_ && in_memory_ < most;
  }

  // Up to the window, and beyond it by one step.
  Result<void> refill() {
    for (bool first = true; first || in_memory_ < options_.window; first = false) {
      const std::size_t limit = std::min<std::size_t>(1024, options_.window);
      FLORA_ASSIGN(std::vector<Row> rows, store_.rows(loaded_through_, limit));
      if (rows.empty()) {
        loaded_through_ = std::max(loaded_through_, accepted_through_);
        behind_ = false;
        return {};
      }
      for (Row& row : rows) add_read(std::move(row));
    }
    behind_ = true;
    return {};
  }

  // One step of what all have put into the store. It is read without the lock: whoever pushes must
  // not wait for a server.
  Result<void> look(std::unique_lock<std::mutex>& lock) {
    const std::size_t limit = std::min<std::size_t>(1024, options_.window);
    const std::int64_t after = loaded_through_;
    behind_ = false;
    lock.unlock();
    Result<std::vector<Row>> rows = store_.rows(after, limit);
    lock.lock();
    look_at_ = Clock::now() + options_.look;
    if (!rows || rows->size() == limit) behind_ = true;
    if (!rows) return rows.error();
    for (Row& row : *rows) add_read(std::move(row));
    return {};
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const Clock::time_point now = Clock::now();
      wake_resting(now);
      go_on(routes_.due(now));
      settle_again(now);
      if (is_shared() && now >= look_at_) behind_ = true;
      std::vector<Attempt> attempts = take_ready(now);
      const bool reads = wants_rows() && now >= refill_at_;
      if (!attempts.empty()) {
        lock.unlock();
        for (Attempt& attempt : attempts) send(std::move(attempt));
        lock.lock();
      }
      if (reads) refill_or_rest(now, lock);
      if (reads || !attempts.empty()) continue;
      if (const auto next = next_event()) {
        wake_.wait_until(lock, *next);
      } else {
        wake_.wait(lock);
      }
    }
  }

  void refill_or_rest(Clock::time_point now, std::unique_lock<std::mutex>& lock) {
    const Result<void> done = is_shared() ? look(lock) : refill();
    if (done) return;
    refill_at_ = now + (is_shared() ? options_.longest_pause / 8 : options_.longest_pause);
    log::write(log::Level::error, "outbox: rows cannot be read",
               {{"reason", to_string(done.error().code)}});
  }

  std::optional<Clock::time_point> next_event() const {
    std::optional<Clock::time_point> next;
    const auto earlier = [&next](Clock::time_point at) { next = next ? std::min(*next, at) : at; };
    if (!resting_.empty()) earlier(resting_.begin()->first);
    if (const auto probe = routes_.next()) earlier(*probe);
    if (!unsettled_.empty()) earlier(unsettled_.begin()->first);
    if (!ready_.empty() && !is_permitted()) {
      earlier(Clock::now() + options_.look);
    } else if (is_broken() && !ready_.empty() && under_way_.empty()) {
      earlier(probe_at_);
    }
    if (wants_rows()) earlier(refill_at_);
    if (is_shared() && !behind_) earlier(look_at_);
    return next;
  }

  void wake_resting(Clock::time_point now) {
    while (!resting_.empty() && resting_.begin()->first <= now) {
      const Uuid procedure = resting_.begin()->second;
      resting_.erase(resting_.begin());
      release(procedure);
    }
  }

  // The first of the chain may be tried.
  void release(const Uuid& procedure) {
    const auto chain = chains_.find(procedure);
    if (chain == chains_.end()) return;
    chain->second.busy = false;
    if (chain->second.tasks.empty()) {
      chains_.erase(chain);
    } else {
      ready_.push_back(procedure);
    }
  }

  bool is_broken() const { return failures_ >= options_.breaker; }

  bool is_permitted() const {
    return !over_ && (!options_.time_left || options_.time_left().count() > 0);
  }

  // While the breaker is open one try at a time looks whether the network is back.
  bool may_try(Clock::time_point now) const {
    if (!is_permitted()) return false;
    if (is_broken()) return under_way_.empty() && now >= probe_at_;
    return under_way_.size() < options_.concurrency;
  }

  std::vector<Attempt> take_ready(Clock::time_point now) {
    std::vector<Attempt> attempts;
    while (!ready_.empty()) {
      const Uuid procedure = ready_.front();
      const auto found = chains_.find(procedure);
      if (!has_more(found)) {
        ready_.pop_front();
        routes_.forget(procedure);
        continue;
      }
      const Task& task = found->second.tasks.front();
      const bool lets = routes_.lets(task.row.channels, procedure);
      if (lets && !may_try(now)) break;
      ready_.pop_front();
      if (!lets) {
        routes_.park(task.row.channels, procedure);
        continue;
      }
      routes_.begin(task.row.channels, procedure);
      found->second.busy = true;
      under_way_.emplace(task.row.id, procedure);
      submitted_.insert(task.row.id);
      ++tries_;
      attempts.push_back({task.row.id, task.subject.authority, task.row.body, task.row.nonce,
                          task.row.channels, options_.time_left});
    }
    return attempts;
  }

  // Whether a chain that is ready has a row to be tried.
  bool has_more(std::map<Uuid, Chain>::iterator chain) {
    if (chain == chains_.end() || chain->second.busy) return false;
    hold_back(chain->second);
    if (!chain->second.tasks.empty()) return true;
    chains_.erase(chain);
    return false;
  }

  void go_on(const std::vector<Uuid>& procedures) {
    ready_.insert(ready_.end(), procedures.begin(), procedures.end());
  }

  // What a try says of its route.
  void note_route(const std::vector<std::string>& route, const Outcome& outcome) {
    if (outcome.reason == kTurnOver || outcome.reason == kTooManyCalls ||
        outcome.reason == kInCopy) {
      return go_on(routes_.ended(route));
    }
    if (answers(outcome)) return go_on(routes_.found(route));
    go_on(routes_.missed(route, Clock::now(), [this](std::size_t times) { return pause(times); }));
  }

  // What corrects a transaction that has failed waits for it; the others of the chain do not.
  void hold_back(Chain& chain) {
    while (!chain.tasks.empty()) {
      Task& first = chain.tasks.front();
      if (!first.subject.refers) return;
      // A correction of what is held waits for the same failed one.
      const auto behind = held_behind_.find(*first.subject.refers);
      const Uuid failed = behind == held_behind_.end() ? *first.subject.refers : behind->second;
      if (!failed_.contains(failed)) return;
      held_behind_[first.row.id] = failed;
      held_[failed].push_back(std::move(first));
      chain.tasks.pop_front();
    }
  }

  // Without the lock. The local copy knows what was committed before a restart; of an entry of
  // several channels only that one of them has it, as may be one that names none of several.
  void send(Attempt attempt) {
    const Uuid id = attempt.id;
    if (attempt.channels.size() == 1 || (attempt.channels.empty() && network_.away().empty())) {
      const auto there = replica_.held(id);
      if (there && there->entry.body == attempt.body) {
        const std::lock_guard guard(callbacks_);
        return tried(id, {Outcome::Kind::committed, std::string(kInCopy), {}});
      }
    }
    network_.submit(std::move(attempt), [self = shared_from_this(), id](Outcome outcome) {
      const std::lock_guard guard(self->callbacks_);
      self->tried(id, outcome);
    });
  }

  void tried(const Uuid& id, const Outcome& outcome) {
    std::unique_lock lock(mutex_);
    const auto trying = under_way_.find(id);
    if (stopping_ || trying == under_way_.end()) return;
    const Uuid procedure = trying->second;
    under_way_.erase(trying);
    Chain& chain = chains_.at(procedure);
    Task& task = chain.tasks.front();
    note(outcome);
    note_route(task.row.channels, outcome);
    switch (outcome.kind) {
      case Outcome::Kind::committed: {
        const Task done = std::move(task);
        chain.tasks.pop_front();
        if (done.subject.tombstone) {
          forget_procedure(procedure);
          // What was to be tried again meanwhile; the store deletes it with the tombstone.
          in_memory_ -= chain.tasks.size();
          chain.tasks.clear();
          buried_.insert(procedure);
        }
        release(procedure);
        lock.unlock();
        await_copy(done);
        break;
      }
      case Outcome::Kind::refused:
        if (task.subject.tombstone) {
          keep_trying(procedure, task, outcome.reason);
        } else {
          fail(procedure, chain, outcome.reason);
        }
        break;
      case Outcome::Kind::spent:
        task.tries = 0;
        if (++task.spent >= options_.spent && !task.subject.tombstone) {
          fail(procedure, chain, outcome.reason);
        } else {
          renew(procedure, task);
        }
        break;
      case Outcome::Kind::unavailable:
      case Outcome::Kind::unknown:
        if (outcome.reason == kTurnOver) task.tries = 0;
        resting_.emplace(Clock::now() + pause(task.tries++), procedure);
        break;
    }
    if (lock.owns_lock()) lock.unlock();
    wake_.notify_one();
  }

  // An erasure is not given up, and nothing is accepted behind it: metrics tell that it is under
  // way.
  void keep_trying(const Uuid& procedure, Task& task, const std::string& reason) {
    if (task.tries == 0) {
      log::write(log::Level::error, "outbox: the network refuses an erasure",
                 {{"transaction", std::string_view(to_string(task.row.id))},
                  {"reason", std::string_view(reason)}});
    }
    resting_.emplace(Clock::now() + pause(task.tries++), procedure);
  }

  // Its mapping is about to be deleted, and with it what the network has refused of it.
  void forget_procedure(const Uuid& procedure) {
    std::erase_if(failed_, [&](const auto& one) { return one.second.procedure == procedure; });
    for (auto held = held_.begin(); held != held_.end();) {
      if (held->second.front().subject.procedure != procedure) {
        ++held;
        continue;
      }
      in_memory_ -= held->second.size();
      for (const Task& task : held->second) held_behind_.erase(task.row.id);
      held = held_.erase(held);
    }
  }

  // Whether the network was found decides about the breaker.
  void note(const Outcome& outcome) {
    if (outcome.reason == kTurnOver || outcome.reason == kChannelUnknown) return;
    if (outcome.reason == kInCopy) return;
    const bool nobody =
        outcome.kind == Outcome::Kind::unavailable || outcome.kind == Outcome::Kind::unknown;
    const bool found = outcome.reason == kChannelAway || answers(outcome);
    if (found && nobody && !is_broken()) return;
    const bool was_broken = is_broken();
    failures_ = found ? 0 : failures_ + 1;
    if (found) probes_ = 0;
    // Those that were under way when it opened count as one.
    if (is_broken() && under_way_.empty()) probe_at_ = Clock::now() + pause(probes_++);
    if (is_broken() == was_broken) return;
    if (was_broken) {
      log::write(log::Level::info, "outbox: the network takes transactions again");
    } else {
      log::write(log::Level::warning, "outbox: the network does not take transactions",
                 {{"reason", std::string_view(outcome.reason)}});
    }
  }

  // Doubled each time, half of it at random.
  std::chrono::microseconds pause(std::size_t times) {
    const auto longest = std::chrono::microseconds(options_.longest_pause);
    auto whole = std::chrono::microseconds(options_.first_pause);
    for (std::size_t i = 0; i < times && whole < longest; ++i) whole *= 2;
    whole = std::min(whole, longest);
    std::array<std::byte, 4> random{};
    env_.random(random);
    std::uint32_t part = 0;
    for (const std::byte byte : random) part = part << 8U | std::to_integer<std::uint32_t>(byte);
    return whole / 2 + std::chrono::microseconds(whole.count() / 2 * (part >> 8U) / (1U << 24U));
  }

  void fail(const Uuid& procedure, Chain& chain, const std::string& reason) {
    const Row row = std::move(chain.tasks.front().row);
    chain.tasks.pop_front();
    settle_failed(row, procedure, reason);
    release(procedure);
  }

  // Told when it is durable; a refusal that could not be written is found out anew after a restart.
  void settle_failed(const Row& row, const Uuid& procedure, const std::string& reason) {
    const Uuid& id = row.id;
    failed_.emplace(id, Refusal{reason, procedure});
    log::write(
        log::Level::error, "outbox: the network refuses a transaction",
        {{"transaction", std::string_view(to_string(id))}, {"reason", std::string_view(reason)}});
    settle({row.number, Settlement::Kind::failed, reason, {}}, [this, id, reason](bool durable) {
      leave(id);
      if (durable && options_.on_refused) options_.on_refused(id, reason);
    });
  }

  void renew(const Uuid& procedure, Task& task) {
    Nonce nonce;
    env_.random(nonce);
    task.row.nonce = nonce;
    settle({task.row.number, Settlement::Kind::renewed, {}, nonce},
           [this, procedure, tries = task.spent](bool durable) {
             const std::lock_guard lock(mutex_);
             // Without it the try would not be the one that is stored: the store is about to end.
             if (durable) resting_.emplace(Clock::now() + pause(tries - 1), procedure);
             wake_.notify_one();
           });
  }

  // A row leaves the outbox when readers find the entry in the local copy.
  void await_copy(const Task& task) {
    const Uuid id = task.row.id;
    const std::optional<Uuid> buried =
        task.subject.tombstone ? std::optional(task.subject.procedure) : std::nullopt;
    replica_.await(id, [self = shared_from_this(), id, number = task.row.number,
                        buried](const Result<std::uint64_t>& index) {
      const std::lock_guard guard(self->callbacks_);
      if (!index) return;
      const std::lock_guard lock(self->mutex_);
      if (self->stopping_) return;
      self->settle({number, Settlement::Kind::committed, {}, {}}, [self, id, buried](bool durable) {
        self->leave(id);
        if (durable && self->options_.on_settled) self->options_.on_settled(id);
        if (!buried) return;
        const std::lock_guard again(self->mutex_);
        self->buried_.erase(*buried);
      });
    });
  }

  void leave(const Uuid& id) {
    const std::lock_guard lock(mutex_);
    --in_memory_;
    submitted_.erase(id);
    wake_.notify_one();
  }

  // Under the lock or not; `then` is called without it, on the store's thread.
  // Again, if a full disk or the like has kept the store from it: it goes on.
  void settle(Settlement settlement, Settled then) {
    store_.settle({settlement}, [self = shared_from_this(), settlement,
                                 then = std::move(then)](const Result<void>& done) {
      const std::lock_guard guard(self->callbacks_);
      {
        const std::lock_guard lock(self->mutex_);
        if (self->stopping_) return;
        if (!done && done.error().code == Errc::conflict) {
          self->over_ = true;
          return;
        }
        if (!done && done.error().code != Errc::uncertain) {
          self->unsettled_.emplace(Clock::now() + self->options_.longest_pause / 8,
                                   std::pair(settlement, then));
          self->wake_.notify_one();
          return;
        }
      }
      then(done.has_value());
    });
  }

  void settle_again(Clock::time_point now) {
    while (!unsettled_.empty() && unsettled_.begin()->first <= now) {
      auto [settlement, then] = std::move(unsettled_.begin()->second);
      unsettled_.erase(unsettled_.begin());
      settle(std::move(settlement), std::move(then));
    }
  }

  const Options options_;
  OutboxStore& store_;
  RemoteNetwork& network_;
  Replica& replica_;
  Env& env_;

  std::recursive_mutex callbacks_;  // Held by each callback from outside.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool over_ = false;  // Another one brings the rows to the network now.
  std::map<Uuid, Chain> chains_;
  std::deque<Uuid> ready_;                          // Procedures whose first may be tried.
  Routes routes_;                                   // Has procedures that may not yet.
  std::multimap<Clock::time_point, Uuid> resting_;  // Procedures until when.
  std::map<Uuid, Uuid> under_way_;                  // Transactions, with their procedures.
  // What the store could not take, with until when it rests.
  std::multimap<Clock::time_point, std::pair<Settlement, Settled>> unsettled_;
  std::set<Uuid> submitted_;  // From the first try to the end of settlement.
  std::map<Uuid, Refusal> failed_;
  std::map<Uuid, std::vector<Task>> held_;  // By the failed transaction that they refer to.
  std::map<Uuid, Uuid> held_behind_;        // What is held, with the failed one that it waits for.
  std::set<Uuid> buried_;      // Procedures whose mapping is about to be deleted by the store.
  std::size_t in_memory_ = 0;  // Rows from their push to the end of their settlement.
  std::int64_t accepted_through_ = 0;
  std::int64_t loaded_through_ = 0;
  bool behind_ = false;  // The store has rows that were not taken into memory.
  Clock::time_point refill_at_;
  Clock::time_point look_at_;
  std::uint64_t tries_ = 0;
  std::size_t failures_ = 0;  // In a row, that found no network.
  std::size_t probes_ = 0;    // Of these, with the breaker open.
  Clock::time_point probe_at_;
  std::thread thread_;
};

Outbox::Outbox(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Outbox::~Outbox() { core_->stop(); }

Result<std::unique_ptr<Outbox>> Outbox::start(Options options, OutboxStore& store,
                                              RemoteNetwork& network, Replica& replica, Env& env) {
  auto core = std::make_shared<Core>(std::move(options), store, network, replica, env);
  FLORA_TRY(core->start());
  return std::unique_ptr<Outbox>(new Outbox(std::move(core)));
}

void Outbox::push(std::vector<Row> rows) { core_->push(std::move(rows)); }
void Outbox::retry(Row row) { core_->retry(std::move(row)); }
Activity Outbox::activity() const { return core_->activity(); }
bool Outbox::is_submitted(const Uuid& id) const { return core_->is_submitted(id); }

}  // namespace flora::outbox
