// A few threads for work that waits for the disk, so that no thread that owns connections does. The
// senders for whom the work is done take turns, and none occupies all threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/base/fair_queue.h"

namespace flora {

/// Thread-safe.
class ThreadPool {
 public:
  /// `queue` bounds what may wait. A sender has half of the threads at most.
  ThreadPool(std::size_t threads, std::size_t queue);
  /// Runs what is queued, then ends.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Queues work that must not throw. False: the sender has too much waiting (see FairQueue), it
  /// will not run.
  [[nodiscard]] bool post(std::string_view sender, std::function<void()> work);

 private:
  void run();
  bool may_run(const std::string& sender) const;

  const std::size_t threads_of_one_;
  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<std::function<void()>> work_;
  std::map<std::string, std::size_t, std::less<>> running_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace flora
