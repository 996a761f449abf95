// The policy that is in force. It is replaced as a whole while requests run; who works with one
// keeps it until he is done.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "gateway/policy/policy.h"

namespace flora::policy {

/// Thread-safe.
class InForce {
 public:
  explicit InForce(Policy policy) { replace(std::move(policy)); }

  std::shared_ptr<const Policy> get() const {
    const std::lock_guard lock(mutex_);
    return policy_;
  }

  void replace(Policy policy) {
    auto next = std::make_shared<const Policy>(std::move(policy));
    const std::lock_guard lock(mutex_);
    policy_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Policy> policy_;
};

}  // namespace flora::policy
