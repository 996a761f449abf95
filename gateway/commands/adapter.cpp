// `flora-gateway adapter …`: what the author of a bundle uses, without a running gateway and
// without settings.
#include <algorithm>
#include <array>
#include <iostream>

#include "gateway/commands/adapter_tools.h"

namespace flora::commands {
namespace {

constexpr const char* kHelp =
    "flora-gateway adapter <command> [--json] [--statuses <file>]\n"
    "  new <id> --sample <file> --out <folder> [--format <format>] [--land DE-…]\n"
    "                                  make a bundle for messages like the sample; lint then\n"
    "                                  names what its author must fill in\n"
    "  lint <folder>…                  name all mistakes of all bundles\n"
    "  explain <number>                what a mistake such as A007 means\n"
    "  explain <folder> <message>      why something of a message was rejected or skipped\n"
    "  try <folder> <message>          show how each value comes from the message to the event;\n"
    "                                  it shows the values themselves, so use it on your own\n"
    "                                  machine with your own files, and do not pass it on\n"
    "  test <folder>… [--write]        run the fixtures, each three times and shuffled;\n"
    "                                  --write: write the expected results anew\n"
    "  bench <folder> <message>        translate for two seconds\n"
    "--statuses names the catalogue, config/statuses.yaml unless given. Exit codes: 0 done,\n"
    "1 found something (a mistake, a failure, a rejection), 2 the command line is wrong.\n";

struct Tool {
  std::string_view name;
  std::size_t fewest = 0;  // Words behind the name.
  std::size_t most = 0;
  int (*run)(const tools::Call& call) = nullptr;
};

constexpr std::size_t kMany = 1000;

constexpr std::array kTools = {
    Tool{"new", 1, 1, tools::make_bundle}, Tool{"lint", 1, kMany, tools::lint},
    Tool{"explain", 1, 2, tools::explain}, Tool{"try", 2, 2, tools::try_message},
    Tool{"test", 1, kMany, tools::test},   Tool{"bench", 2, 2, tools::bench},
};

}  // namespace

int adapter(const CommandLine& line, Env& env) {
  if (line.has("--help")) {
    std::cout << kHelp;
    return 0;
  }
  const std::string name = line.words.size() > 1 ? line.words[1] : "";
  const auto* tool = std::find_if(kTools.begin(), kTools.end(),
                                  [&](const Tool& known) { return known.name == name; });
  const std::size_t words = line.words.size() < 2 ? 0 : line.words.size() - 2;
  if (tool == kTools.end() || words < tool->fewest || words > tool->most) {
    std::cerr << kHelp;
    return 2;
  }
  tools::Call call{&line, {line.words.begin() + 2, line.words.end()}, line.has("--json"), &env};
  for (std::string& word : call.words) {
    while (word.size() > 1 && word.ends_with('/'))
      word.pop_back();  // As a shell completes folders.
  }
  return tool->run(call);
}

}  // namespace flora::commands
