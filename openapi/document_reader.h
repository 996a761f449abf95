// Reads operations and schemas out of the document's tree. Internal to openapi.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/yaml.h"
#include "openapi/document.h"
#include "openapi/schema_compiler.h"

namespace flora::openapi {

/// Not thread-safe; `root` must outlive it. All errors are invalid, with the place.
class DocumentReader {
 public:
  DocumentReader(const yaml::Node& root, std::string_view file)
      : root_(root), file_(file), compiler_(root, file) {}

  Result<std::vector<Operation>> operations();

  /// Every schema under components, by name.
  Result<std::vector<std::pair<std::string, Schema>>> schemas();

 private:
  Result<void> read_path(const std::string& path, const yaml::Node& item,
                         std::vector<Operation>& out);
  Result<Operation> read_operation(const std::string& path, const std::string& method,
                                   const yaml::Node& item, const yaml::Node& node);
  Result<Access> read_access(const yaml::Node& node);
  Result<void> read_flags(Operation& operation, const yaml::Node& item, const yaml::Node& node);
  Result<void> read_parameters(Operation& operation, const yaml::Node* list);
  Result<void> read_body(Operation& operation, const yaml::Node& node);
  Result<void> read_responses(Operation& operation, const yaml::Node& node);
  Result<std::vector<MediaType>> read_content(const yaml::Node& holder);
  Result<std::vector<ResponseHeader>> read_headers(const yaml::Node& response);

  /// The node itself, or what its $ref leads to.
  Result<const yaml::Node*> follow(const yaml::Node& node) const;
  /// A member that must be there.
  Result<const yaml::Node*> need(const yaml::Node& node, std::string_view name) const;
  Error error(const yaml::Position& at, std::string_view what) const {
    return error_at(file_, at, what);
  }

  const yaml::Node& root_;
  std::string file_;
  SchemaCompiler compiler_;
};

}  // namespace flora::openapi
