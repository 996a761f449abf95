// A key that encrypts the keys of procedures: from a secret, or within a PKCS#11 token, which it
// never leaves.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "gateway/base/pkcs11_source.h"
#include "gateway/base/result.h"
#include "gateway/privacy/keys.h"

namespace flora::privacy {

/// One thread at a time. AES-256-GCM: the result is nonce || ciphertext || tag, bound to `context`.
class WrappingKey {
 public:
  virtual ~WrappingKey() = default;

  /// Blocks on the token, in bounds. Errors: unavailable.
  virtual Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) = 0;
  /// The same. Errors: corrupt (tampered with, or of another key or context), unavailable.
  virtual Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) = 0;
};

/// Of a secret.
std::unique_ptr<WrappingKey> wrapping_key(Keys keys, Env& env);

/// Its key: AES with 256 bits, for encryption and decryption.
using flora::Pkcs11Source;

/// Opens a session and looks for the key. A session that is lost later is opened again when it is
/// needed, unless the PIN is refused: another try might lock the token. Blocks. `env` outlives all
/// calls, also those that were left behind. Errors: not_found (module, token or key), invalid
/// (several of that name, the key is not fit for it, or the PIN is refused), unavailable (the
/// token's own code is named).
Result<std::unique_ptr<WrappingKey>> wrapping_key(const Pkcs11Source& source, Env& env);

}  // namespace flora::privacy
