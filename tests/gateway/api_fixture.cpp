#include "tests/gateway/api_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "gateway/api/api.h"
#include "gateway/audit/check.h"
#include "gateway/base/log.h"
#include "gateway/commands/definitions.h"
#include "gateway/intake/local_forwarder.h"
#include "gateway/privacy/key_set.h"
#include "gateway/store/audit_reader.h"
#include "tests/temporary_folder.h"

namespace flora::test {
namespace {

using http::test::Client;

template <typename T>
T good(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

const std::string kFixtures =
    std::string(FLORA_SOURCE_DIR) + "/adapters/de-ni-xauslaender/fixtures/";

// No test sends a value that begins so and may be shown in an answer of an error.
constexpr std::string_view kSecrets[] = {"2608", "e-secret", "urn:example:land-system",
                                         "Mustermann"};

// Takes the instance out of a problem: each occurrence has its own, and tests compare the rest.
void take_instance(Response& response) {
  constexpr std::string_view kBegin = R"(,"instance":"urn:uuid:)";
  const std::size_t at = response.body.find(kBegin);
  REQUIRE_MESSAGE(at != std::string::npos, response.body);
  response.body.erase(at, kBegin.size() + 36 + 1);
}

constexpr std::string_view kFreely =
    "{requests: {per_second: 1000000, burst: 1000000}, events: {per_second: 1000000, burst: "
    "1000000}, anonymous: {per_second: 1000000, burst: 1000000}}";

// config/policy.yaml with other rates and more searches, in a file of its own.
std::string policy_with(const std::string& rates, const std::string& folder) {
  std::ifstream source(std::string(FLORA_SOURCE_DIR) + "/config/policy.yaml");
  std::stringstream text;
  text << source.rdbuf();
  std::string policy = text.str();
  const std::size_t begin = policy.find("\nrates:") + 1;
  const std::size_t end = policy.find("\n\n", begin);
  REQUIRE(end != std::string::npos);
  policy.replace(begin, end - begin, "rates: " + (rates.empty() ? std::string(kFreely) : rates));
  const std::string searches = "searches: {identifiers: 1000,";
  const std::size_t limit = policy.find(searches);
  REQUIRE(limit != std::string::npos);
  policy.replace(limit, searches.size(), "searches: {identifiers: 100000,");
  std::string file = folder + "/policy.yaml";
  std::ofstream(file) << policy;
  return file;
}

std::string wire_text(const Request& request) {
  std::string text = request.method + ' ' + request.path + " HTTP/1.1\r\nhost: gateway\r\n";
  if (!request.authority.empty()) text += "flora-dev-authority: " + request.authority + "\r\n";
  bool framed = false;
  for (const auto& [name, value] : request.headers) {
    text += name + ": " + value + "\r\n";
    framed = framed || name == "transfer-encoding";
  }
  const bool has_body = !request.body.empty() || request.method == "POST";
  if (has_body && !framed) {
    text += "content-length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (std::ranges::equal(
            key, name, {}, [](unsigned char c) { return std::tolower(c); },
            [](unsigned char c) { return std::tolower(c); })) {
      return value;
    }
  }
  return {};
}

Json Response::json() const {
  Json parsed = Json::parse(body, nullptr, false);
  if (parsed.is_discarded()) FAIL("not JSON: ", body);
  return parsed;
}

std::vector<Json> Response::lines() const {
  std::vector<Json> out;
  std::istringstream text(body);
  for (std::string line; std::getline(text, line);) out.push_back(Json::parse(line));
  return out;
}

std::string Response::problem() const {
  if (header("content-type") != "application/problem+json") return {};
  const std::string type = json().at("type");
  const std::string name = type.substr(type.find_last_of("/#") + 1);
  const ProblemKind* kind = find_problem_kind(name);
  REQUIRE(kind != nullptr);
  REQUIRE(type == type_of(*kind));
  return name;
}

