// What each authority, and each address that nobody knows, has used of its rates. It outlives the
// policies whose rates it applies: a new policy takes effect with the next decision.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "gateway/base/env.h"
#include "gateway/policy/gcra.h"

namespace flora::policy {

/// The buckets of one authority.
struct Buckets {
  Gcra requests;
  Gcra events;
  std::atomic<std::int64_t> streams = 0;  ///< Under way.
};

/// Thread-safe. What it hands out is valid as long as it lives.
class RateLimiter {
 public:
  explicit RateLimiter(Env& env);

  /// Only for an authority that the policy knows, so that their number is bounded.
  Buckets& of_authority(std::string_view id);

  /// The bucket of an address (of the /64 of an IPv6 address). There is a fixed number of buckets:
  /// addresses share them, and which ones do is a secret of this process.
  Gcra& of_address(std::string_view address);

 private:
  static constexpr std::size_t kAddresses = 4096;

  std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<Buckets>, std::less<>> authorities_;
  std::array<Gcra, kAddresses> addresses_;
  std::array<std::byte, 16> secret_{};
};

}  // namespace flora::policy
