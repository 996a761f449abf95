// Verifying signatures, by OpenSSL. A key has one algorithm, which is chosen when it is made and
// never by what is to be verified (RFC 8725 §3.1).
#pragma once

#include <memory>
#include <string_view>

#include "gateway/base/result.h"

struct evp_pkey_st;

namespace flora::auth {

/// Movable; thread-safe.
class PublicKey {
 public:
  /// ES256 (RFC 7518 §3.4): the coordinates of a point of P-256, 32 bytes each, big-endian.
  /// Errors: invalid, with the reason.
  static Result<PublicKey> es256(std::string_view x, std::string_view y);
  /// PS256 (RFC 7518 §3.5) and RS256 (§3.3), big-endian. Errors: invalid; the modulus has at least
  /// 3000 bits (BSI TR-02102-1, key lengths of RSA) and at most 8192, which bounds what a
  /// verification costs.
  static Result<PublicKey> ps256(std::string_view modulus, std::string_view exponent);
  static Result<PublicKey> rs256(std::string_view modulus, std::string_view exponent);
  /// EdDSA with Ed25519 (RFC 8037), 32 bytes. Errors: invalid.
  static Result<PublicKey> ed25519(std::string_view x);

  /// Whether `signature`, in the form of JWS, is that of `message`.
  bool verify(std::string_view message, std::string_view signature) const;

 private:
  enum class Scheme { es256, ps256, rs256, ed25519 };
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Key = std::unique_ptr<evp_pkey_st, Free>;

  PublicKey(Scheme scheme, Key key) : scheme_(scheme), key_(std::move(key)) {}
  static Result<PublicKey> rsa(Scheme scheme, std::string_view modulus, std::string_view exponent);

  Scheme scheme_;
  Key key_;
};

}  // namespace flora::auth