// Randomness for the keys, which the writer thread alone asks for: it can be held there.
class HoldingEnv final : public Env {
 public:
  HoldingEnv(Env& env, std::function<void()> pass) : env_(env), pass_(std::move(pass)) {}
  std::int64_t now_ms() override { return env_.now_ms(); }
  std::int64_t steady_ns() override { return env_.steady_ns(); }
  void random(std::span<std::byte> out) override {
    pass_();
    env_.random(out);
  }
  Result<std::string> read_file(const std::string& path, std::size_t max_bytes) override {
    return env_.read_file(path, max_bytes);
  }
  Result<void> replace_file(const std::string& path, std::string_view bytes,
                            unsigned mode) override {
    return env_.replace_file(path, bytes, mode);
  }

 private:
  Env& env_;
  std::function<void()> pass_;
};

// Lets a request wait for as many microseconds as its field Flora-Planted says, as if there were
// so much more to do.
class Planted final : public http::Handler {
 public:
  explicit Planted(http::Handler& handler) : handler_(handler) {}

  http::Admission admit(const http::RequestHead& head) override { return handler_.admit(head); }

  void handle(http::Request request, http::Responder responder) override {
    if (const auto field = request.head.find("flora-planted")) {
      const std::chrono::microseconds planted(std::stoll(std::string(*field)));
      const auto end = std::chrono::steady_clock::now() + planted;
      while (std::chrono::steady_clock::now() < end) continue;
    }
    handler_.handle(std::move(request), std::move(responder));
  }

  void handle_stream(http::RequestHead head, http::BodyReader body,
                     http::Responder responder) override {
    handler_.handle_stream(std::move(head), std::move(body), std::move(responder));
  }

 private:
  http::Handler& handler_;
};

// The gateway's parts in the order in which the program makes them.
struct Gateway::Parts {
  TemporaryFolder folder;
  std::unique_ptr<commands::Definitions> definitions;
  privacy::KnownAdapters known_adapters;
  std::optional<privacy::Guard> guard;
  std::optional<HoldingEnv> holding;
  std::optional<privacy::Keys> first_keys;
  std::optional<api::QuestionKey> questions;
  std::unique_ptr<ledger::EmbeddedLedger> ledger;
  std::shared_ptr<const audit::Trail> trail;
  store::Options store_options;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<view::ProcedureIndex> index;
  std::optional<ThreadPool> blocking;
  std::optional<ThreadPool> translating;
  std::optional<intake::LocalForwarder> forwarder;
  std::optional<intake::Intake> intake;
  std::optional<auth::Tokens> tokens;
  std::optional<erasure::Eraser> eraser;
  erasure::Retention::Rules retention_rules;
  std::optional<erasure::Retention> retention;
  std::unique_ptr<api::Api> api;
  std::optional<Planted> planted;
  std::unique_ptr<http::Server> server;
  api::ConfigurationState configuration;
  openapi::Schema problem;
};

