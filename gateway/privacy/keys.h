// The keys of the privacy gate, and the keyed forms in which identifiers are kept: a hash to look
// them up and an encrypted value. Whoever has the store but not the secret learns nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/status_event.h"

namespace flora::privacy {

/// Immutable and thread-safe. The secret itself is not kept; each purpose has a key of its own.
class Keys {
 public:
  /// From 32 random bytes. `environment` names the deployment: keys of two environments never give
  /// the same hash. Errors: invalid (another length).
  static Result<Keys> from_secret(std::string_view secret, std::string_view environment);

  /// From the environment variable FLORA_MAPPING_SECRET (Base 64), or else from the file (Base 64
  /// in one line). Errors: not_found (neither is there), invalid.
  static Result<Keys> load(const std::string& file, std::string_view environment, Env& env);

  /// Over type and normal form.
  Digest identifier_hash(const Identifier& identifier) const;

  /// Over authority, source and id, unambiguously delimited.
  Digest identity_hash(std::string_view authority, const SenderIdentity& identity) const;

  /// Over the content of an event (fingerprint_text) or the bytes of a native record.
  Digest content_hash(std::string_view content) const;

  /// Over an Idempotency-Key and the client that sent it.
  Digest idempotency_hash(std::string_view client, std::string_view key) const;

  /// The value, encrypted; bound to its type and to the procedure's pseudonym.
  std::string seal(const Identifier& identifier, const Uuid& procedure, Env& env) const;
  /// The value again, or nothing if the row was tampered with.
  std::optional<std::string> open(IdentifierType type, const Uuid& procedure,
                                  std::string_view sealed) const;

 private:
  Keys() = default;
  Digest lookup_{};
  Digest value_{};
  Digest identity_{};
  Digest content_{};
  Digest idempotency_{};
};

}  // namespace flora::privacy
