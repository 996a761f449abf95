// Bounds how much is under way at one time; what is beyond it waits for its turn, in order.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace flora::fabric {

/// Thread-safe. Outlives every turn.
class Turns {
 public:
  /// Held as long as the work is under way.
  using Turn = std::shared_ptr<void>;
  using Start = std::function<void(Turn)>;

  Turns(std::size_t most, std::size_t waiting) : most_(most), most_waiting_(waiting) {}

  /// Calls `start`, now or when it is its turn, on the thread that ends another. False: too many
  /// wait already, it will not be called. `owner` is for let_go().
  [[nodiscard]] bool take(Start start, const void* owner = nullptr);

  /// Starts at once, without a turn, whatever of that owner waits: for one that ends, whose calls
  /// are broken off anyway, and which must not wait for the calls of others.
  void let_go(const void* owner);

 private:
  void end_one();
  Turn turn();

  const std::size_t most_;
  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::size_t running_ = 0;
  struct Waiting {
    Start start;
    const void* owner;
  };
  std::deque<Waiting> waiting_;
};

}  // namespace flora::fabric