Gateway::Gateway(const Options& changes) : parts_(std::make_unique<Parts>()) {
  log::set_level(log::Level::error);
  Parts& p = *parts_;
  settings::Overrides overrides{p.folder.path(), 0, 0};
  settings::Settings settings =
      good(settings::load(std::string(FLORA_SOURCE_DIR) + "/config/gateway.yaml", overrides, env));
  if (!changes.adapter_folders.empty()) settings.adapter_folders = changes.adapter_folders;
  if (changes.adapter_memory > 0) settings.adapter_memory = changes.adapter_memory;
  settings.policy_file = policy_with(changes.rates, p.folder.path());
  p.definitions = good(commands::load_definitions(settings, env));
  p.guard = good(
      privacy::Guard::make(p.definitions->document, p.definitions->catalogue,
                           commands::closed_lists(*p.definitions, settings, p.known_adapters)));
  p.problem = good(p.definitions->document.schema("#/components/schemas/Problem"));
  crypto::SecretKey secret;
  secret.bytes.fill(std::byte{'m'});
  p.first_keys.emplace(secret, settings.environment);
  p.questions.emplace(env);
  p.holding.emplace(env, [this] { pass_writer(); });
  const std::string seed(32, 'l');
  p.ledger = good(ledger::EmbeddedLedger::open(
      {settings.ledger_database(), settings.ledger_checkpoint_file, settings.ledger_origin,
       good(crypto::Ed25519Key::from_seed(as_bytes(seed)))},
      env));
  store::Options options;
  options.path = settings.store_database();
  options.ledger = p.ledger.get();
  options.keys = good(privacy::KeySet::make({}, {}, p.first_keys, *p.holding));
  p.trail = std::make_shared<const audit::Trail>(
      settings.audit_origin(), good(crypto::Ed25519Key::from_seed(as_bytes(seed))));
  options.audit = commands::audit_options(settings, p.trail);
  options.vfs = changes.store_vfs;
  options.channel = settings.channel;
  options.channels = changes.channels;
  p.store_options = options;
  p.store = good(store::Store::open(std::move(options), env));
  REQUIRE(commands::take_into_use(*p.definitions->adapters,
                                  commands::before_use(*p.store, p.known_adapters))
              .has_value());
  p.index = good(view::ProcedureIndex::open(settings.view_database(), *p.ledger,
                                            p.definitions->catalogue.ending()));
  p.blocking.emplace(2, 4096);
  p.translating.emplace(1, 4096);
  p.forwarder.emplace(*p.store, *p.ledger, *p.index);
  REQUIRE(p.forwarder->recover().has_value());
  p.intake.emplace(intake::Parts{p.definitions->policy.get(), &*p.first_keys, &*p.guard,
                                 p.store.get(), p.ledger.get(), &*p.forwarder, &*p.blocking,
                                 settings.channel, p.definitions->catalogue.version()});
  p.eraser.emplace(erasure::Eraser::Parts{p.store.get(), &*p.forwarder, &*p.guard,
                                          p.definitions->policy.get(), settings.channel});
  p.retention_rules = {settings.retention.periods,
                       settings.retention.authority,
                       {settings.store_database(), settings.ledger_database()}};
  restart_retention(p.retention_rules.periods.mapping.value(), Instant{env.now_ms()});
  api::Parts parts;
  parts.env = &env;
  parts.document = &p.definitions->document;
  parts.catalogue = &p.definitions->catalogue;
  parts.policy = p.definitions->policy.get();
  parts.first_keys = &*p.first_keys;
  parts.questions = &*p.questions;
  parts.parser = p.definitions->parser.get();
  parts.intake = &*p.intake;
  parts.forwarder = &*p.forwarder;
  parts.store = p.store.get();
  parts.eraser = &*p.eraser;
  parts.retention = &*p.retention;
  parts.periods = settings.retention.periods;
  parts.ledger = p.ledger.get();
  parts.log = p.ledger.get();
  parts.trail = p.trail.get();
  parts.index = p.index.get();
  parts.adapters = p.definitions->adapters.get();
  parts.configuration = &p.configuration;
  parts.blocking = &*p.blocking;
  parts.translating = &*p.translating;
  if (changes.keys != nullptr) {
    p.tokens.emplace(auth::Rules{"https://idp", "https://flora"}, auth::Binding::optional,
                     *changes.keys, env);
  }
  parts.authentication = {p.tokens ? &*p.tokens : nullptr, true};
  parts.adapter_memory = settings.adapter_memory;
  p.api = good(api::Api::make(parts));
  p.planted.emplace(p.api->public_handler());
  http::ServerOptions server;
  server.error_page = [&p](int status, std::string_view problem, std::string_view detail) {
    return p.api->error_page(status, problem, detail);
  };
  server.fields = p.api->common_fields();
  p.server = good(http::Server::start(std::move(server),
                                      {{http::ListenerOptions{}, &*p.planted},
                                       {http::ListenerOptions{}, &p.api->operations_handler()}}));
  p.api->set_counters([this] { return parts_->server->counters(); });
}

