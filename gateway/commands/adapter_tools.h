// What the subcommands of `adapter` share. Each prints text for people, or JSON with --json.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lint.h"
#include "adapters/trace.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"

namespace flora::commands::tools {

using Json = nlohmann::ordered_json;

/// One call of a subcommand: the words behind its name, and its options.
struct Call {
  const CommandLine* line = nullptr;
  std::vector<std::string> words;
  bool json = false;
  Env* env = nullptr;
};

/// The catalogue of --statuses (config/statuses.yaml) and what adapters may say by it.
struct Types {
  Canonical canonical;
  adapter::CanonicalTypes types;
};
Result<Types> load_types(const Call& call);

/// A bundle with the text of its adapter.yaml, and the message that it is tried on.
struct Subject {
  std::unique_ptr<adapter::Adapter> adapter;
  std::vector<std::string> rules;  ///< The lines of adapter.yaml.
  std::string file;                ///< The path of the message.
  std::string message;
};

/// Runs `run` on the bundle in the first word and the message in the second. If the bundle does not
/// compile, its mistakes are shown, and the exit code is 1.
int with_subject(const Call& call, int (*run)(const Call& call, const Subject& subject));

void print(const Json& json);
/// Mistakes as a JSON array, or one to a line.
Json to_json(const std::vector<adapter::Finding>& findings);
void print_text(const std::vector<adapter::Finding>& findings);
Json to_json(const adapter::Location& at);

/// "line 3, column 26, /*/item[1]/day", or "the message as a whole".
std::string to_text(const adapter::Location& at);

/// What stands in adapter.yaml from a place to the end of its line, without space around it.
std::string rule_text(const Subject& subject, adapter::RulePlace at);

/// "1 bundle", "2 bundles".
std::string number_of(std::size_t count, std::string_view thing);

/// 1 if the message or an item of it was rejected, else 0.
int exit_code(const adapter::Translation& translation);

/// "event", "rejected", "skipped".
std::string_view to_text(adapter::Item::Outcome outcome);

int make_bundle(const Call& call);
int lint(const Call& call);
int test(const Call& call);
int explain(const Call& call);
int try_message(const Call& call);
int bench(const Call& call);

}  // namespace flora::commands::tools
