// The keys of an issuer: a JSON Web Key Set (RFC 7517), of which only what can verify a token
// safely is taken.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/auth/public_key.h"
#include "gateway/base/bytes.h"
#include "gateway/base/result.h"

namespace flora::auth {

/// Movable; what was read never changes. Thread-safe.
class KeySet {
 public:
  static constexpr std::size_t kMostBytes = 256u << 10;
  static constexpr std::size_t kMostKeys = 64;

  /// Takes every key that has an id, an algorithm of its own (an RSA key must name it, the others
  /// need not) and the strength that public_key.h asks for, and that is meant for signatures; the
  /// others are skipped. Errors: invalid (no strict JSON, no key set, too many keys, or none that
  /// can be used).
  static Result<KeySet> parse(std::string_view json);

  /// The key with this id and algorithm, the latter in the word of JWA (RFC 7518 §3.1); nullptr if
  /// there is none, or more than one.
  const PublicKey* find(std::string_view id, std::string_view algorithm) const;

  /// How many can be used.
  std::size_t size() const;

  /// Why others are not, by their place in the set: "key 2: an RSA key has at least 3000 bits".
  const std::vector<std::string>& skipped() const { return skipped_; }

  /// Of the text: two sets are the same if it is.
  const Digest& digest() const { return digest_; }

 private:
  struct Entry {
    std::string id;
    std::string algorithm;
    std::optional<PublicKey> key;  // Nothing: the set has more than one.
  };

  void skip(std::size_t place, std::string_view why);
  void add(std::size_t place, Entry entry);

  std::vector<Entry> entries_;
  std::vector<std::string> skipped_;
  Digest digest_{};
};

/// True for the algorithms that a key can have: ES256, PS256, RS256, and EdDSA, which RFC 9864 also
/// calls Ed25519.
bool is_known_algorithm(std::string_view name);

}  // namespace flora::auth
