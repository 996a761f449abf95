// The cryptographic primitives that the gateway uses, on OpenSSL. Nothing outside this file's
// source and the TLS code includes OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/base/result.h"

namespace flora::crypto {

/// SHA-256 (FIPS 180-4) of the concatenation of the parts. Thread-safe.
Digest sha256(std::string_view bytes);
Digest sha256(std::initializer_list<std::span<const std::byte>> parts);

/// SHA-1 (FIPS 180-4) of the concatenation of the parts: for names of RFC 9562 version 5 only,
/// never where a collision could harm. Thread-safe.
std::array<std::byte, 20> sha1(std::initializer_list<std::span<const std::byte>> parts);

/// HMAC-SHA-256 (RFC 2104) of the concatenation of the parts. Thread-safe.
Digest hmac_sha256(std::span<const std::byte> key, std::initializer_list<std::string_view> parts);

/// A 32-byte key derived from `secret` for one purpose (HKDF-SHA-256, RFC 5869, empty salt; `info`
/// names the purpose).
Digest derive_key(std::span<const std::byte> secret, std::string_view info);

/// True if both have the same length and content; takes the same time wherever they differ.
bool equal_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);

/// Overwrites a secret that is no longer needed, in a way that no compiler leaves out.
void erase(std::span<std::byte> secret);

/// 32 secret bytes, which are overwritten when they go; so is each copy.
struct SecretKey {
  Digest bytes{};
  SecretKey() = default;
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey() { erase(bytes); }
};

/// Zeroed memory on pages of its own: a core dump leaves them out, and they are not swapped out as
/// far as the limits of the process allow. Overwritten when the last owner goes.
std::shared_ptr<void> guarded_memory(std::size_t bytes);

/// AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce per call. The result is
/// nonce || ciphertext || 128-bit tag. At most 2^32 calls per key.
std::string seal(const Digest& key, std::string_view plaintext, std::string_view associated,
                 Env& env);

/// The plaintext, or nothing if key, text or associated data are not those of `seal`.
std::optional<std::string> open(const Digest& key, std::string_view sealed,
                                std::string_view associated);

/// An Ed25519 key pair (RFC 8032). Thread-safe, movable.
class Ed25519Key {
 public:
  /// From the 32-byte seed of RFC 8032 §5.1.5. Errors: invalid.
  static Result<Ed25519Key> from_seed(std::span<const std::byte> seed);
  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;
  ~Ed25519Key();

  std::array<std::byte, 32> public_key() const;
  std::array<std::byte, 64> sign(std::string_view message) const;

 private:
  struct Key;
  explicit Ed25519Key(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

/// True if `signature` is the Ed25519 signature of `message` under `public_key`.
bool verify_ed25519(std::span<const std::byte> public_key, std::string_view message,
                    std::span<const std::byte> signature);

}  // namespace flora::crypto
