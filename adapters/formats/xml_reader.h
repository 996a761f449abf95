// XML messages. Places are written as a subset of XPath 1.0: `a/b`, `@c`, `a/@c`, `.`, `/*/a` (from
// the root element), and `local-name()`, `namespace-uri()` of the place of the rule. A name without
// a prefix has no namespace; prefixes stand for the namespace URIs that the bundle declares.
#pragma once

#include "adapters/formats/reader.h"
#include "adapters/formats/xml_scanner.h"

namespace flora::adapter {

/// What the sender is told of an error of the scanner.
Issue issue_of(const XmlScanner::Error& error, std::string_view message);

class XmlReader : public DocumentReader {
 public:
  explicit XmlReader(std::vector<std::string> spaces) : spaces_(std::move(spaces)) {}

  /// text/xml is the old name of application/xml (RFC 7303 §9.1).
  std::vector<std::string> media_types() const override { return {"application/xml", "text/xml"}; }
  PathStyle path_style() const override { return PathStyle::xpath; }
  bool names_messages() const override { return true; }
  Result<Path> path(std::string_view text, std::vector<SpacePrefix>& prefixes) const override;
  Result<RootPattern> root(std::string_view text,
                           std::vector<SpacePrefix>& prefixes) const override;
  std::optional<CodedParts> coded_parts() const override;
  std::optional<Issue> read(std::string_view message, const MessageLimits& limits,
                            Walk& walk) const override;

 protected:
  const std::vector<std::string> spaces_;
};

}  // namespace flora::adapter
