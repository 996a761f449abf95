#include "ledger-client/outbox/waiters.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace flora::outbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuick{250};  // For who is asked about refusals.
constexpr std::chrono::milliseconds kLook{100};   // Between two looks whether a row has left.

struct Waiter {
  std::function<void(Fate)> done;
  Clock::time_point deadline;
  bool until_settled = false;
};

}  // namespace

class Waiters::Core {
 public:
  Core(Replica& replica, RefusalOf refusal_of, HasLeft has_left)
      : replica_(replica),
        refusal_of_(std::move(refusal_of)),
        has_left_(std::move(has_left)),
        thread_([this] { run(); }) {}

  ~Core() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    for (const auto& [id, waiting] : waiters_) {
      for (const Waiter& waiter : waiting) waiter.done(Pending{});
    }
  }

  void await(const Uuid& id, Waiter waiter) {
    const bool until_settled = waiter.until_settled;
    {
      const std::lock_guard lock(mutex_);
      deadlines_.emplace(waiter.deadline, id);
      if (until_settled && has_left_ && looked_after_.insert(id).second) {
        looks_.emplace(Clock::now() + kLook, id);
      }
      waiters_[id].push_back(std::move(waiter));
    }
    wake_.notify_one();
    if (until_settled) return;
    // It may have arrived before anybody waited.
    if (const auto found = replica_.find(id); found && *found) arrived(id, **found);
  }

  void settled(const Uuid& id) {
    {
      const std::lock_guard lock(mutex_);
      if (!waiters_.contains(id)) return;
    }
    if (const auto found = replica_.find(id); found && *found) tell(id, Committed{**found});
  }

  void arrived(const Uuid& id, std::uint64_t index) {
    std::vector<Waiter> waiting;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiters_.find(id);
      if (found == waiters_.end()) return;
      std::vector<Waiter>& all = found->second;
      const auto end =
          std::partition(all.begin(), all.end(), [](const Waiter& w) { return w.until_settled; });
      waiting.assign(std::make_move_iterator(end), std::make_move_iterator(all.end()));
      all.erase(end, all.end());
      if (all.empty()) waiters_.erase(found);
    }
    for (const Waiter& waiter : waiting) waiter.done(Committed{index});
  }

  void tell(const Uuid& id, const Fate& fate) {
    std::vector<Waiter> waiting;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiters_.find(id);
      if (found == waiters_.end()) return;
      waiting = std::move(found->second);
      waiters_.erase(found);
    }
    for (const Waiter& waiter : waiting) waiter.done(fate);
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const Clock::time_point now = Clock::now();
      const std::vector<std::pair<Uuid, Waiter>> late = take_late(now);
      const std::vector<Uuid> due = take_looks(now);
      if (!late.empty() || !due.empty()) {
        lock.unlock();
        tell_late(late);
        const std::size_t looked = look(due);
        lock.lock();
        look_again(due, looked);
      } else if (deadlines_.empty()) {
        wake_.wait(lock);
      } else {
        Clock::time_point next = deadlines_.begin()->first;
        if (!looks_.empty()) next = std::min(next, looks_.begin()->first);
        wake_.wait_until(lock, next);
      }
    }
  }

  // Under the lock. Those for whom nobody waits any more end.
  std::vector<Uuid> take_looks(Clock::time_point now) {
    std::vector<Uuid> due;
    while (!looks_.empty() && looks_.begin()->first <= now) {
      const Uuid id = looks_.begin()->second;
      looks_.erase(looks_.begin());
      if (waiters_.contains(id)) {
        due.push_back(id);
      } else {
        looked_after_.erase(id);
      }
    }
    return due;
  }

  // Without the lock. How many there was time for: others' time may be over soon.
  std::size_t look(const std::vector<Uuid>& due) {
    const Clock::time_point begin = Clock::now();
    std::size_t looked = 0;
    while (looked < due.size() && Clock::now() - begin < kQuick && !is_stopping()) {
      const Uuid& id = due[looked++];
      if (has_left_(id)) settled(id);
    }
    return looked;
  }

  // Under the lock. First those that there was no time for.
  void look_again(const std::vector<Uuid>& due, std::size_t looked) {
    const Clock::time_point now = Clock::now();
    for (std::size_t i = 0; i < due.size(); ++i) {
      looks_.emplace(i < looked ? now + kLook : now, due[i]);
    }
  }

  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  // Under the lock.
  std::vector<std::pair<Uuid, Waiter>> take_late(Clock::time_point now) {
    std::vector<std::pair<Uuid, Waiter>> late;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const Uuid id = deadlines_.begin()->second;
      deadlines_.erase(deadlines_.begin());
      const auto waiting = waiters_.find(id);
      if (waiting == waiters_.end()) continue;
      std::vector<Waiter>& all = waiting->second;
      const auto end = std::partition(all.begin(), all.end(),
                                      [now](const Waiter& w) { return w.deadline > now; });
      for (auto one = end; one != all.end(); ++one) late.emplace_back(id, std::move(*one));
      all.erase(end, all.end());
      if (all.empty()) waiters_.erase(waiting);
    }
    return late;
  }

  // Their time is over: not all of them wait for who does not know, one after the other.
  void tell_late(const std::vector<std::pair<Uuid, Waiter>>& late) const {
    bool asks = refusal_of_ != nullptr;
    for (const auto& [id, waiter] : late) {
      const Clock::time_point begin = Clock::now();
      const std::optional<std::string> reason = asks ? refusal_of_(id) : std::nullopt;
      asks = asks && Clock::now() - begin < kQuick;
      waiter.done(reason ? Fate(Refused{*reason}) : Fate(Pending{}));
    }
  }

  Replica& replica_;
  const RefusalOf refusal_of_;
  const HasLeft has_left_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::map<Uuid, std::vector<Waiter>> waiters_;
  std::multimap<Clock::time_point, Uuid> deadlines_;  // Some of which nobody waits for any more.
  std::multimap<Clock::time_point, Uuid> looks_;
  std::set<Uuid> looked_after_;  // Each has one place among these looks, or is looked after now.
  std::thread thread_;
};

Waiters::Waiters(Replica& replica, RefusalOf refusal_of, HasLeft has_left)
    : core_(std::make_unique<Core>(replica, std::move(refusal_of), std::move(has_left))) {}
Waiters::~Waiters() = default;

void Waiters::await(const Uuid& id, std::chrono::milliseconds patience,
                    std::function<void(Fate)> done) {
  core_->await(id, {std::move(done), Clock::now() + patience, false});
}
void Waiters::await_settled(const Uuid& id, std::chrono::milliseconds patience,
                            std::function<void(Fate)> done) {
  core_->await(id, {std::move(done), Clock::now() + patience, true});
}
void Waiters::settled(const Uuid& id) { core_->settled(id); }
void Waiters::arrived(const std::vector<CommittedEntry>& entries) {
  for (const CommittedEntry& entry : entries) core_->arrived(entry.id, entry.index);
}
void Waiters::refused(const Uuid& id, const std::string& reason) {
  core_->tell(id, Refused{reason});
}

}  // namespace flora::outbox
