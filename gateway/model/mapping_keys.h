// What the store and the privacy gate say to each other: the store knows which row was made with
// which key and never sees one but a procedure's own; the privacy gate has the keys and keeps no
// rows.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/result.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"

namespace flora {

/// What an event is recognised by. As digests before a key comes in it stays in memory: a row has
/// them keyed, and sealed.
struct Fingerprint {
  Digest identity{};              ///< Of authority, source and id.
  std::optional<Digest> content;  ///< Of the canonical event; nothing: the identity is reserved.
  std::optional<Digest> native;   ///< Of the native record that it came from.
  bool operator==(const Fingerprint&) const = default;
};

/// What an answer under an Idempotency-Key is kept and recognised by.
struct AnswerDigests {
  Digest key{};      ///< Of the client and the Idempotency-Key.
  Digest request{};  ///< Of method, path and body.
};

/// A set of keys. A lookup key makes the hashes that rows are found by; a wrapping key encrypts the
/// keys of procedures. Both kinds are named by ids, and below by their places in these lists.
/// Immutable. The lookup and value functions are thread-safe; what wraps and unwraps is for one
/// thread at a time.
class MappingKeys {
 public:
  virtual ~MappingKeys() = default;

  /// The current key is the first one; at least one each.
  virtual const std::vector<std::string>& lookup_ids() const = 0;
  virtual const std::vector<std::string>& wrapping_ids() const = 0;

  /// Where the secret stands, in both lists, that rows of before schema version 4 were made with.
  virtual std::optional<std::size_t> first_lookup() const = 0;

  /// Says, without telling it, which lookup key has the id.
  virtual Digest lookup_check(std::size_t lookup) const = 0;
  virtual Digest identifier_hash(std::size_t lookup, const Identifier& identifier) const = 0;
  virtual Fingerprint keyed(std::size_t lookup, const Fingerprint& plain) const = 0;
  virtual AnswerDigests keyed(std::size_t lookup, const AnswerDigests& plain) const = 0;

  /// The plain fingerprint of a transaction, encrypted under the lookup key: another key can take
  /// over. Nothing if it was tampered with.
  virtual std::string seal(std::size_t lookup, const Fingerprint& plain,
                           const Uuid& transaction) const = 0;
  virtual std::optional<Fingerprint> open(std::size_t lookup, std::string_view sealed,
                                          const Uuid& transaction) const = 0;

  /// A procedure's own random key, and the same under the current wrapping key, bound to its id and
  /// the procedure's pseudonym. Errors: unavailable (the token).
  virtual crypto::SecretKey new_key() const = 0;
  virtual Result<std::string> wrap(const crypto::SecretKey& key, const Uuid& procedure) const = 0;
  /// Errors: corrupt (it was tampered with, or the wrapping key is another one), unavailable.
  virtual Result<crypto::SecretKey> unwrap(std::size_t wrapping, std::string_view wrapped,
                                           const Uuid& procedure) const = 0;

  /// An identifier under its procedure's key, bound to its type and the procedure's pseudonym.
  virtual std::string seal_value(const crypto::SecretKey& key, const Identifier& identifier,
                                 const Uuid& procedure) const = 0;
  /// Nothing if it was tampered with.
  virtual std::optional<std::string> open_value(const crypto::SecretKey& key, IdentifierType type,
                                                const Uuid& procedure,
                                                std::string_view sealed) const = 0;
  /// The same of a row of before schema version 4; nothing also without first_lookup().
  virtual std::optional<std::string> open_first_value(IdentifierType type, const Uuid& procedure,
                                                      std::string_view sealed) const = 0;
};

}  // namespace flora
