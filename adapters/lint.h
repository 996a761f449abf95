// What an author must still put right in a bundle, as values; for tools. Adapter::load gives the
// same as one text.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"

namespace flora::adapter {

/// One mistake, and where it stands.
struct Finding {
  std::string file;     ///< Within the bundle, such as `adapter.yaml`; of lint(): with the folder.
  int line = 0;         ///< From 1.
  int column = 0;       ///< From 1, in characters.
  std::string number;   ///< Such as `A007`; see engine/mistakes.h.
  std::string message;  ///< One sentence without place and number.

  friend auto operator<=>(const Finding&, const Finding&) = default;
};

/// "file:line:column: message [A007]".
std::string to_string(const Finding& finding);

/// All mistakes of all bundles, in the order of `folders`, each with the path of its file. Empty:
/// they would load together. `types` as in Adapter::load.
std::vector<Finding> lint(const std::vector<std::string>& folders, const CanonicalTypes* types);

}  // namespace flora::adapter
