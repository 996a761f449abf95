#include "gateway/privacy/key_set.h"

#include <set>
#include <utility>

namespace flora::privacy {
namespace {

std::string context_of(const std::string& id, const Uuid& procedure) {
  return id + '/' + std::string(as_text(procedure.bytes));
}

Result<void> check_ids(const std::vector<std::string>& ids, const std::string& what) {
  if (ids.empty()) return Error{Errc::invalid, "there is no " + what + " key"};
  const std::set<std::string> different(ids.begin(), ids.end());
  if (different.size() == ids.size()) return {};
  return Error{Errc::invalid, "two " + what + " keys have the same id"};
}

}  // namespace

KeySet::KeySet(std::vector<NamedLookupKey> lookup, std::vector<NamedWrappingKey> wrapping, Env& env)
    : lookup_(std::move(lookup)), wrapping_(std::move(wrapping)), env_(env) {
  for (const NamedLookupKey& one : lookup_) lookup_ids_.push_back(one.id);
  for (const NamedWrappingKey& one : wrapping_) wrapping_ids_.push_back(one.id);
}

Result<std::shared_ptr<const KeySet>> KeySet::make(std::vector<NamedLookupKey> lookup,
                                                   std::vector<NamedWrappingKey> wrapping,
                                                   const std::optional<Keys>& mapping_secret,
                                                   Env& env) {
  if (mapping_secret) {
    lookup.push_back({mapping_secret->derived_id(), *mapping_secret});
    wrapping.push_back({mapping_secret->derived_id(), wrapping_key(*mapping_secret, env)});
  }
  std::shared_ptr<KeySet> set(new KeySet(std::move(lookup), std::move(wrapping), env));
  FLORA_TRY(check_ids(set->lookup_ids_, "lookup"));
  FLORA_TRY(check_ids(set->wrapping_ids_, "wrapping"));
  if (mapping_secret) set->first_ = set->lookup_.size() - 1;
  return std::shared_ptr<const KeySet>(std::move(set));
}

Digest KeySet::lookup_check(std::size_t lookup) const { return lookup_[lookup].keys.check(); }

Digest KeySet::identifier_hash(std::size_t lookup, const Identifier& identifier) const {
  return lookup_[lookup].keys.identifier_hash(identifier);
}

Fingerprint KeySet::keyed(std::size_t lookup, const Fingerprint& plain) const {
  return lookup_[lookup].keys.keyed(plain);
}

AnswerDigests KeySet::keyed(std::size_t lookup, const AnswerDigests& plain) const {
  return lookup_[lookup].keys.keyed(plain);
}

std::string KeySet::seal(std::size_t lookup, const Fingerprint& plain,
                         const Uuid& transaction) const {
  return lookup_[lookup].keys.seal(plain, transaction, env_);
}

std::optional<Fingerprint> KeySet::open(std::size_t lookup, std::string_view sealed,
                                        const Uuid& transaction) const {
  return lookup_[lookup].keys.open(sealed, transaction);
}

crypto::SecretKey KeySet::new_key() const {
  crypto::SecretKey key;
  env_.random(key.bytes);
  return key;
}

Result<std::string> KeySet::wrap(const crypto::SecretKey& key, const Uuid& procedure) const {
  const NamedWrappingKey& current = wrapping_.front();
  return current.key->wrap(key, context_of(current.id, procedure));
}

Result<crypto::SecretKey> KeySet::unwrap(std::size_t wrapping, std::string_view wrapped,
                                         const Uuid& procedure) const {
  const NamedWrappingKey& one = wrapping_[wrapping];
  return one.key->unwrap(wrapped, context_of(one.id, procedure));
}

std::string KeySet::seal_value(const crypto::SecretKey& key, const Identifier& identifier,
                               const Uuid& procedure) const {
  return privacy::seal_value(key, identifier, procedure, env_);
}

std::optional<std::string> KeySet::open_value(const crypto::SecretKey& key, IdentifierType type,
                                              const Uuid& procedure,
                                              std::string_view sealed) const {
  return privacy::open_value(key, type, procedure, sealed);
}

std::optional<std::string> KeySet::open_first_value(IdentifierType type, const Uuid& procedure,
                                                    std::string_view sealed) const {
  if (!first_) return std::nullopt;
  return lookup_[*first_].keys.open_first_value(type, procedure, sealed);
}

}  // namespace flora::privacy
