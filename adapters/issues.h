// What the author of a bundle, or the sender, can do about each kind of issue.
#pragma once

#include <span>
#include <string_view>

namespace flora::adapter {

struct IssueKind {
  std::string_view code;
  std::string_view advice;  ///< Some sentences.
};

/// All issue codes of the engine and the formats.
std::span<const IssueKind> issue_kinds();

/// What to do about an issue; codes that the engine does not know are the bundle's own reasons.
std::string_view advice_for(std::string_view code);

}  // namespace flora::adapter