Gateway::~Gateway() {
  release_writer();
  parts_->server->stop(std::chrono::seconds(20));
  parts_.reset();
}

erasure::RetentionRun Gateway::run_retention() { return parts_->retention->run(); }

void Gateway::restart_retention(const Period& mapping, Instant last_seen) {
  Parts& p = *parts_;
  p.retention_rules.periods.mapping = mapping;
  p.retention.emplace(erasure::Retention::Parts{p.ledger.get(), p.index.get(), &*p.eraser,
                                                &p.definitions->catalogue},
                      p.retention_rules, last_seen, env);
}

Client Gateway::start(const Request& request) {
  Client client(parts_->server->ports()[request.operations ? 1 : 0]);
  REQUIRE(client.is_connected());
  // A refusal may come, and the connection end, while a long body is still on its way.
  (void)client.send(wire_text(request));
  return client;
}

Response Gateway::finish(Client& client, const Request& request) {
  const auto reply = client.read(request.method == "HEAD", 120);
  REQUIRE_MESSAGE(reply.has_value(), request.method, " ", request.path, ": no answer");
  REQUIRE(reply->complete);
  Response response{reply->status, reply->headers, reply->body};
  check(request, response);
  if (response.status >= 400 && request.method != "HEAD") take_instance(response);
  return response;
}

Response Gateway::send(const Request& request) {
  Client client = start(request);
  return finish(client, request);
}

Response Gateway::get(const std::string& path, const std::string& authority, Headers headers) {
  return send({"GET", path, authority, std::move(headers), {}, false});
}

Response Gateway::post(const std::string& path, const std::string& media_type, std::string body,
                       const std::string& authority, Headers headers) {
  headers.emplace_back("content-type", media_type);
  return send({"POST", path, authority, std::move(headers), std::move(body), false});
}

Response Gateway::report(const Json& event, Headers headers) {
  return post("/v1/status-events", "application/json", event.dump(),
              event.at("reporter").at("authority"), std::move(headers));
}

void Gateway::check(const Request& request, const Response& response) const {
  CAPTURE(request.method);
  CAPTURE(request.path);
  CAPTURE(response.status);
  CAPTURE(response.body);
  CHECK(response.header("flora-development") == "true");
  if (response.status >= 400) {
    CHECK(response.header("content-type") == "application/problem+json");
    for (const std::string_view secret : kSecrets)
      CHECK(response.body.find(secret) == std::string::npos);
  }
  if (request.method == "HEAD") {
    CHECK(response.body.empty());
    return;
  }
  const std::string path = request.path.substr(0, request.path.find('?'));
  const auto listener =
      request.operations ? openapi::Listener::operations : openapi::Listener::public_;
  openapi::Match match = document().match(listener, request.method, path);
  if (match.operation == nullptr && !match.allow.empty()) {
    match = document().match(listener, match.allow.substr(0, match.allow.find(',')), path);
  }
  std::vector<openapi::Violation> violations;
  if (match.operation == nullptr || response.status == 501) {
    json::Document parsed;
    REQUIRE(parsed.parse(response.body));
    parts_->problem.validate(parsed.root(), violations);
  } else {
    std::vector<openapi::Field> fields(response.headers.begin(), response.headers.end());
    violations = document().check_response(match.operation->id, response.status,
                                           response.header("content-type"), fields, response.body);
  }
  for (const openapi::Violation& one : violations) {
    FAIL_CHECK(one.pointer, ": ", one.rule, ": ", one.detail);
  }
}

void Gateway::reload_adapters() {
  parts_->definitions->adapters->reload(
      commands::before_use(*parts_->store, parts_->known_adapters));
}

