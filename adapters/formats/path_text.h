// How the steps of a path are told apart, for the formats whose places are paths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace flora::adapter {

/// One step as it is written: `name`, or `name[key="text"]`.
struct StepText {
  std::string_view name;
  std::string_view key;  ///< Empty: there is no filter.
  std::string_view text;
};

/// Cuts at the `/` that stand outside of filters. Errors: invalid.
Result<std::vector<StepText>> steps_of(std::string_view path);

}  // namespace flora::adapter
