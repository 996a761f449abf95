// XML messages. Places are written as a subset of XPath 1.0: `a/b`, `@c`, `a/@c`, `.`, `/*/a` (from
// the root element), and `local-name()`, `namespace-uri()` of the place of the rule. A name without
// a prefix has no namespace; prefixes stand for the namespace URIs that the bundle declares.
#pragma once

#include "adapters/formats/reader.h"

namespace flora::adapter {

class XmlReader final : public Reader {
 public:
  explicit XmlReader(std::vector<std::string> spaces) : spaces_(std::move(spaces)) {}

  std::string_view media_type() const override { return "application/xml"; }
  Result<Path> path(std::string_view text, std::vector<SpacePrefix>& prefixes) const override;
  Result<RootPattern> root(std::string_view text,
                           std::vector<SpacePrefix>& prefixes) const override;
  std::optional<CodedParts> coded_parts() const override;
  std::optional<Issue> read(std::string_view message, const MessageLimits& limits,
                            Walk& walk) const override;

 private:
  std::vector<std::string> spaces_;
};

}  // namespace flora::adapter
