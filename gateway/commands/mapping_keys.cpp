#include "gateway/commands/mapping_keys.h"

#include <utility>

namespace flora::commands {
namespace {

Error in_key(const settings::Key& key, Error error) {
  error.message = "key \"" + key.id + "\": " + error.message;
  return error;
}

Result<privacy::Keys> load(const settings::Settings& settings, const privacy::SecretSource& source,
                           Env& env) {
  FLORA_ASSIGN(const crypto::SecretKey secret, privacy::read_secret(source, env));
  return privacy::Keys(secret, settings.environment);
}

}  // namespace

Result<std::optional<privacy::Keys>> load_mapping_secret(const settings::Settings& settings,
                                                         Env& env) {
  if (settings.mapping_secret_file.empty()) return std::optional<privacy::Keys>();
  FLORA_ASSIGN(privacy::Keys keys,
               load(settings, {kMappingSecretVariable, settings.mapping_secret_file}, env));
  return std::optional(std::move(keys));
}

Result<privacy::Keys> load_lookup_key(const settings::Settings& settings, const settings::Key& key,
                                      Env& env) {
  auto keys = load(settings, {key.variable, key.file}, env);
  if (!keys) return in_key(key, keys.error());
  return keys;
}

Result<std::unique_ptr<privacy::WrappingKey>> load_wrapping_key(const settings::Settings& settings,
                                                                const settings::Key& key,
                                                                Env& env) {
  if (!key.pkcs11) {
    FLORA_ASSIGN(privacy::Keys keys, load_lookup_key(settings, key, env));
    return privacy::wrapping_key(std::move(keys), env);
  }
  auto opened = privacy::wrapping_key(*key.pkcs11, env);
  if (!opened) return in_key(key, opened.error());
  return opened;
}

Result<std::vector<privacy::Keys>> load_lookup_keys(const settings::Settings& settings, Env& env) {
  std::vector<privacy::Keys> all;
  for (const settings::Key& key : settings.keys.lookup) {
    FLORA_ASSIGN(privacy::Keys keys, load_lookup_key(settings, key, env));
    all.push_back(std::move(keys));
  }
  FLORA_ASSIGN(auto secret, load_mapping_secret(settings, env));
  if (secret) all.push_back(std::move(*secret));
  return all;
}

Result<std::shared_ptr<const privacy::KeySet>> load_keys(const settings::Settings& settings,
                                                         Env& env) {
  std::vector<privacy::NamedLookupKey> lookup;
  for (const settings::Key& key : settings.keys.lookup) {
    FLORA_ASSIGN(privacy::Keys keys, load_lookup_key(settings, key, env));
    lookup.push_back({key.id, std::move(keys)});
  }
  std::vector<privacy::NamedWrappingKey> wrapping;
  for (const settings::Key& key : settings.keys.wrapping) {
    FLORA_ASSIGN(auto wrapping_key, load_wrapping_key(settings, key, env));
    wrapping.push_back({key.id, std::move(wrapping_key)});
  }
  FLORA_ASSIGN(const auto secret, load_mapping_secret(settings, env));
  return privacy::KeySet::make(std::move(lookup), std::move(wrapping), secret, env);
}

}  // namespace flora::commands
