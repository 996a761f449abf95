// Compiles the schemas of one document into one program. Internal to openapi.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/yaml.h"
#include "openapi/schema.h"
#include "openapi/schema_program.h"

namespace flora::openapi {

/// "file:line:column: what", as Errc::invalid.
Error error_at(std::string_view file, const yaml::Position& at, std::string_view what);

/// The node at a pointer such as "#/components/schemas/X" (RFC 6901 in a URI fragment), or nullptr.
const yaml::Node* resolve(const yaml::Node& root, std::string_view pointer);

/// Not thread-safe. The schemas that it gives out may be used once the last compile() has returned.
class SchemaCompiler {
 public:
  /// `root` must outlive the compiler.
  SchemaCompiler(const yaml::Node& root, std::string_view file)
      : root_(root), file_(file), program_(std::make_shared<SchemaProgram>()) {}

  /// Errors: invalid, with the place.
  Result<Schema> compile(const yaml::Node& node);

  /// Compiles what stands at a pointer, once. Errors: invalid, with `at` as the place if nothing
  /// stands there.
  Result<Schema> compile_at(std::string_view pointer, const yaml::Position& at);

 private:
  using Index = std::uint32_t;
  static constexpr Index kInProgress = kNoRule;

  Result<Index> rule_of(const yaml::Node& node);
  Result<Index> rule_at(std::string_view pointer, const yaml::Position& at);
  Result<void> read_keyword(Rule& rule, std::string_view keyword, const yaml::Node& value,
                            const yaml::Position& at);
  Result<void> read_shape(Rule& rule, std::string_view keyword, const yaml::Node& value);
  Result<void> read_bound(Rule& rule, std::string_view keyword, const yaml::Node& value);
  Result<void> read_type(Rule& rule, const yaml::Node& value);
  Result<void> read_format(Rule& rule, const yaml::Node& value);
  Result<void> read_pattern(Rule& rule, const yaml::Node& value);
  Result<void> read_values(Rule& rule, const yaml::Node& value);
  Result<void> read_properties(Rule& rule, const yaml::Node& value);
  Result<void> read_required(Rule& rule, const yaml::Node& node);
  Result<void> read_branches(std::vector<Index>& branches, const yaml::Node& value);
  Result<void> check_sense(const Rule& rule, const yaml::Node& node) const;
  Error error(const yaml::Position& at, std::string_view what) const {
    return error_at(file_, at, what);
  }

  const yaml::Node& root_;
  std::string file_;
  std::shared_ptr<SchemaProgram> program_;
  std::map<std::string, Index, std::less<>> done_;
};

}  // namespace flora::openapi
