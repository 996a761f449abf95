// A new bundle from a sample. What only its author can know is left open, so that lint names it:
// that is the list of what to do next.
#pragma once

#include <string>
#include <string_view>

#include "adapters/sample.h"

namespace flora::adapter {

struct Skeleton {
  std::string adapter_yaml;
  std::string code_list;  ///< status.map.csv: its head line.
  std::string readme;
};

/// `land` may be empty, which lint then names. `sample_name` is the name of the sample's file.
Skeleton make_skeleton(std::string_view id, std::string_view land, const Sample& sample,
                       std::string_view sample_name);

}  // namespace flora::adapter
