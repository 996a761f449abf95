// A quantity (bytes, items) that several senders use at the same time, each up to a share of it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace flora {

/// Thread-safe. What a sender holds none of is not remembered.
class Shares {
 public:
  /// `share` is the most that one sender may hold.
  Shares(std::size_t total, std::size_t share) : total_(total), share_(share) {}

  /// False, and nothing is taken: it would be more than the sender's share, or than there is.
  [[nodiscard]] bool take(std::string_view sender, std::size_t amount) {
    const std::lock_guard lock(mutex_);
    if (!fits(sender, amount)) return false;
    hold(sender, amount);
    return true;
  }

  /// Takes what there may not be.
  void add(std::string_view sender, std::size_t amount) {
    const std::lock_guard lock(mutex_);
    hold(sender, amount);
  }

  /// Not more than the sender holds.
  void give_back(std::string_view sender, std::size_t amount) {
    const std::lock_guard lock(mutex_);
    const auto at = held_.find(sender);
    if (at == held_.end()) return;
    used_ -= amount;
    at->second -= amount;
    if (at->second == 0) held_.erase(at);
  }

  /// True if take() would succeed now.
  bool has_room(std::string_view sender, std::size_t amount) const {
    const std::lock_guard lock(mutex_);
    return fits(sender, amount);
  }

 private:
  bool fits(std::string_view sender, std::size_t amount) const {
    const auto at = held_.find(sender);
    const std::size_t held = at == held_.end() ? 0 : at->second;
    return amount <= total_ && used_ <= total_ - amount && amount <= share_ &&
           held <= share_ - amount;
  }

  void hold(std::string_view sender, std::size_t amount) {
    if (amount == 0) return;
    used_ += amount;
    const auto at = held_.find(sender);
    if (at == held_.end()) {
      held_.emplace(sender, amount);
    } else {
      at->second += amount;
    }
  }

  const std::size_t total_;
  const std::size_t share_;
  mutable std::mutex mutex_;
  std::size_t used_ = 0;
  std::map<std::string, std::size_t, std::less<>> held_;
};

/// Part of a quantity, given back when this goes. Not thread-safe; movable.
class Held {
 public:
  Held() = default;
  explicit Held(std::shared_ptr<Shares> shares, std::string sender)
      : shares_(std::move(shares)), sender_(std::move(sender)) {}
  Held(Held&& other) noexcept
      : shares_(std::move(other.shares_)),
        sender_(std::move(other.sender_)),
        amount_(std::exchange(other.amount_, 0)) {}
  Held& operator=(Held&& other) noexcept {
    Held old = std::move(*this);
    shares_ = std::move(other.shares_);
    sender_ = std::move(other.sender_);
    amount_ = std::exchange(other.amount_, 0);
    return *this;
  }
  ~Held() {
    if (amount_ > 0) shares_->give_back(sender_, amount_);
  }

  /// As Shares::take.
  [[nodiscard]] bool take_more(std::size_t amount) {
    if (!shares_->take(sender_, amount)) return false;
    amount_ += amount;
    return true;
  }

 private:
  std::shared_ptr<Shares> shares_;
  std::string sender_;
  std::size_t amount_ = 0;
};

}  // namespace flora
