// Who signs for an organisation: a private key, from a file or within a token.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/base/env.h"
#include "gateway/base/pkcs11_source.h"
#include "gateway/base/result.h"
#include "ledger-client/fabric/certificate.h"

namespace flora::fabric {

/// Thread-safe.
class Signer {
 public:
  virtual ~Signer() = default;

  /// Signs SHA-256 of `message` on P-256: DER, low s. `done` comes once, within the call or on a
  /// thread of the signer. Errors: unavailable (a token).
  using Done = std::function<void(Result<std::string>)>;
  virtual void sign(std::string message, Done done) = 0;
};

/// From PEM without a passphrase. Signs within the call, in some 20 microseconds. Errors: invalid
/// (no key, or not that of the certificate; nothing of the file is told), not_found, unavailable.
Result<std::unique_ptr<Signer>> file_signer(const std::string& key_file,
                                            const Certificate& certificate, Env& env);

/// Within a token (CKM_ECDSA). Signs on a thread of its own, one message after another; the module
/// has `source.bound` for each. Blocks. `env` outlives all calls, also those that were left behind.
/// Errors: not_found (module, token or key), invalid (several of that name, not a key that signs on
/// P-256, not that of the certificate, or the PIN is refused), unavailable.
Result<std::unique_ptr<Signer>> token_signer(const Pkcs11Source& source,
                                             const Certificate& certificate, Env& env);

}  // namespace flora::fabric
