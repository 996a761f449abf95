#include "gateway/auth/tokens.h"

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"

namespace flora::auth {

std::variant<AccessToken, Fault> Tokens::examine(std::string_view token,
                                                 const std::optional<std::string>& certificate) {
  auto outcome = verified(token);
  const auto* good = std::get_if<AccessToken>(&outcome);
  if (good == nullptr) return outcome;
  if (!good->certificate) {
    if (binding_ == Binding::required) return Fault::unbound;
  } else if (certificate != to_hex(*good->certificate)) {
    return Fault::other_certificate;
  }
  return outcome;
}

// The rules never change, and other keys make other entries of what is known.
std::variant<AccessToken, Fault> Tokens::verified(std::string_view token) {
  const auto keys = keys_.current();
  if (keys == nullptr) return Fault::no_keys;
  if (token.size() > kMostTokenBytes) return Fault::too_long;
  const std::int64_t now_s = env_.now_ms() / 1000;
  const Digest key = crypto::sha256({keys->digest(), as_bytes(token)});
  if (auto known = known_.find(key); known && known->is_in_force(now_s)) return std::move(*known);
  auto outcome = verify(token, *keys, rules_, now_s);
  if (const auto* good = std::get_if<AccessToken>(&outcome)) known_.add(key, *good);
  const auto* fault = std::get_if<Fault>(&outcome);
  if (fault != nullptr && *fault == Fault::key) keys_.ask();
  return outcome;
}

}  // namespace flora::auth