void Gateway::replace_policy(const std::string& yaml) {
  parts_->definitions->policy->replace(good(policy::Policy::parse(yaml, "policy.yaml")));
}

void Gateway::set_configuration(std::string_view part, std::vector<std::string> reasons) {
  parts_->configuration.set(part, std::move(reasons));
}

void Gateway::retire() { parts_->api->retire(); }

void Gateway::hold_writer() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void Gateway::wait_for_writer() {
  std::unique_lock lock(mutex_);
  REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [this] { return waiting_; }));
}

void Gateway::release_writer() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  changed_.notify_all();
}

void Gateway::pass_writer() {
  std::unique_lock lock(mutex_);
  waiting_ = held_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !held_; });
  waiting_ = false;
}

const openapi::Document& Gateway::document() const { return parts_->definitions->document; }
const Catalogue& Gateway::catalogue() const { return parts_->definitions->catalogue; }
std::uint64_t Gateway::ledger_size() const { return parts_->ledger->size(); }
std::vector<Json> Gateway::audit() const {
  const store::Options& options = parts_->store_options;
  audit::Check check(parts_->trail->verifier());
  check.signed_head(good(store::read_signed_head(options.audit.head_file, options.vfs)));
  store::AuditReader reader = good(store::AuditReader::open(options.place()));
  std::vector<Json> records;
  REQUIRE(reader.groups(1, 1'000'000, [&](const AuditGroup& group) -> Result<void> {
    check.group(group);
    std::istringstream text(group.records);
    for (std::string line; std::getline(text, line);) records.push_back(Json::parse(line));
    return {};
  }));
  for (const std::string& finding : check.finish().findings) FAIL_CHECK(finding);
  return records;
}

ledger::NoteVerifier Gateway::audit_verifier() const { return parts_->trail->verifier(); }

std::string Gateway::folder() const { return parts_->folder.path(); }

Json event_of(const std::string& id, const std::string& azr, const std::string& authority,
              const std::string& status, const std::string& details) {
  Json made = {{"id", id},
               {"source", "urn:example:land-system"},
               {"status", status},
               {"occurredAt", "2026-11-03T08:15:30.123Z"},
               {"procedure", {{"identifiers", Json::array()}}},
               {"reporter", {{"authority", authority}}}};
  made["procedure"]["identifiers"].push_back({{"type", "AZR_NUMMER"}, {"value", azr}});
  if (!details.empty()) made["details"] = Json::parse(details);
  return made;
}

std::string sample_policy() {
  auto text =
      Env::system().read_file(std::string(FLORA_SOURCE_DIR) + "/config/policy.yaml", 1 << 20);
  REQUIRE(text);
  return std::move(*text);
}

Json event(const std::string& id, const std::string& azr) {
  return event_of(id, azr, kAe, "REGISTRIERUNG_ABGESCHLOSSEN");
}

Json cloud_event(Json event) {
  Json envelope = {{"specversion", "1.0"},
                   {"type", "de.bamf.flora.status-event.v1"},
                   {"id", event["id"]},
                   {"source", event["source"]}};
  if (event.contains("occurredAt")) envelope["time"] = event["occurredAt"];
  for (const char* name : {"id", "source", "occurredAt"}) event.erase(name);
  envelope["data"] = std::move(event);
  return envelope;
}

std::vector<std::string> fixture_names(const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures + kind)) {
    const bool message = entry.path().extension() == ".xml";
    if (message) names.push_back(kind + "/" + entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string fixture_message(const std::string& path) {
  std::ifstream file(std::string(FLORA_SOURCE_DIR) + "/adapters/de-ni-xauslaender/fixtures/" +
                     path);
  REQUIRE(file.good());
  std::stringstream bytes;
  bytes << file.rdbuf();
  std::string text = bytes.str();
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"dbs:999911", "dbs:999901"},
                                 {"ane:999912", "ane:999902"}}) {
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at)) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

}  // namespace flora::test
