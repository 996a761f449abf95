// What a format brings: how its places are written in a bundle, and how a message of it is walked.
// To add a format, write a Reader and name it in find_reader().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/plan.h"

namespace flora::adapter {

class Walk;

/// One step of a path from a place to another.
struct PathStep {
  enum class Kind : std::uint8_t { child, attribute, local_name, space_name };
  Kind kind = Kind::child;
  std::uint64_t spaces = 1;
  std::string name;
};

struct Path {
  bool from_root = false;  ///< From the message's root, not from the place of the rule.
  std::vector<PathStep> steps;
};

/// A prefix of the bundle and the namespaces that it stands for.
struct SpacePrefix {
  std::string prefix;
  std::uint64_t spaces = 0;
  bool used = false;
  yaml::Position at;
};

/// Where the parts of a coded value stand, seen from the value.
struct CodedParts {
  PathStep code, list, version;
};

/// Stateless and thread-safe.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual std::string_view media_type() const = 0;

  /// Errors: invalid, "what is wrong" without a location; not_found, the same, if the place uses a
  /// name that the bundle does not declare. Marks the prefixes that it used.
  virtual Result<Path> path(std::string_view text, std::vector<SpacePrefix>& prefixes) const = 0;

  /// The pattern of a message's root; as path().
  virtual Result<RootPattern> root(std::string_view text,
                                   std::vector<SpacePrefix>& prefixes) const = 0;

  /// Nothing if the format knows no coded values.
  virtual std::optional<CodedParts> coded_parts() const = 0;

  /// Reads the message from end to end and tells the walk what it finds. The reason if the message
  /// is not well-formed.
  virtual std::optional<Issue> read(std::string_view message, const MessageLimits& limits,
                                    Walk& walk) const = 0;
};

/// The reader of a format, made for these namespaces, or nullptr if there is no such format.
std::unique_ptr<Reader> find_reader(std::string_view format,
                                    const std::vector<std::string>& spaces);

}  // namespace flora::adapter
