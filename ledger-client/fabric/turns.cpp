#include "ledger-client/fabric/turns.h"

#include <utility>

namespace flora::fabric {

Turns::Turn Turns::turn() {
  return {this, [](void* turns) { static_cast<Turns*>(turns)->end_one(); }};
}

bool Turns::take(Start start) {
  {
    const std::lock_guard lock(mutex_);
    if (running_ == most_) {
      if (waiting_.size() == most_waiting_) return false;
      waiting_.push_back(std::move(start));
      return true;
    }
    ++running_;
  }
  start(turn());
  return true;
}

void Turns::end_one() {
  Start next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      --running_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next(turn());
}

}  // namespace flora::fabric
