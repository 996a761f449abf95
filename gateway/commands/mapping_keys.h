// The keys of the mapping, as the settings name them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gateway/privacy/key_set.h"
#include "gateway/settings/settings.h"

namespace flora::commands {

/// The environment variable that comes before the file of the mapping secret.
inline constexpr const char* kMappingSecretVariable = "FLORA_MAPPING_SECRET";

/// The keys of the mapping secret; nothing if the settings name none. Errors: not_found (run
/// `flora-gateway init`), invalid, unavailable.
Result<std::optional<privacy::Keys>> load_mapping_secret(const settings::Settings& settings,
                                                         Env& env);

/// One key; each is loaded by itself so that a check can tell all that is wrong. Errors: as above,
/// and those of a token.
Result<privacy::Keys> load_lookup_key(const settings::Settings& settings, const settings::Key& key,
                                      Env& env);
Result<std::unique_ptr<privacy::WrappingKey>> load_wrapping_key(const settings::Settings& settings,
                                                                const settings::Key& key, Env& env);

/// All that rows may be found by. Errors: as above.
Result<std::vector<privacy::Keys>> load_lookup_keys(const settings::Settings& settings, Env& env);

/// All of them. Opens a session for each key within a token. Errors: as above.
Result<std::shared_ptr<const privacy::KeySet>> load_keys(const settings::Settings& settings,
                                                         Env& env);

}  // namespace flora::commands
