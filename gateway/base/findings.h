// What is wrong with the files that people write: all of it at once, each with its place, so that
// nobody has to mend one mistake to be told of the next.
#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/yaml.h"

namespace flora {

/// A place in a file; line 0: the file as a whole.
struct Place {
  std::string file;
  yaml::Position at = {};

  auto operator<=>(const Place&) const = default;
};

struct Finding {
  enum class Weight : std::uint8_t {
    error,   ///< It cannot be used as it is.
    warning  ///< It can, but its author may not have meant it.
  };
  Place place;
  Weight weight = Weight::error;
  std::string what;

  auto operator<=>(const Finding&) const = default;
};

/// "file:line:column: what"; a warning says that it is one.
std::string to_string(const Finding& finding);

class Findings {
 public:
  void error(Place place, std::string what);
  void warning(Place place, std::string what);
  void add(const Findings& others) { found_.insert(others.found_.begin(), others.found_.end()); }

  bool has_errors() const;
  /// By file and place, each once.
  std::vector<Finding> all() const { return {found_.begin(), found_.end()}; }
  /// The errors, one per line. Only if there are any.
  Error to_error() const;

 private:
  std::set<Finding> found_;
};

}  // namespace flora
