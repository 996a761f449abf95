// flora-gateway: one binary with subcommands. `serve` is the gateway itself.
#include <sys/stat.h>

#include <charconv>
#include <iostream>

#include "gateway/commands/commands.h"

namespace {

using flora::Errc;
using flora::Error;
using flora::Result;
using flora::commands::CommandLine;

constexpr const char* kUsage =
    "flora-gateway <command> [--config <file>] [--data <folder>]\n"
    "  init                      make the keys that are missing\n"
    "  check [--json]            tell all that is wrong with settings, statuses, policy, "
    "adapters,\n"
    "                            keys, certificates and folders\n"
    "  serve                     run the gateway\n"
    "        [--port <n>] [--operations-port <n>]   0: the system chooses\n"
    "        [--port-file <file>]                   where the ports are written\n"
    "  ledger verify             check signatures and roots, beside a running gateway\n"
    "  ledger fsck               check every entry, tile and checkpoint\n"
    "  ledger backup <folder>    copy ledger and mapping, beside a running gateway\n"
    "  ledger restore [<folder>] [--accept-loss]\n"
    "  ledger prune-backups <folder> [--dry-run]   delete the backups below it that have expired\n"
    "  ledger rebuild            make the read model anew, and of a network the local copy\n"
    "  outbox failed [--json]    what a ledger network has refused\n"
    "  outbox retry <transaction id> ... | --all   try it again at the next start\n"
    "  receipt verify <file> --key <verifier key>   offline\n"
    "  receipt verify <file> --organisations <MSP id>=<CA certificates>,…   of a network\n"
    "  audit verify [<folder> | <file>]   follow the whole trail, or check what was exported\n"
    "  audit list                records as NDJSON\n"
    "  audit export --out <file> the same, signed, with the seals of their segments\n"
    "        [--procedure <pseudonym>] [--authority <number>] [--action <action>]\n"
    "        [--client <name>] [--from <time>] [--to <time>]\n"
    "  audit export <segment> <folder>   its records and its seal\n"
    "  audit accept-loss         let a trail go on that has lost its end\n"
    "  subject-report            what is stored about a person; reads identifiers from stdin, a\n"
    "                            line `<type> <value>` each\n"
    "  keys new <file>           make a key of the mapping\n"
    "  keys status [--json]      which keys the mapping's rows name, and which may be removed\n"
    "  retention status [--json] what is due to be erased, and when\n"
    "  policy explain --as <authority or client> --operation <operationId> [--json]\n"
    "                            what the policy allows, and by which rule\n"
    "        --status <status> [--reporter <authority>]                    of a report\n"
    "        --entry <status>:<authority>[:<receiving authority>] ...      of a reading, or\n"
    "        --procedure <pseudonym>\n"
    "  adapter export <hash> <folder>   a version that was in use, as a bundle\n"
    "  adapter new | lint | explain | try | test | bench   for authors of adapters, offline;\n"
    "                            `adapter --help` says more\n";

Result<std::optional<std::uint16_t>> port_of(const CommandLine& line, std::string_view option) {
  const auto text = line.option(option);
  if (!text) return std::optional<std::uint16_t>();
  std::uint16_t port = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Error{Errc::invalid, std::string(option) + " needs a port number"};
  }
  return std::optional(port);
}

Result<flora::commands::Source> source_of(const CommandLine& line) {
  flora::commands::Source source{line.option("--config").value_or("config/gateway.yaml"), {}};
  source.overrides.data_folder = line.option("--data");
  FLORA_ASSIGN(source.overrides.port, port_of(line, "--port"));
  FLORA_ASSIGN(source.overrides.operations_port, port_of(line, "--operations-port"));
  return source;
}

}  // namespace

int main(int argc, char** argv) {
  namespace commands = flora::commands;
  flora::Env& env = flora::Env::system();
  const auto line =
      CommandLine::parse(std::vector<std::string>(argv + 1, argv + argc),
                         {"--config",    "--data",      "--port",          "--operations-port",
                          "--port-file", "--key",       "--organisations", "--accept-loss!",
                          "--json!",     "--statuses",  "--write!",        "--sample",
                          "--format",    "--land",      "--out",           "--procedure",
                          "--client",    "--authority", "--action",        "--from",
                          "--to",        "--as",        "--operation",     "--status",
                          "--reporter",  "--entry",     "--dry-run!",      "--all!",
                          "--help!"});
  if (!line) return commands::fail(line.error());
  const std::string command = line->words.empty() ? "" : line->words[0];
  // Only what is taken out of the store needs the settings.
  const bool exports = command == "adapter" && line->words.size() > 1 && line->words[1] == "export";
  if (command == "adapter" && !exports) return commands::adapter(*line, env);
  // Keys, mapping and ledger are nobody else's to read.
  ::umask(0077);
  if (line->has("--help") || command.empty()) {
    std::cout << kUsage;
    return command.empty() && !line->has("--help") ? 2 : 0;
  }
  if (command == "receipt" && line->words.size() == 3 && line->words[1] == "verify") {
    return commands::verify_receipt(line->words[2], *line, env);
  }
  const auto source = source_of(*line);
  if (!source) return commands::fail(source.error());
  if (command == "serve") return commands::serve(*source, line->option("--port-file"), env);
  if (command == "check") return commands::check(*source, *line, env);
  const auto settings = flora::settings::load(source->file, source->overrides, env);
  if (!settings) return commands::fail(settings.error());
  if (command == "init") return commands::init(*settings, env);
  if (command == "ledger") return commands::ledger(*settings, *line, env);
  if (command == "outbox") return commands::outbox(*settings, *line, env);
  if (command == "audit") return commands::audit(*settings, *line, env);
  if (command == "subject-report") return commands::subject_report(*settings, std::cin, env);
  if (command == "keys") return commands::keys(*settings, *line, env);
  if (command == "retention") return commands::retention(*settings, *line, env);
  if (command == "policy") return commands::policy(*settings, *line, env);
  if (exports) return commands::adapter_export(*settings, *line, env);
  std::cerr << kUsage;
  return 2;
}
