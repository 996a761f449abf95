// A few threads for work that waits for the disk, so that no thread that owns connections does.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace flora {

/// Thread-safe.
class ThreadPool {
 public:
  /// `queue` bounds what may wait.
  ThreadPool(std::size_t threads, std::size_t queue);
  /// Runs what is queued, then ends.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Queues work that must not throw. False: too much is waiting, it will not run.
  [[nodiscard]] bool post(std::function<void()> work);

 private:
  void run();

  std::size_t queue_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> work_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace flora
