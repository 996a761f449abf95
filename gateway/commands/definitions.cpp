#include "gateway/commands/definitions.h"

#include <unistd.h>

#include <array>
#include <sstream>

#include "adapters/lint.h"
#include "gateway/base/bytes.h"

namespace flora::commands {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;

// The schemas of days and times are known by their names; what is no scalar is a coded value.
adapter::CanonicalTypes::Kind kind_of(const openapi::Member& member) {
  using enum adapter::CanonicalTypes::Kind;
  if (member.schema == "Day") return day;
  if (member.schema == "Instant") return instant;
  if (member.schema == "TimeOfDay") return time;
  if (member.type == "integer") return integer;
  if (member.type == "boolean") return boolean;
  if (member.type == "object") return code;
  return member.words.empty() ? text : word;
}

// The text of a file that the settings name under a key; an empty name was told already.
std::optional<std::string> read_named(const settings::Settings& settings, std::string_view key,
                                      const std::string& file, Env& env, Findings& findings) {
  if (file.empty()) return std::nullopt;
  Result<std::string> text = env.read_file(file, kMaxFile);
  if (text) return std::move(*text);
  findings.error(settings.place(key), text.error().message);
  return std::nullopt;
}

// Document and catalogue must agree, and each status needs its schemas.
void compile_statuses(Definitions& made, const Place& file, Findings& findings) {
  Result<intake::EventParser> parser = intake::EventParser::make(made.document, made.catalogue);
  if (!parser) return findings.error(file, parser.error().message);
  made.parser = std::make_unique<intake::EventParser>(std::move(*parser));
  const auto guard = privacy::Guard::make(made.document, made.catalogue, {});
  if (!guard) findings.error(file, guard.error().message);
}

// True if they are good.
bool read_statuses(Definitions& made, const settings::Settings& settings, Env& env,
                   Findings& findings) {
  const std::string& file = settings.statuses_file;
  Findings own;
  const auto text = read_named(settings, "statuses", file, env, own);
  if (text) {
    made.statuses = *text;
    made.catalogue = Catalogue::read(*text, file, own);
    if (!own.has_errors()) compile_statuses(made, {file, {1, 1}}, own);
  }
  findings.add(own);
  return text && !own.has_errors();
}

// True if all compile. Without the types nothing is said of what they make of a message.
bool lint_adapters(const settings::Settings& settings, const adapter::CanonicalTypes* types,
                   Findings& findings) {
  const auto found = adapter::lint(settings.adapter_folders, types);
  for (const adapter::Finding& one : found) {
    findings.error({one.file, {one.line, one.column}}, one.message + " [" + one.number + ']');
  }
  return found.empty();
}

// What is left to be wrong are the fixtures: one reason per line.
void load_adapters(Definitions& made, const settings::Settings& settings, Findings& findings) {
  auto installed = adapter::Installed::load(settings.adapter_folders,
                                            canonical_types(made.document, made.catalogue),
                                            canonical_check(*made.parser));
  if (installed) {
    made.adapters = std::move(*installed);
    return;
  }
  std::istringstream reasons(installed.error().message);
  for (std::string reason; std::getline(reasons, reason);) {
    findings.error(settings.place("adapters"), reason);
  }
}

// In whose name mappings are erased by themselves.
void check_retention(const settings::Settings& settings, const policy::Policy& policy,
                     Findings& findings) {
  const std::string& id = settings.retention.authority;
  if (!settings.retention.periods.mapping || id.empty()) return;
  const policy::Authority* const authority = policy.authority(id);
  if (authority != nullptr && authority->role == Role::bamf) return;
  findings.error(settings.place("retention.authority"),
                 "the policy has no authority " + id + " of the role BAMF");
}

// A seed in Base 64, in one line.
Result<crypto::Ed25519Key> load_key(const std::string& file, Env& env) {
  Result<std::string> text = env.read_file(file, 1024);
  if (!text) {
    Error error = std::move(text).error();
    if (error.code == Errc::not_found) error.message += " (make it with: flora-gateway init)";
    return error;
  }
  while (!text->empty() && text->back() == '\n') text->pop_back();
  const auto seed = from_base64(*text);
  if (!seed) return Error{Errc::invalid, file + ": not Base 64"};
  return crypto::Ed25519Key::from_seed(as_bytes(*seed));
}

// As the system has it; empty if it has none.
std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

Result<Canonical> load_canonical(const std::string& statuses_file, Env& env) {
  FLORA_ASSIGN(openapi::Document document, openapi::Document::load());
  FLORA_ASSIGN(const std::string statuses, env.read_file(statuses_file, kMaxFile));
  FLORA_ASSIGN(Catalogue catalogue, Catalogue::parse(statuses, statuses_file));
  return Canonical{std::move(document), std::move(catalogue)};
}

adapter::CanonicalTypes canonical_types(const openapi::Document& document,
                                        const Catalogue& catalogue) {
  adapter::CanonicalTypes types;
  for (const Status& status : catalogue.statuses()) {
    adapter::CanonicalTypes::Status& known = types.statuses.emplace_back();
    known.name = status.name;
    for (openapi::Member& member : document.members("#/components/schemas/" + status.details)) {
      const adapter::CanonicalTypes::Kind kind = kind_of(member);
      known.details.push_back(
          {std::move(member.name), member.required, kind, member.list, std::move(member.words)});
    }
  }
  return types;
}

std::unique_ptr<Definitions> load_definitions(const settings::Settings& settings, Env& env,
                                              Findings& findings) {
  Result<openapi::Document> document = openapi::Document::load();
  if (!document) {
    findings.error({"openapi/flora-gateway.yaml"}, document.error().message);
    return nullptr;
  }
  auto made = std::make_unique<Definitions>(Definitions{std::move(*document), {}, {}, {}, {}, {}});
  const bool statuses = read_statuses(*made, settings, env, findings);
  auto policy = read_policy(settings, statuses ? &made->catalogue : nullptr, env, findings);
  const adapter::CanonicalTypes types = canonical_types(made->document, made->catalogue);
  const bool adapters = lint_adapters(settings, statuses ? &types : nullptr, findings);
  if (statuses && adapters) load_adapters(*made, settings, findings);
  if (!policy || made->adapters == nullptr) return nullptr;
  made->policy = std::make_unique<policy::InForce>(std::move(*policy));
  return made;
}

std::optional<policy::Policy> read_policy(const settings::Settings& settings,
                                          const Catalogue* catalogue, Env& env,
                                          Findings& findings) {
  Findings own;
  const auto text = read_named(settings, "policy", settings.policy_file, env, own);
  std::optional<policy::Policy> policy;
  if (text) policy = policy::Policy::read(*text, settings.policy_file, own);
  if (policy && catalogue != nullptr) {
    policy->check_statuses(*catalogue, settings.policy_file, own);
  }
  if (policy && !own.has_errors()) check_retention(settings, *policy, own);
  findings.add(own);
  if (own.has_errors()) policy.reset();
  return policy;
}

Result<std::unique_ptr<Definitions>> load_definitions(const settings::Settings& settings,
                                                      Env& env) {
  Findings findings;
  auto definitions = load_definitions(settings, env, findings);
  if (definitions == nullptr) return findings.to_error();
  return definitions;
}

adapter::EventCheck canonical_check(const intake::EventParser& parser) {
  return [&parser](std::string_view event) {
    const intake::ParseResult parsed = parser.parse(event);
    const auto* problem = std::get_if<Problem>(&parsed);
    if (problem == nullptr) return std::string();
    std::string why = "the event is no canonical status event:";
    for (const ProblemCause& cause : problem->causes) {
      why += " " + cause.pointer + " " + cause.detail;
    }
    return why;
  };
}

adapter::Installed::BeforeUse before_use(store::Store& store, privacy::KnownAdapters& adapters) {
  return [&store, &adapters](const adapter::Adapter& adapter) -> Result<void> {
    const adapter::BundleInfo& info = adapter.info();
    for (const auto& [name, text] : adapter.texts()) {
      if (!is_utf8(text)) return Error{Errc::invalid, name + ":1:1: the text is not UTF-8"};
    }
    const AdapterMark mark{info.id, info.version, info.hash};
    FLORA_TRY(store.keep_adapter(mark, adapter.texts()));
    adapters.add(mark);
    return {};
  };
}

Result<void> take_into_use(const adapter::Installed& installed,
                           const adapter::Installed::BeforeUse& prepare) {
  for (const adapter::InstalledBundle& bundle : installed.list()) {
    const Result<void> ready = prepare(*bundle.adapter);
    if (ready) continue;
    return Error{ready.error().code, bundle.adapter->info().id + ": " + ready.error().message};
  }
  return {};
}

privacy::ClosedLists closed_lists(const Definitions& definitions,
                                  const settings::Settings& settings,
                                  const privacy::KnownAdapters& adapters) {
  privacy::ClosedLists lists;
  lists.channels.insert(settings.channel);
  const std::vector<std::string>& several = settings.channels().all();
  lists.channels.insert(several.begin(), several.end());
  lists.catalogues.insert(definitions.catalogue.version());
  lists.adapters = &adapters;
  return lists;
}

Result<std::shared_ptr<const audit::Trail>> load_audit_trail(const settings::Settings& settings,
                                                             Env& env) {
  FLORA_ASSIGN(crypto::Ed25519Key key, load_key(settings.audit.key_file, env));
  if (!ledger::valid_key_name(settings.audit_origin())) {
    return Error{Errc::invalid, "the ledger's origin cannot name the audit trail"};
  }
  return std::make_shared<const audit::Trail>(settings.audit_origin(), std::move(key));
}

store::AuditOptions audit_options(const settings::Settings& settings,
                                  std::shared_ptr<const AuditFormat> trail) {
  const settings::Audit& audit = settings.audit;
  store::AuditOptions options;
  options.format = std::move(trail);
  options.head_file = audit.head_file;
  options.keeper = settings.store_server ? host_name() + ':' + audit.head_file : std::string();
  options.segment_records = audit.segment_records;
  options.segment_days = audit.segment_days;
  options.retention_days = audit.retention_days;
  return options;
}

Result<crypto::Ed25519Key> load_ledger_key(const settings::Settings& settings, Env& env) {
  return load_key(settings.ledger_key_file, env);
}

}  // namespace flora::commands
