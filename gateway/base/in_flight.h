// Counts work that is under way, so that whoever started it can wait for its end before it goes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace flora {

/// Thread-safe.
class InFlight {
 public:
  /// Work is under way as long as a copy of its ticket lives. A ticket may outlive this object.
  std::shared_ptr<void> ticket() {
    const std::lock_guard lock(state_->mutex);
    ++state_->count;
    return {state_.get(), [state = state_](void*) { state->end_one(); }};
  }

  /// Blocks until no ticket lives. No new ones may be drawn meanwhile.
  void wait() {
    std::unique_lock lock(state_->mutex);
    state_->idle.wait(lock, [this] { return state_->count == 0; });
  }

 private:
  struct State {
    void end_one() {
      const std::lock_guard lock(mutex);
      if (--count == 0) idle.notify_all();
    }
    std::mutex mutex;
    std::condition_variable idle;
    std::size_t count = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace flora
