// The schema validator of the interface: a small, closed subset of JSON Schema 2020-12, compiled
// once at start-up and then checked against values without building a tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/json.h"
#include "gateway/base/result.h"
#include "gateway/base/yaml.h"

namespace flora::openapi {

/// One rule that a value breaks. Holds no text of the value: `detail` shows at most its shape
/// (digits as 9, letters as a or A), and only if the value is short.
struct Violation {
  std::string pointer;  ///< JSON Pointer (RFC 6901) of the value; empty for the whole.
  std::string rule;     ///< The keyword, such as `required` or `pattern`.
  std::string detail;   ///< One English sentence.
};

/// The shape of a text: digits as 9, upper-case letters as A, other letters and bytes above ASCII
/// as a, everything else as it is but control characters. Empty if the text has more than 40 bytes.
std::string shape_of(std::string_view text);

class SchemaProgram;

/// A compiled schema. Immutable and thread-safe; a cheap handle that keeps what it needs alive.
///
/// Understood are: type (one name, or one name and "null"), properties, required,
/// additionalProperties (true or false), items, minItems, maxItems, uniqueItems, enum and const
/// (scalars), pattern (RE2), format (date, date-time, uuid; int32 and int64 are
/// read over), minLength, maxLength (code points),
/// minimum, maximum, oneOf, anyOf, allOf, $ref (within the document); title, description, example,
/// examples, default, deprecated, readOnly, writeOnly and x-… are read over. Two rules are stricter
/// than JSON Schema: an integer is written without fraction and exponent, and a date-time has the
/// letters T and Z in upper case, at most nine decimals and no leap second.
class Schema {
 public:
  /// Accepts every value.
  Schema() = default;

  /// Compiles the schema that stands at `pointer` ("#/components/schemas/X") of `root`, to which
  /// every $ref must lead as well. `file` stands in messages. Errors: invalid, "file:line:column:
  /// what" — an unknown keyword, a reference to nothing or in a circle, a contradiction.
  static Result<Schema> compile(const yaml::Node& root, std::string_view pointer,
                                std::string_view file);

  /// True if the value keeps every rule; allocates nothing then. Otherwise appends what is broken,
  /// at most `max` violations, and at least one.
  bool validate(const json::Value& value, std::vector<Violation>& out, std::size_t max = 32) const;

  /// The same for the text of a parameter or header field, which is read as the type that the
  /// schema names: a string as it stands, an integer or boolean in its JSON form.
  bool validate_text(std::string_view text, std::vector<Violation>& out) const;

  /// True if this is the default, which accepts everything.
  bool accepts_all() const { return program_ == nullptr; }

 private:
  friend class SchemaCompiler;
  Schema(std::shared_ptr<const SchemaProgram> program, std::uint32_t rule)
      : program_(std::move(program)), rule_(rule) {}
  std::shared_ptr<const SchemaProgram> program_;
  std::uint32_t rule_ = 0;
};

}  // namespace flora::openapi
