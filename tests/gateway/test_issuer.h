// An issuer of access tokens within the test's process. It signs with Ed25519, which the base can
// make.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/auth/key_source.h"
#include "gateway/auth/tokens.h"
#include "gateway/base/crypto.h"

namespace flora::test {

inline std::string base64url(std::string_view bytes) {
  std::string text = to_base64(as_bytes(bytes));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

inline crypto::Ed25519Key key_of(char seed) {
  auto key = crypto::Ed25519Key::from_seed(as_bytes(std::string(32, seed)));
  if (!key) throw std::runtime_error(key.error().message);
  return std::move(*key);
}

inline nlohmann::json jwk_of(const crypto::Ed25519Key& key, const std::string& id) {
  const auto x = key.public_key();
  return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", id}, {"x", base64url(as_text(x))}};
}

/// The issuer https://idp with the key "k1", and the keys that it publishes. Thread-safe but for
/// its members.
class TestIssuer final : public auth::KeySource {
 public:
  using Json = nlohmann::json;

  TestIssuer() { publish({jwk_of(key, "k1")}); }

  std::shared_ptr<const auth::KeySet> current() const override {
    const std::lock_guard lock(mutex_);
    return set_;
  }
  void ask() override { ++asked; }

  void publish(const std::vector<Json>& keys) {
    auto parsed = auth::KeySet::parse(Json{{"keys", keys}}.dump());
    if (!parsed) throw std::runtime_error(parsed.error().message);
    const std::lock_guard lock(mutex_);
    set_ = std::make_shared<const auth::KeySet>(std::move(*parsed));
  }
  void withdraw() {
    const std::lock_guard lock(mutex_);
    set_.reset();
  }

  static auth::Rules rules() { return {"https://idp", "https://flora"}; }

  /// Of an unbound token of the client "lab" that is good from now on for five minutes.
  static Json claims_at(std::int64_t now_s) {
    return {{"iss", "https://idp"}, {"aud", "https://flora"}, {"sub", "lab"},      {"jti", "1"},
            {"client_id", "lab"},   {"iat", now_s},           {"exp", now_s + 300}};
  }

  std::string sign(std::string_view head, std::string_view claims) const {
    const std::string text = base64url(head) + '.' + base64url(claims);
    const auto signature = key.sign(text);
    return text + '.' + base64url(as_text(signature));
  }
  std::string token(const Json& claims) const { return sign(header.dump(), claims.dump()); }

  crypto::Ed25519Key key = key_of('k');
  Json header = {{"typ", "at+jwt"}, {"alg", "EdDSA"}, {"kid", "k1"}};
  std::atomic<int> asked = 0;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const auth::KeySet> set_;
};

}  // namespace flora::test
