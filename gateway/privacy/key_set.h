// Start here for keys. All keys of the mapping that are in use at one time: the current ones, which
// new rows are made with, and older ones, which rows may still name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/model/mapping_keys.h"
#include "gateway/privacy/keys.h"
#include "gateway/privacy/wrapping_key.h"

namespace flora::privacy {

struct NamedLookupKey {
  std::string id;
  Keys keys;
};

struct NamedWrappingKey {
  std::string id;
  std::unique_ptr<WrappingKey> key;
};

class KeySet final : public MappingKeys {
 public:
  /// The first of each list is the current one; `mapping_secret`, if there is one, comes behind
  /// both lists under the id that it determines. Errors: invalid (no key, or one id twice).
  static Result<std::shared_ptr<const KeySet>> make(std::vector<NamedLookupKey> lookup,
                                                    std::vector<NamedWrappingKey> wrapping,
                                                    const std::optional<Keys>& mapping_secret,
                                                    Env& env);

  const std::vector<std::string>& lookup_ids() const override { return lookup_ids_; }
  const std::vector<std::string>& wrapping_ids() const override { return wrapping_ids_; }
  std::optional<std::size_t> first_lookup() const override { return first_; }

  Digest lookup_check(std::size_t lookup) const override;
  Digest identifier_hash(std::size_t lookup, const Identifier& identifier) const override;
  Fingerprint keyed(std::size_t lookup, const Fingerprint& plain) const override;
  AnswerDigests keyed(std::size_t lookup, const AnswerDigests& plain) const override;
  std::string seal(std::size_t lookup, const Fingerprint& plain,
                   const Uuid& transaction) const override;
  std::optional<Fingerprint> open(std::size_t lookup, std::string_view sealed,
                                  const Uuid& transaction) const override;
  crypto::SecretKey new_key() const override;
  Result<std::string> wrap(const crypto::SecretKey& key, const Uuid& procedure) const override;
  Result<crypto::SecretKey> unwrap(std::size_t wrapping, std::string_view wrapped,
                                   const Uuid& procedure) const override;
  std::string seal_value(const crypto::SecretKey& key, const Identifier& identifier,
                         const Uuid& procedure) const override;
  std::optional<std::string> open_value(const crypto::SecretKey& key, IdentifierType type,
                                        const Uuid& procedure,
                                        std::string_view sealed) const override;
  std::optional<std::string> open_first_value(IdentifierType type, const Uuid& procedure,
                                              std::string_view sealed) const override;

 private:
  KeySet(std::vector<NamedLookupKey> lookup, std::vector<NamedWrappingKey> wrapping, Env& env);

  const std::vector<NamedLookupKey> lookup_;
  const std::vector<NamedWrappingKey> wrapping_;
  std::vector<std::string> lookup_ids_;
  std::vector<std::string> wrapping_ids_;
  std::optional<std::size_t> first_;
  Env& env_;
};

}  // namespace flora::privacy
