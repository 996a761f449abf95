// Everything that the gateway is started with, looked at as a whole before it starts.
#pragma once

#include <memory>

#include "gateway/base/findings.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"

namespace flora::commands {

struct Examined {
  settings::Settings settings;
  std::unique_ptr<Definitions> definitions;  ///< Null if there are errors.
  Findings findings;
};

/// Reads settings, statuses, policy, adapters, keys and certificates, and looks at the folders; it
/// makes and changes nothing. What others than the gateway's user may read or change, and must not,
/// is an error; in the environment `development` a warning.
Examined examine(const Source& source, Env& env);

/// Tells if others than owner and group may change the policy's file, as examine() does.
void check_policy_file(const settings::Settings& settings, Findings& findings);

/// Tells what is wrong with the keys of the mapping, as examine() does.
void check_keys(const settings::Settings& settings, Env& env, Findings& findings);

/// On stderr, one line each.
void print(const Findings& findings);

/// What the server needs to know of a listener.
http::ListenerOptions listener_options(const settings::Listener& listener);

}  // namespace flora::commands
