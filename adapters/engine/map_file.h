// Reads a *.map.csv file.
#pragma once

#include <string>
#include <string_view>

#include "adapters/engine/bundle.h"

namespace flora::adapter {

/// Reads the lines of `file` into the rows of `out`. With `to_status`, each target must be one.
/// Mistakes are noted in `bundle` by line.
void read_map(std::string_view text, const std::string& file, Bundle& bundle, Map& out);

}  // namespace flora::adapter
