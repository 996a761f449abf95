// Keys for tests of the store: the name of each is its secret.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/privacy/key_set.h"

namespace flora::store::test {

/// From 32 characters.
inline privacy::Keys keys_of(const std::string& secret) {
  crypto::SecretKey key;
  std::ranges::copy(as_bytes(secret), key.bytes.begin());
  return {key, "development"};
}

inline privacy::Keys keys_named(const std::string& id) {
  return keys_of(std::string(as_text(crypto::sha256(id))));
}

inline std::vector<privacy::NamedLookupKey> lookup_keys(const std::vector<std::string>& ids) {
  std::vector<privacy::NamedLookupKey> keys;
  for (const std::string& id : ids) keys.push_back({id, keys_named(id)});
  return keys;
}

inline std::vector<privacy::NamedWrappingKey> wrapping_keys(const std::vector<std::string>& ids,
                                                            Env& env) {
  std::vector<privacy::NamedWrappingKey> keys;
  for (const std::string& id : ids) {
    keys.push_back({id, privacy::wrapping_key(keys_named(id), env)});
  }
  return keys;
}

}  // namespace flora::store::test
