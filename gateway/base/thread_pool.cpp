#include "gateway/base/thread_pool.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace flora {

ThreadPool::ThreadPool(std::size_t threads, std::size_t queue)
    : threads_of_one_(std::max<std::size_t>(threads / 2, 1)), work_(queue) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::post(std::string_view sender, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !work_.push(sender, 1, work)) return false;
  }
  wake_.notify_one();
  return true;
}

bool ThreadPool::may_run(const std::string& sender) const {
  const auto at = running_.find(sender);
  return at == running_.end() || at->second < threads_of_one_;
}

void ThreadPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<std::pair<std::string, std::function<void()>>> next;
    wake_.wait(lock, [this, &next] {
      next = work_.pop_if([this](const std::string& sender) { return may_run(sender); });
      return next || (stopping_ && work_.empty());
    });
    if (!next) return;
    ++running_[next->first];
    lock.unlock();
    next->second();
    next->second = {};  // What it holds may take locks of its own.
    lock.lock();
    const auto at = running_.find(next->first);
    if (--at->second == 0) running_.erase(at);
    // Another thread may wait for this sender's turn, or for the end.
    if (!work_.empty() || stopping_) wake_.notify_all();
  }
}

}  // namespace flora
