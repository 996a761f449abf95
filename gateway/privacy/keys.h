// The keys that are derived from one secret, a key for each purpose, and the keyed forms in which
// identifiers and events are kept. Whoever has the store but not the secret learns nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/mapping_keys.h"
#include "gateway/model/status_event.h"

namespace flora::privacy {

/// Over authority, source and id, unambiguously delimited. Without a key: in memory only, like the
/// others.
Digest identity_digest(std::string_view authority, const SenderIdentity& identity);
/// Over the content of an event (fingerprint_text), the bytes of a native record, or a request.
Digest content_digest(std::string_view content);
/// Over an Idempotency-Key and the client that sent it.
Digest answer_key_digest(std::string_view client, std::string_view key);

/// Where a secret stands. A variable comes before the file, each may be missing.
struct SecretSource {
  std::string variable;
  std::string file;
};

/// 32 random bytes, Base 64 in one line. Errors: not_found, invalid, unavailable; they name the
/// place, never what stands there.
Result<crypto::SecretKey> read_secret(const SecretSource& source, Env& env);

/// Immutable and thread-safe; copies share the keys, which lie in guarded memory. The secret itself
/// is not kept.
class Keys {
 public:
  /// `environment` names the deployment: keys of two environments never give the same hash.
  Keys(const crypto::SecretKey& secret, std::string_view environment);

  /// `mapping-` and eight hexadecimal digits that the secret determines: for one without a name.
  const std::string& derived_id() const { return derived_id_; }
  /// Says whether two have the same secret, and tells nothing of it.
  const Digest& check() const { return check_; }

  /// Over type and normal form.
  Digest identifier_hash(const Identifier& identifier) const;
  Fingerprint keyed(const Fingerprint& plain) const;
  AnswerDigests keyed(const AnswerDigests& plain) const;

  /// A fingerprint, encrypted; bound to its transaction.
  std::string seal(const Fingerprint& plain, const Uuid& transaction, Env& env) const;
  std::optional<Fingerprint> open(std::string_view sealed, const Uuid& transaction) const;

  /// Encrypts other keys; bound to `context`.
  std::string wrap(const crypto::SecretKey& key, std::string_view context, Env& env) const;
  std::optional<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) const;

  // What rows of before version 4 of the store were made with: straight from the text.

  Digest first_identity_hash(std::string_view authority, const SenderIdentity& identity) const;
  Digest first_content_hash(std::string_view content) const;
  Digest first_answer_hash(std::string_view client, std::string_view key) const;
  std::optional<std::string> open_first_value(IdentifierType type, const Uuid& procedure,
                                              std::string_view sealed) const;

 private:
  struct Derived;
  std::string derived_id_;
  Digest check_{};
  std::shared_ptr<const Derived> derived_;
};

/// An identifier under the key of its procedure; bound to its type and the pseudonym.
std::string seal_value(const crypto::SecretKey& key, const Identifier& identifier,
                       const Uuid& procedure, Env& env);
/// The value again, or nothing if the row was tampered with.
std::optional<std::string> open_value(const crypto::SecretKey& key, IdentifierType type,
                                      const Uuid& procedure, std::string_view sealed);

}  // namespace flora::privacy
