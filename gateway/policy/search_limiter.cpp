#include "gateway/policy/search_limiter.h"

#include <cstring>
#include <set>

namespace flora::policy {
namespace {

std::uint64_t short_form(const Digest& hash) {
  std::uint64_t value = 0;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

}  // namespace

SearchLimiter::Answer SearchLimiter::take(std::string_view client, std::span<const Digest> hashes,
                                          const SearchLimit& limit, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  auto at = windows_.find(client);
  if (at == windows_.end()) at = windows_.emplace(client, Window{now_ns, false, {}}).first;
  Window& window = at->second;
  if (now_ns - window.begin_ns >= limit.window_ns()) window = {now_ns, false, {}};
  std::set<std::uint64_t> fresh;
  for (const Digest& hash : hashes) {
    if (!window.seen.contains(short_form(hash))) fresh.insert(short_form(hash));
  }
  if (window.seen.size() + fresh.size() > static_cast<std::uint64_t>(limit.identifiers)) {
    const bool first = !window.refused;
    window.refused = true;
    return {window.begin_ns + limit.window_ns() - now_ns, first};
  }
  window.seen.insert(fresh.begin(), fresh.end());
  return {};
}

}  // namespace flora::policy
