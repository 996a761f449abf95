// Texts of lines, each ended by a line feed.
#pragma once

#include <optional>
#include <string_view>

namespace flora::ledger {

/// The first line of `rest`, without its line feed, which is removed from `rest` too. Nothing: no
/// line feed is left.
inline std::optional<std::string_view> next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

}  // namespace flora::ledger
