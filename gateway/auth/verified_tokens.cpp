#include "gateway/auth/verified_tokens.h"

namespace flora::auth {

std::size_t VerifiedTokens::place_of(const Digest& key) {
  const std::size_t high = std::to_integer<std::size_t>(key[0]);
  return ((high << 8) | std::to_integer<std::size_t>(key[1])) % kPlaces;
}

std::optional<AccessToken> VerifiedTokens::find(const Digest& key) const {
  const std::size_t at = place_of(key);
  const std::lock_guard lock(locks_[at % kLocks]);
  if (places_[at].key != key) return std::nullopt;
  return places_[at].token;
}

void VerifiedTokens::add(const Digest& key, const AccessToken& token) {
  const std::size_t at = place_of(key);
  const std::lock_guard lock(locks_[at % kLocks]);
  places_[at] = {key, token};
}

}  // namespace flora::auth
