// The bounds that a server runs with: those of the settings, within what the system gives.
#pragma once

#include <cstddef>

#include "gateway/base/result.h"
#include "gateway/http/limits.h"
#include "gateway/settings/settings.h"

namespace flora::commands {

/// Connections of the listener for operators, beside those of the public one: probes and metrics
/// answer while that is full.
inline constexpr std::size_t kOperatorConnections = 64;

/// Raises this process's limit of open descriptors as far as the settings need and the system
/// allows; it is never lowered. Returns the limit.
std::size_t raise_descriptor_limit(const settings::Settings& settings);

/// Connections of the public listener within so many descriptors: databases, checkpoint, reloads
/// and operators keep theirs, so that nobody who connects can take them away. Errors: invalid, too
/// few descriptors to serve.
Result<std::size_t> connections_within(const settings::Settings& settings, std::size_t descriptors);

http::Limits limits_of(const settings::Limits& limits);
http::Deadlines deadlines_of(const settings::Limits& limits);

}  // namespace flora::commands
