#include <algorithm>

#include "gateway/commands/commands.h"

namespace flora::commands {

Result<CommandLine> CommandLine::parse(const std::vector<std::string>& arguments,
                                       const std::vector<std::string>& known) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("--")) {
      line.words.push_back(argument);
    } else if (std::ranges::find(known, argument + '!') != known.end()) {
      line.options.emplace_back(argument, "");
    } else if (std::ranges::find(known, argument) == known.end()) {
      return Error{Errc::invalid, "unknown option " + argument};
    } else if (i + 1 == arguments.size()) {
      return Error{Errc::invalid, argument + " needs a value"};
    } else {
      line.options.emplace_back(argument, arguments[++i]);
    }
  }
  return line;
}

std::optional<std::string> CommandLine::option(std::string_view name) const {
  for (const auto& [option, value] : options) {
    if (option == name) return value;
  }
  return std::nullopt;
}

}  // namespace flora::commands
