// Collects all errors of a bundle, so that its author sees them in one run.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "gateway/base/result.h"
#include "gateway/base/yaml.h"

namespace flora::adapter {

class Diagnostics {
 public:
  void error(yaml::Position at, std::string_view what, std::string_view file = "adapter.yaml") {
    found_.emplace(std::string(file), at.line, at.column, std::string(what));
  }

  bool empty() const { return found_.empty(); }

  /// All errors, by file and place, each once: "file:line:column: what".
  Error error() const {
    std::string text;
    for (const auto& [file, line, column, what] : found_) {
      if (!text.empty()) text += '\n';
      text += file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + what;
    }
    return {Errc::invalid, text};
  }

 private:
  std::set<std::tuple<std::string, int, int, std::string>> found_;
};

}  // namespace flora::adapter
