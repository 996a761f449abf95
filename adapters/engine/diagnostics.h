// Collects all errors of a bundle, so that its author sees them in one run.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/mistakes.h"
#include "adapters/lint.h"
#include "gateway/base/yaml.h"

namespace flora::adapter {

class Diagnostics {
 public:
  void error(yaml::Position at, Mistake mistake, std::string_view what,
             std::string_view file = "adapter.yaml") {
    found_.insert({std::string(file), at.line, at.column, number_of(mistake), std::string(what)});
  }

  /// All errors, by file and place, each once.
  std::vector<Finding> all() const { return {found_.begin(), found_.end()}; }

 private:
  std::set<Finding> found_;
};

}  // namespace flora::adapter
