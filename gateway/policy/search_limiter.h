// How many distinct identifiers each client has searched for. Who may search a few persons at a
// time has work to do; who searches thousands tries numbers.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "gateway/base/bytes.h"
#include "gateway/policy/policy.h"

namespace flora::policy {

/// Thread-safe. It holds truncated keyed hashes for as long as a window lasts, and no identifier.
class SearchLimiter {
 public:
  struct Answer {
    std::int64_t wait_ns = 0;  ///< Until the next window; 0: the search may go on.
    bool first = false;        ///< The first refusal in this window: the time to raise the alarm.
  };

  /// Counts the identifiers of one search: all of them, or none where they would exceed the limit.
  /// One that was counted in this window costs nothing. `client` is a name of the policy, so that
  /// their number is bounded; `hashes` are keyed. `now_ns` is of Env::steady_ns().
  Answer take(std::string_view client, std::span<const Digest> hashes, const SearchLimit& limit,
              std::int64_t now_ns);

 private:
  struct Window {
    std::int64_t begin_ns = 0;
    bool refused = false;
    std::unordered_set<std::uint64_t> seen;
  };

  std::mutex mutex_;
  std::map<std::string, Window, std::less<>> windows_;  // By client.
};

}  // namespace flora::policy
