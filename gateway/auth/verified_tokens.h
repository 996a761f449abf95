// What verified tokens say, kept for as long as they are used: a signature costs 25 to 80 µs to
// verify, and a client shows the same token with every request. Tokens themselves are not kept.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/auth/access_token.h"
#include "gateway/base/bytes.h"

namespace flora::auth {

/// A fixed number of places; a new token takes the place of another one, never more memory. Only
/// what was verified may be added, so that strangers displace nobody. Thread-safe.
class VerifiedTokens {
 public:
  /// `key` is a SHA-256 value over the token and all that it was verified by.
  std::optional<AccessToken> find(const Digest& key) const;
  void add(const Digest& key, const AccessToken& token);

 private:
  static constexpr std::size_t kPlaces = 4096;
  static constexpr std::size_t kLocks = 16;

  struct Place {
    Digest key{};
    AccessToken token;  // In force never, at first.
  };

  static std::size_t place_of(const Digest& key);

  mutable std::array<std::mutex, kLocks> locks_;  // Of each sixteenth place.
  std::vector<Place> places_{kPlaces};
};

}  // namespace flora::auth
