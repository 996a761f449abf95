// Wires the gateway and runs it. What runs can be read off here, from top to bottom; it is taken
// down in the opposite order.
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "gateway/api/api.h"
#include "gateway/base/log.h"
#include "gateway/commands/check.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/server_bounds.h"

namespace flora::commands {
namespace {

constexpr std::size_t kBlockingThreads = 4;
constexpr std::size_t kBlockingQueue = 4096;
constexpr std::chrono::seconds kDrain{20};

// A disk that failed during a commit leaves what was written unknown. Only a new start finds out:
// nothing more must be acknowledged by this process.
void stop_at_once(const Error& error) {
  log::write(log::Level::error, "a commit failed, the process ends",
             {{"reason", to_string(error.code)}, {"detail", std::string_view(error.message)}});
  ::_exit(3);
}

// recordedAt never goes back: the newest one on the ledger or on its way there.
Result<Instant> last_recorded(Ledger& ledger) {
  const std::uint64_t size = ledger.size();
  if (size == 0) return Instant{};
  FLORA_ASSIGN(const auto entries, ledger.read(size - 1, 1));
  if (entries.empty()) return Error{Errc::corrupt, "the ledger's last entry is not there"};
  FLORA_ASSIGN(const Transaction last, parse_transaction(entries.front().body));
  return last.recorded_at;
}

void log_adapters(const adapter::Installed& installed) {
  for (const adapter::InstalledBundle& bundle : installed.list()) {
    const adapter::BundleInfo& info = bundle.adapter->info();
    const std::string_view id = info.id;
    for (const std::string& reason : bundle.refused) {
      log::write(log::Level::error, "adapter not reloaded, the old version stays",
                 {{"adapter", id}, {"reason", std::string_view(reason)}});
    }
    if (!bundle.refused.empty()) continue;
    log::write(log::Level::info, "adapter in use",
               {{"adapter", id},
                {"version", std::string_view(info.version)},
                {"hash", std::string_view(info.hash)}});
  }
}

Result<http::ServerOptions> server_options(const settings::Settings& settings,
                                           std::size_t descriptors) {
  http::ServerOptions options;
  options.workers = settings.workers;
  options.error_page = api::Api::error_page;
  options.limits = limits_of(settings.limits);
  options.deadlines = deadlines_of(settings.limits);
  FLORA_ASSIGN(options.limits.connections, connections_within(settings, descriptors));
  if (options.limits.connections < settings.limits.connections) {
    log::write(log::Level::warning,
               "fewer connections than the settings allow fit into descriptors",
               {{"connections", static_cast<std::int64_t>(options.limits.connections)},
                {"descriptors", static_cast<std::int64_t>(descriptors)}});
  }
  return options;
}

Result<void> run(const Examined& examined, const std::optional<std::string>& port_file,
                 const sigset_t& signals, Env& env) {
  const settings::Settings& settings = examined.settings;
  const auto& definitions = examined.definitions;
  // Before anything is opened: with too few descriptors nothing begins.
  FLORA_ASSIGN(http::ServerOptions bounds,
               server_options(settings, raise_descriptor_limit(settings)));
  privacy::KnownAdapters known_adapters;
  FLORA_ASSIGN(const auto guard,
               privacy::Guard::make(definitions->document, definitions->catalogue,
                                    closed_lists(*definitions, settings, known_adapters)));
  FLORA_ASSIGN(const auto keys,
               privacy::Keys::load(settings.mapping_secret_file, settings.environment, env));
  FLORA_ASSIGN(crypto::Ed25519Key ledger_key, load_ledger_key(settings, env));
  std::error_code error;
  std::filesystem::create_directories(settings.data_folder, error);
  if (error) {
    return Error{Errc::unavailable, "cannot make " + settings.data_folder + ": " + error.message()};
  }

  ledger::EmbeddedOptions ledger_options{settings.ledger_database(),
                                         settings.ledger_checkpoint_file, settings.ledger_origin,
                                         std::move(ledger_key)};
  ledger_options.on_fatal = stop_at_once;
  FLORA_ASSIGN(const auto ledger, ledger::EmbeddedLedger::open(std::move(ledger_options), env));

  store::Options store_options;
  store_options.path = settings.store_database();
  FLORA_ASSIGN(store_options.last_recorded, last_recorded(*ledger));
  store_options.seal = [&keys, &env](const Identifier& identifier, const Uuid& procedure) {
    return keys.seal(identifier, procedure, env);
  };
  store_options.on_fatal = stop_at_once;
  FLORA_ASSIGN(const auto store, store::Store::open(std::move(store_options), env));
  const adapter::Installed::BeforeUse prepare_adapter = before_use(*store, known_adapters);
  FLORA_TRY(take_into_use(*definitions->adapters, prepare_adapter));

  FLORA_ASSIGN(const auto index, view::ProcedureIndex::open(settings.view_database(), *ledger));
  ThreadPool blocking(kBlockingThreads, kBlockingQueue);
  intake::Forwarder forwarder(*store, *ledger, *index);
  FLORA_TRY(forwarder.recover());

  intake::Intake intake({&definitions->policy, &keys, &guard, store.get(), ledger.get(), &forwarder,
                         &blocking, settings.channel, definitions->catalogue.version()});
  api::Parts parts;
  parts.env = &env;
  parts.document = &definitions->document;
  parts.catalogue = &definitions->catalogue;
  parts.policy = &definitions->policy;
  parts.keys = &keys;
  parts.parser = definitions->parser.get();
  parts.intake = &intake;
  parts.forwarder = &forwarder;
  parts.store = store.get();
  parts.ledger = ledger.get();
  parts.index = index.get();
  parts.adapters = definitions->adapters.get();
  parts.blocking = &blocking;
  parts.development_header = settings.development_header;
  parts.adapter_memory = settings.adapter_memory;
  FLORA_ASSIGN(const auto api, api::Api::make(parts));

  http::ListenerOptions operations = listener_options(settings.operations);
  operations.connections = kOperatorConnections;
  FLORA_ASSIGN(const auto server,
               http::Server::start(std::move(bounds),
                                   {{listener_options(settings.listener), &api->public_handler()},
                                    {std::move(operations), &api->operations_handler()}}));
  api->set_counters([&server] { return server->counters(); });

  const auto& ports = server->ports();
  log_adapters(*definitions->adapters);
  log::write(log::Level::info, "listening",
             {{"port", std::int64_t{ports[0]}}, {"operations_port", std::int64_t{ports[1]}}});
  if (port_file) {
    FLORA_TRY(env.replace_file(
        *port_file, std::to_string(ports[0]) + ' ' + std::to_string(ports[1]) + '\n', 0644));
  }

  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    const Result<void> reloaded = server->reload_tls();
    if (reloaded) {
      log::write(log::Level::info, "certificates reloaded");
    } else {
      log::write(log::Level::error, "certificates not reloaded, the old ones stay",
                 {{"reason", std::string_view(reloaded.error().message)}});
    }
    definitions->adapters->reload(prepare_adapter);
    log_adapters(*definitions->adapters);
  }
  log::write(log::Level::info, "stopping", {{"signal", std::int64_t{signal}}});
  server->stop(std::chrono::duration_cast<std::chrono::milliseconds>(kDrain));
  return {};
}

}  // namespace

int serve(const Source& source, const std::optional<std::string>& port_file, Env& env) {
  const Examined examined = examine(source, env);
  print(examined.findings);
  if (examined.findings.has_errors()) return 2;
  // Blocked before any thread starts, so that all inherit it and sigwait() alone receives them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const Result<void> done = run(examined, port_file, signals, env);
  if (!done) return fail(done.error());
  log::write(log::Level::info, "stopped");
  return 0;
}

}  // namespace flora::commands
