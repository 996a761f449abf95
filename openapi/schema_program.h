// The compiled form of a schema document: rules in one vector that refer to each other by index.
// Internal to openapi.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "openapi/text_pattern.h"

namespace flora::openapi {

enum class Type : std::uint8_t { any, null, boolean, integer, number, string, array, object };
enum class Format : std::uint8_t { none, date, date_time, uuid };

/// A value of `enum` or `const` that is no string.
using Scalar = std::variant<std::nullptr_t, bool, std::int64_t, double>;

inline constexpr std::uint32_t kNoRule = 0xFFFFFFFFu;

/// A member that `properties` names.
struct Property {
  std::string name;
  std::uint32_t rule = kNoRule;
  int required_bit = -1;  ///< Its bit in Rule::required_mask, or -1.
};

/// One schema object. Members with the value that nothing states are checked by nothing.
struct Rule {
  Type type = Type::any;
  bool nullable = false;
  Format format = Format::none;
  bool closed = false;  ///< additionalProperties: false.
  bool unique = false;  ///< uniqueItems.
  bool has_enum = false;
  std::vector<std::string> texts;  ///< Strings of enum or const, sorted.
  std::vector<Scalar> values;      ///< The others.
  bool is_const = false;
  std::vector<Property> properties;  ///< Sorted by name.
  std::uint64_t required_mask = 0;
  std::uint32_t items = kNoRule;
  std::size_t min_items = 0;
  std::size_t max_items = std::numeric_limits<std::size_t>::max();
  std::size_t min_length = 0;
  std::size_t max_length = std::numeric_limits<std::size_t>::max();
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<TextPattern> pattern;
  std::vector<std::uint32_t> all_of;
  std::vector<std::uint32_t> any_of;
  std::vector<std::uint32_t> one_of;
};

class SchemaProgram {
 public:
  std::vector<Rule> rules;
};

}  // namespace flora::openapi
