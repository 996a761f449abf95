// Keyed hashes of what is asked for, which count and spread questions.
#pragma once

#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"

namespace flora::api {

/// Thread-safe. Of a key that is drawn at the start and kept nowhere: those of the mapping change
/// while the gateway works, and a hash of this one leads to no row.
class QuestionKey {
 public:
  explicit QuestionKey(Env& env) { env.random(key_.bytes); }

  Digest hash(const Uuid& id) const { return crypto::hmac_sha256(key_.bytes, {as_text(id.bytes)}); }

  std::vector<Digest> hashes(const std::vector<Identifier>& identifiers) const {
    std::vector<Digest> out;
    for (const Identifier& one : identifiers) {
      out.push_back(crypto::hmac_sha256(key_.bytes, {to_string(one.type), "=", one.value}));
    }
    return out;
  }

 private:
  crypto::SecretKey key_;
};

}  // namespace flora::api
