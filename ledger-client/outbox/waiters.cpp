#include "ledger-client/outbox/waiters.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace flora::outbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuick{250};  // For who is asked about refusals.

struct Waiter {
  std::function<void(Fate)> done;
  Clock::time_point deadline;
};

}  // namespace

class Waiters::Core {
 public:
  Core(Replica& replica, RefusalOf refusal_of)
      : replica_(replica), refusal_of_(std::move(refusal_of)), thread_([this] { run(); }) {}

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

  void await(const Uuid& id, std::chrono::milliseconds patience, std::function<void(Fate)> done) {
    {
      const std::lock_guard lock(mutex_);
      const Clock::time_point deadline = Clock::now() + patience;
      waiters_[id].push_back({std::move(done), deadline});
      deadlines_.emplace(deadline, id);
    }
    wake_.notify_one();
    // It may have arrived before anybody waited.
    if (const auto found = replica_.find(id); found && *found) tell(id, Committed{**found});
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
      const std::vector<std::pair<Uuid, Waiter>> late = take_late(Clock::now());
      if (!late.empty()) {
        lock.unlock();
        tell_late(late);
        lock.lock();
      } else if (deadlines_.empty()) {
        wake_.wait(lock);
      } else {
        wake_.wait_until(lock, deadlines_.begin()->first);
      }
    }
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
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::map<Uuid, std::vector<Waiter>> waiters_;
  std::multimap<Clock::time_point, Uuid> deadlines_;  // Some of which nobody waits for any more.
  std::thread thread_;
};

Waiters::Waiters(Replica& replica, RefusalOf refusal_of)
    : core_(std::make_unique<Core>(replica, std::move(refusal_of))) {}
Waiters::~Waiters() = default;

void Waiters::await(const Uuid& id, std::chrono::milliseconds patience,
                    std::function<void(Fate)> done) {
  core_->await(id, patience, std::move(done));
}
void Waiters::arrived(const std::vector<CommittedEntry>& entries) {
  for (const CommittedEntry& entry : entries) core_->tell(entry.id, Committed{entry.index});
}
void Waiters::refused(const Uuid& id, const std::string& reason) {
  core_->tell(id, Refused{reason});
}

}  // namespace flora::outbox
