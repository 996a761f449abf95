// A bounded queue that several senders share: they take turns, and none can fill it.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace flora {

/// Items of one sender keep their order; between senders it goes round, one item each. A sender may
/// hold as much as is left: alone half of the capacity; while the queue moves, n that push all the
/// time come to hold an (n+1)th each, and as much is left for one more. Not thread-safe.
template <typename T>
class FairQueue {
 public:
  explicit FairQueue(std::size_t capacity) : free_(capacity) {}

  /// The item is moved from. False, and it is left as it is: the sender holds too much.
  [[nodiscard]] bool push(std::string_view sender, std::size_t weight, T& item) {
    auto lane = lanes_.find(sender);
    const std::size_t held = lane == lanes_.end() ? 0 : lane->second.held;
    if (held + weight > free_) return false;
    if (lane == lanes_.end()) {
      lane = lanes_.emplace(sender, Lane{}).first;
      turns_.push_back(&*lane);
    }
    lane->second.held += weight;
    free_ -= weight;
    lane->second.items.emplace_back(weight, std::move(item));
    return true;
  }

  bool empty() const { return turns_.empty(); }

  /// Takes the first item of the sender whose turn it is, among those that `may(sender)` allows.
  template <typename May>
  std::optional<std::pair<std::string, T>> pop_if(May may) {
    for (std::size_t tried = turns_.size(); tried > 0; --tried) {
      Turn* const turn = turns_.front();
      turns_.pop_front();
      if (may(turn->first)) return pop_from(turn);
      turns_.push_back(turn);
    }
    return std::nullopt;
  }

  /// Not while it is empty.
  T pop() {
    return std::move(pop_if([](const std::string&) { return true; })->second);
  }

 private:
  struct Lane {
    std::deque<std::pair<std::size_t, T>> items;  // With their weights; never empty.
    std::size_t held = 0;
  };
  using Turn = std::pair<const std::string, Lane>;

  std::pair<std::string, T> pop_from(Turn* turn) {
    Lane& lane = turn->second;
    std::pair<std::size_t, T> first = std::move(lane.items.front());
    lane.items.pop_front();
    lane.held -= first.first;
    free_ += first.first;
    std::pair<std::string, T> out{turn->first, std::move(first.second)};
    if (lane.items.empty()) {
      lanes_.erase(turn->first);
    } else {
      turns_.push_back(turn);
    }
    return out;
  }

  std::size_t free_;
  std::map<std::string, Lane, std::less<>> lanes_;
  std::deque<Turn*> turns_;  // One for each lane; the front is next.
};

}  // namespace flora
