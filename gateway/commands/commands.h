// The subcommands of flora-gateway. Each prints what it did and returns the exit code
// (exit_code.h).
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/settings/settings.h"

namespace flora::commands {

/// `--name value` options and the words between them.
struct CommandLine {
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> options;

  /// Errors: invalid (an option that is not in `known`, or lacks its value). A name that ends in
  /// `!` is a switch without value.
  static Result<CommandLine> parse(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& known);
  std::optional<std::string> option(std::string_view name) const;
  bool has(std::string_view name) const { return option(name).has_value(); }
};

/// Where settings come from.
struct Source {
  std::string file;
  settings::Overrides overrides;
};

/// Runs the gateway until SIGTERM or SIGINT; at SIGHUP it reads again what reloader.h names.
int serve(const Source& source, const std::optional<std::string>& port_file, Env& env);

/// Reads and compiles everything that serve would, opens nothing, and prints all that is wrong:
/// a line "file:line:column: what" each, or one JSON object if the command line has `--json`.
int check(const Source& source, const CommandLine& line, Env& env);

/// Makes the keys that are missing in the data folder.
int init(const settings::Settings& settings, Env& env);

/// `ledger verify|fsck|backup|restore|prune-backups|rebuild`.
int ledger(const settings::Settings& settings, const CommandLine& line, Env& env);

/// `outbox failed`, also beside a running gateway, and `outbox retry`.
int outbox(const settings::Settings& settings, const CommandLine& line, Env& env);

/// `audit verify|list|export|accept-loss`; all but the last also beside a running gateway.
int audit(const settings::Settings& settings, const CommandLine& line, Env& env);

/// `subject-report`: what is stored about the person whose identifiers stand on `input`, one line
/// `<type> <value>` each, as JSON (`SubjectReport` of the document) on stdout. An identifier never
/// is an argument: others can see those. Also beside a running gateway, without a bound of work.
int subject_report(const settings::Settings& settings, std::istream& input, Env& env);

/// `keys new|status`; also beside a running gateway.
int keys(const settings::Settings& settings, const CommandLine& line, Env& env);

/// `retention status`; also beside a running gateway.
int retention(const settings::Settings& settings, const CommandLine& line, Env& env);

/// `policy explain`: what the policy lets an authority or a client do, and by which rule; also
/// beside a running gateway.
int policy(const settings::Settings& settings, const CommandLine& line, Env& env);

/// Lets the audit trail go on where its end is lost, or may be. While no gateway runs.
Result<void> continue_audit(const settings::Settings& settings, Env& env);

/// `adapter export <hash> <folder>`: the texts of an adapter version that was in use, as a bundle.
/// Also beside a running gateway.
int adapter_export(const settings::Settings& settings, const CommandLine& line, Env& env);

/// `receipt verify <file>`: offline; needs the receipt and public keys (`--key`, or of a network
/// `--organisations`), no settings.
int verify_receipt(const std::string& file, const CommandLine& line, Env& env);

/// `adapter new|lint|try|test|explain|bench`: for authors of bundles; needs no settings.
int adapter(const CommandLine& line, Env& env);

/// Prints "flora-gateway: <message>" to stderr; the exit code for it.
int fail(const Error& error);

}  // namespace flora::commands
