// Wires the gateway and runs it. What runs can be read off here, from top to bottom; it is taken
// down in the opposite order.
#include <unistd.h>

#include <filesystem>

#include "gateway/api/api.h"
#include "gateway/auth/fetched_keys.h"
#include "gateway/base/log.h"
#include "gateway/commands/check.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/exit_code.h"
#include "gateway/commands/mapping_keys.h"
#include "gateway/commands/open_ledger.h"
#include "gateway/commands/reloader.h"
#include "gateway/commands/server_bounds.h"
#include "gateway/commands/service_manager.h"
#include "gateway/commands/shutdown.h"
#include "gateway/commands/signals.h"
#include "gateway/erasure/retention.h"
#include "gateway/store/purge.h"

namespace flora::commands {
namespace {

constexpr std::size_t kBlockingThreads = 4;
constexpr std::size_t kTranslatingThreads = 2;
constexpr std::size_t kBlockingQueue = 4096;
constexpr std::chrono::seconds kTeardown{10};  // For queues on their way to the disk.

// A disk that failed during a commit leaves what was written unknown. Only a new start finds out:
// nothing more must be acknowledged by this process.
void stop_at_once(const Error& error) {
  log::write(log::Level::error, "a commit failed, the process ends",
             {{"reason", to_string(error.code)}, {"detail", std::string_view(error.message)}});
  log::flush();
  ::_exit(kDisk);
}

// recordedAt never goes back: the newest one on the ledger or on its way there. A network takes
// procedures and channels beside each other, so that the last of its entries may not be the newest.
Result<Instant> last_recorded(const OpenLedger& opened) {
  if (opened.remote) return opened.remote->replica().newest();
  Ledger& ledger = opened.get();
  const std::uint64_t size = ledger.size();
  if (size == 0) return Instant();
  FLORA_ASSIGN(const auto entries, ledger.read(size - 1, 1));
  if (entries.empty()) return Error{Errc::corrupt, "the ledger's last entry is not there"};
  FLORA_ASSIGN(const EntryContent content, parse_entry(entries.front().body));
  return std::visit([](const auto& entry) { return entry.recorded_at; }, content);
}

// Null unless the settings name a collector.
Result<std::unique_ptr<telemetry::Exporter>> start_exporter(const settings::Settings& settings,
                                                            const openapi::Document& document,
                                                            Env& env) {
  if (settings.otlp_endpoint.empty()) return std::unique_ptr<telemetry::Exporter>();
  telemetry::ExporterOptions options;
  options.endpoint = settings.otlp_endpoint;
  options.resource = {{"service.name", "flora-gateway"},
                      {"service.version", std::string(document.version())},
                      {"deployment.environment.name", settings.environment}};
  return telemetry::Exporter::start(std::move(options), env);
}

// What access tokens are verified with.
struct TokenCheck {
  std::unique_ptr<auth::FetchedKeys> keys;
  std::unique_ptr<auth::Tokens> tokens;  // Null unless the settings tell of an issuer.
};

Result<TokenCheck> start_token_check(const settings::Settings& settings,
                                     api::ConfigurationState& configuration, Env& env) {
  TokenCheck check;
  if (!settings.tokens) return check;
  const settings::Tokens& tokens = *settings.tokens;
  auth::FetchOptions options;
  options.uri = tokens.jwks_uri;
  options.ca_file = tokens.jwks_ca_file;
  options.refresh = std::chrono::seconds(tokens.refresh_s);
  options.tell = [&configuration](const std::string& reason) {
    using Reasons = api::ConfigurationState::Reasons;
    configuration.set("token-keys", reason.empty() ? Reasons() : Reasons{reason});
  };
  FLORA_ASSIGN(check.keys, auth::FetchedKeys::start(std::move(options), env));
  const auto binding = tokens.bound_required ? auth::Binding::required : auth::Binding::optional;
  check.tokens = std::make_unique<auth::Tokens>(
      auth::Rules{tokens.issuer, tokens.audience, tokens.leeway_s, tokens.lifetime_s}, binding,
      *check.keys, env);
  return check;
}

void warn_of_development(const settings::Settings& settings) {
  if (!settings.development_header) return;
  log::write(log::Level::warning,
             "the development header is taken: whoever reaches the port can be any authority");
}

api::ListenerName name_of(const settings::Listener& listener) {
  return {listener.tls ? "https" : "http", listener.port};
}

// Reloads at SIGHUP and returns at the first signal to stop. What the service manager watches are
// the event loops: it hears of nothing while one of them gives no sign of life.
int wait_for_stop(const Signals& signals, http::Server& server, Reloader& reloader) {
  using std::chrono::milliseconds;
  std::optional<milliseconds> pause;
  if (const auto interval = service_manager::watchdog_interval()) {
    pause = std::chrono::duration_cast<milliseconds>(*interval / 4);
  }
  while (true) {
    const int signal = signals.wait(pause);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal == SIGHUP) reloader.request();
    if (!pause || !server.is_alive()) continue;
    service_manager::alive();
    server.probe();
  }
}

Result<http::ServerOptions> server_options(const settings::Settings& settings,
                                           std::size_t descriptors) {
  http::ServerOptions options;
  options.workers = settings.workers;
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

// Ends early if somebody asks again: he does not want to wait for a load balancer.
void wait_for_grace(const Signals& signals, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    const int signal = signals.wait(left);
    if (signal == SIGTERM || signal == SIGINT) return;
  }
}

// The order in which nobody is left without an answer.
void stop(const settings::Shutdown& settings, const Signals& signals, Shutdown& shutdown,
          http::Server& server, api::Api& api) {
  using std::chrono::milliseconds;
  const milliseconds bound(settings.bound_ms);
  api.retire();
  service_manager::stopping();
  wait_for_grace(signals, milliseconds(settings.grace_ms));
  shutdown.begin(bound + kTeardown, [&server] { server.hurry(); });
  api.send_waiting_away();
  server.stop(bound);
  shutdown.drained();
}

Result<void> run(const Source& source, const Examined& examined,
                 const std::optional<std::string>& port_file, const Signals& signals, Env& env) {
  Shutdown shutdown(signals);
  const settings::Settings& settings = examined.settings;
  const auto& definitions = examined.definitions;
  // Before anything is opened: with too few descriptors nothing begins.
  FLORA_ASSIGN(http::ServerOptions bounds,
               server_options(settings, raise_descriptor_limit(settings)));
  privacy::KnownAdapters known_adapters;
  FLORA_ASSIGN(const auto guard,
               privacy::Guard::make(definitions->document, definitions->catalogue,
                                    closed_lists(*definitions, settings, known_adapters)));
  FLORA_ASSIGN(const auto mapping_secret, load_mapping_secret(settings, env));
  FLORA_ASSIGN(const auto audit_trail, load_audit_trail(settings, env));
  std::error_code error;
  std::filesystem::create_directories(settings.data_folder, error);
  if (error) {
    return Error{Errc::unavailable, "cannot make " + settings.data_folder + ": " + error.message()};
  }

  FLORA_ASSIGN(const OpenLedger opened, open_ledger(settings, stop_at_once, env));
  Ledger* const ledger = &opened.get();

  store::Options store_options;
  store_options.path = settings.store_database();
  store_options.server = settings.store_server;
  store_options.ledger = ledger;
  store_options.outbox = settings.outbox;
  FLORA_ASSIGN(const Instant newest, last_recorded(opened));
  store_options.last_recorded = newest;
  FLORA_ASSIGN(store_options.keys, load_keys(settings, env));
  store_options.on_fatal = stop_at_once;
  store_options.audit = audit_options(settings, audit_trail);
  store_options.channel = settings.channel;
  store_options.channels = settings.channels();
  FLORA_ASSIGN(const std::uint64_t purged, store::purge(settings.store_place(), *ledger));
  if (purged > 0) {
    log::write(log::Level::warning, "the mapping of erased procedures was back, and is purged",
               {{"procedures", static_cast<std::int64_t>(purged)}});
  }
  FLORA_ASSIGN(const auto store, store::Store::open(std::move(store_options), env));
  const adapter::Installed::BeforeUse prepare_adapter = before_use(*store, known_adapters);
  FLORA_TRY(take_into_use(*definitions->adapters, prepare_adapter));

  FLORA_ASSIGN(const auto index, view::ProcedureIndex::open(settings.view_database(), *ledger,
                                                            definitions->catalogue.ending()));
  ThreadPool blocking(kBlockingThreads, kBlockingQueue);
  ThreadPool translating(kTranslatingThreads, kBlockingQueue);
  const auto forwarder = make_forwarder(settings, opened, *store, *index, env);
  FLORA_TRY(forwarder->recover());

  const privacy::Keys* const first_keys = mapping_secret ? &*mapping_secret : nullptr;
  intake::Intake intake({definitions->policy.get(), first_keys, &guard, store.get(), ledger,
                         forwarder.get(), &blocking, settings.channel,
                         definitions->catalogue.version()});
  const api::QuestionKey questions(env);
  erasure::Eraser eraser(
      {store.get(), forwarder.get(), &guard, definitions->policy.get(), settings.channel});
  erasure::Retention retention({ledger, index.get(), &eraser, &definitions->catalogue},
                               {settings.retention.periods,
                                settings.retention.authority,
                                {settings.store_database(), settings.ledger_database()}},
                               newest, env);
  api::ConfigurationState configuration;
  FLORA_ASSIGN(const auto exporter, start_exporter(settings, definitions->document, env));
  FLORA_ASSIGN(const TokenCheck token_check, start_token_check(settings, configuration, env));
  api::Parts parts;
  parts.env = &env;
  parts.document = &definitions->document;
  parts.catalogue = &definitions->catalogue;
  parts.policy = definitions->policy.get();
  parts.first_keys = first_keys;
  parts.questions = &questions;
  parts.parser = definitions->parser.get();
  parts.intake = &intake;
  parts.forwarder = forwarder.get();
  parts.store = store.get();
  parts.eraser = &eraser;
  parts.retention = &retention;
  parts.periods = settings.retention.periods;
  parts.ledger = ledger;
  parts.log = opened.embedded.get();
  parts.trail = audit_trail.get();
  parts.index = index.get();
  parts.adapters = definitions->adapters.get();
  parts.configuration = &configuration;
  parts.blocking = &blocking;
  parts.translating = &translating;
  parts.authentication = {token_check.tokens.get(), settings.development_header};
  parts.adapter_memory = settings.adapter_memory;
  parts.exporter = exporter.get();
  parts.sample_ratio = settings.sample_ratio;
  FLORA_ASSIGN(const auto api, api::Api::make(parts));
  api->set_listener(openapi::Listener::public_, name_of(settings.listener));
  api->set_listener(openapi::Listener::operations, name_of(settings.operations));

  bounds.error_page = [&api](int status, std::string_view problem, std::string_view detail) {
    return api->error_page(status, problem, detail);
  };
  bounds.fields = api->common_fields();
  http::ListenerOptions operations = listener_options(settings.operations);
  operations.connections = kOperatorConnections;
  FLORA_ASSIGN(const auto server,
               http::Server::start(std::move(bounds),
                                   {{listener_options(settings.listener), &api->public_handler()},
                                    {std::move(operations), &api->operations_handler()}}));
  api->set_counters([&server] { return server->counters(); });

  const auto& ports = server->ports();
  log_adapters(*definitions->adapters);
  warn_of_development(settings);
  log::write(log::Level::info, "listening",
             {{"port", std::int64_t{ports[0]}}, {"operations_port", std::int64_t{ports[1]}}});
  if (port_file) {
    FLORA_TRY(env.replace_file(
        *port_file, std::to_string(ports[0]) + ' ' + std::to_string(ports[1]) + '\n', 0644));
  }

  retention.start();
  Reloader reloader(
      {source, settings, *definitions, prepare_adapter, *store, *server, configuration, env});
  service_manager::ready("Serving.");
  const int signal = wait_for_stop(signals, *server, reloader);
  log::write(log::Level::info, "stopping", {{"signal", std::int64_t{signal}}});
  stop(settings.shutdown, signals, shutdown, *server, *api);
  return {};
}

}  // namespace

int serve(const Source& source, const std::optional<std::string>& port_file, Env& env) {
  const Examined examined = examine(source, env);
  if (examined.findings.has_errors()) {
    print(examined.findings);
    return kUsage;
  }
  log::set_level(examined.settings.log_level);
  for (const Finding& finding : examined.findings.all()) {
    const std::string text = to_string(finding);
    log::write(log::Level::warning, "settings", {{"reason", std::string_view(text)}});
  }
  const Signals signals;
  const log::Background background;
  const Result<void> done = run(source, examined, port_file, signals, env);
  if (!done) return fail(done.error());
  log::write(log::Level::info, "stopped");
  return kDone;
}

}  // namespace flora::commands
