// JSON messages. Places are written as JSON Pointers (RFC 6901): `/a/b` from the message's root,
// `./b` from the place of the rule, `.` that place itself. A `*` stands for each item of an array;
// what is null counts as absent.
#pragma once

#include "adapters/formats/reader.h"

namespace flora::adapter {

class JsonReader final : public DocumentReader {
 public:
  std::vector<std::string> media_types() const override { return {"application/json"}; }
  PathStyle path_style() const override { return PathStyle::pointer; }
  bool names_messages() const override { return false; }
  Result<Path> path(std::string_view text, std::vector<SpacePrefix>& prefixes) const override;
  Result<RootPattern> root(std::string_view text,
                           std::vector<SpacePrefix>& prefixes) const override;
  std::optional<CodedParts> coded_parts() const override;
  std::optional<Issue> read(std::string_view message, const MessageLimits& limits,
                            Walk& walk) const override;
};

}  // namespace flora::adapter
