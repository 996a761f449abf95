#include "gateway/policy/rate_limiter.h"

#include <arpa/inet.h>

#include <functional>
#include <mutex>

namespace flora::policy {
namespace {

constexpr std::size_t kNetworkBytes = 8;  // Of an IPv6 address; who has one has all of its network.

std::string network_of(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  return {reinterpret_cast<const char*>(&parsed), kNetworkBytes};
}

}  // namespace

RateLimiter::RateLimiter(Env& env) { env.random(secret_); }

Buckets& RateLimiter::of_authority(std::string_view id) {
  {
    const std::shared_lock lock(mutex_);
    const auto at = authorities_.find(id);
    if (at != authorities_.end()) return *at->second;
  }
  const std::unique_lock lock(mutex_);
  std::unique_ptr<Buckets>& buckets = authorities_[std::string(id)];
  if (buckets == nullptr) buckets = std::make_unique<Buckets>();
  return *buckets;
}

Gcra& RateLimiter::of_address(std::string_view address) {
  std::string key(reinterpret_cast<const char*>(secret_.data()), secret_.size());
  key += network_of(address);
  return addresses_[std::hash<std::string>{}(key) % kAddresses];
}

}  // namespace flora::policy
