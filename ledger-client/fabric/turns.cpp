#include "ledger-client/fabric/turns.h"

#include <utility>
#include <vector>

namespace flora::fabric {

Turns::Turn Turns::turn() {
  return {this, [](void* turns) { static_cast<Turns*>(turns)->end_one(); }};
}

bool Turns::take(Start start, const void* owner) {
  {
    const std::lock_guard lock(mutex_);
    if (running_ == most_) {
      if (waiting_.size() == most_waiting_) return false;
      waiting_.push_back({std::move(start), owner});
      return true;
    }
    ++running_;
  }
  start(turn());
  return true;
}

void Turns::let_go(const void* owner) {
  std::vector<Start> all;
  {
    const std::lock_guard lock(mutex_);
    for (Waiting& one : waiting_) {
      if (one.owner == owner) all.push_back(std::move(one.start));
    }
    std::erase_if(waiting_, [owner](const Waiting& one) { return one.owner == owner; });
  }
  for (const Start& start : all) start(nullptr);
}

void Turns::end_one() {
  Start next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      --running_;
      return;
    }
    next = std::move(waiting_.front().start);
    waiting_.pop_front();
  }
  next(turn());
}

}  // namespace flora::fabric
