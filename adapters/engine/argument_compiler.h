// Compiles what stands beside the name of a function in a `do` list.
#pragma once

#include "adapters/engine/bundle.h"
#include "adapters/engine/functions.h"

namespace flora::adapter {

/// Reads an argument of any kind but map into `call`; mistakes are noted in `bundle`, each at its
/// own place.
void compile_argument(const yaml::Node& node, Argument kind, Bundle& bundle, Call& call);

/// The call as it is when an argument that may be left out is left out.
void default_argument(Argument kind, Call& call);

}  // namespace flora::adapter
