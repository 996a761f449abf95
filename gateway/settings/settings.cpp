#include "gateway/settings/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "gateway/base/yaml_section.h"
#include "gateway/model/catalogue.h"

namespace flora::settings {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::string_view kDataPrefix = "data:";
constexpr std::string_view kDevelopment = "development";

constexpr std::int64_t kMostShutdownMs = 600'000;

// At least one message of the largest size that an adapter may take.
constexpr std::size_t kOtherCalls = 32;  // Receipts and the like, beside transactions.
constexpr std::int64_t kLeastAdapterMemoryMib = 64;
constexpr std::int64_t kAdapterMemoryMib = 192;

struct LimitEntry {
  std::string_view key;
  std::int64_t low;
  std::int64_t high;
  std::size_t Limits::*target;
};

constexpr std::array kLimits{
    LimitEntry{"connections", 32, 1'000'000, &Limits::connections},
    LimitEntry{"connections_per_address", 0, 1'000'000, &Limits::connections_per_address},
    LimitEntry{"request_line_bytes", 1024, 65'536, &Limits::request_line_bytes},
    LimitEntry{"head_bytes", 4096, 1'048'576, &Limits::head_bytes},
    LimitEntry{"fields", 32, 1000, &Limits::fields},
    LimitEntry{"body_memory_mib", 16, 65'536, &Limits::body_memory_mib},
    LimitEntry{"answer_memory_mib", 16, 65'536, &Limits::answer_memory_mib},
    LimitEntry{"handshake_seconds", 1, 3600, &Limits::handshake_seconds},
    LimitEntry{"head_seconds", 1, 3600, &Limits::head_seconds},
    LimitEntry{"body_seconds", 1, 3600, &Limits::body_seconds},
    LimitEntry{"stream_seconds", 1, 3600, &Limits::stream_seconds},
    LimitEntry{"handling_seconds", 1, 3600, &Limits::handling_seconds},
    LimitEntry{"write_seconds", 1, 3600, &Limits::write_seconds},
    LimitEntry{"idle_seconds", 1, 3600, &Limits::idle_seconds},
};

// Two clocks that agree, and a token that is worth stealing for a month at most.
constexpr std::int64_t kMostLeewaySeconds = 300;
constexpr std::int64_t kMostTokenSeconds = 31 * 86'400;

// The law bounds how long the records of an audit may be kept; ten years are beyond any of it.
constexpr std::int64_t kMostRetentionDays = 3660;
constexpr const char* kAuditKey = "data:audit.key";
constexpr const char* kAuditHead = "data:audit.head";

// Paths in the file: relative to the file's folder, or to the data folder behind `data:`. A path
// that could not be read stays empty.
class Paths {
 public:
  Paths(std::string file, std::string data_folder)
      : file_(std::move(file)), data_folder_(std::move(data_folder)) {}

  std::string resolve(const std::string& path) const {
    if (path.empty()) return path;
    if (path.starts_with(kDataPrefix)) {
      return data_folder_ + '/' + path.substr(kDataPrefix.size());
    }
    const std::filesystem::path given(path);
    if (given.is_absolute()) return path;
    return (std::filesystem::path(file_).parent_path() / given).lexically_normal().string();
  }

 private:
  std::string file_;
  std::string data_folder_;
};

// Every scalar of the file under its dotted name.
void collect(const yaml::Node& node, const std::string& name,
             std::map<std::string, Written, std::less<>>& written) {
  const std::string prefix = name.empty() ? name : name + '.';
  for (const auto& [key, member] : node.members) collect(member, prefix + key, written);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    collect(node.items[i], prefix + std::to_string(i), written);
  }
  if (!name.empty()) written[name] = {node.text, node.at};
}

bool is_address(const std::string& text) {
  in_addr v4{};
  in6_addr v6{};
  return ::inet_pton(AF_INET, text.c_str(), &v4) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &v6) == 1;
}

Tls read_tls(yaml::Section tls, const Paths& paths) {
  Tls options;
  options.certificate_file = paths.resolve(tls.text("certificate"));
  options.key_file = paths.resolve(tls.text("key"));
  if (tls.has("client_ca")) {
    options.client_ca_file = paths.resolve(tls.text("client_ca"));
    options.client_certificates_required =
        tls.word("client_certificates", {"optional", "required"}) == "required";
  } else if (tls.has("client_certificates")) {
    tls.error("client_certificates", "without client_ca no certificate can be verified");
  }
  if (tls.has("crl")) {
    options.crl_file = paths.resolve(tls.text("crl"));
    if (!tls.has("client_ca")) tls.error("crl", "without client_ca nothing can be revoked");
  }
  return options;
}

Listener read_listener(yaml::Section section, const Paths& paths) {
  Listener listener;
  listener.address = section.text("address");
  if (!listener.address.empty() && !is_address(listener.address)) {
    section.error("address", "a numeric IPv4 or IPv6 address is expected");
  }
  listener.port = static_cast<std::uint16_t>(section.number("port", 0, 65535));
  if (section.has("tls")) listener.tls = read_tls(section.section("tls"), paths);
  return listener;
}

// Two listeners cannot have one port, unless each has an address of its own.
bool collide(const Listener& a, const Listener& b) {
  const auto takes_all = [](const std::string& address) {
    return address == "0.0.0.0" || address == "::";
  };
  return a.port != 0 && a.port == b.port &&
         (a.address == b.address || takes_all(a.address) || takes_all(b.address));
}

void read_listeners(yaml::Section listen, const Paths& paths, const Overrides& overrides,
                    Settings& settings) {
  settings.listener = read_listener(listen.section("public"), paths);
  settings.operations = read_listener(listen.section("operations"), paths);
  settings.listener.port = overrides.port.value_or(settings.listener.port);
  settings.operations.port = overrides.operations_port.value_or(settings.operations.port);
  if (collide(settings.listener, settings.operations)) {
    listen.error("operations", "the port is that of the public listener");
  }
}

Limits read_limits(yaml::Section section) {
  Limits limits;
  for (const LimitEntry& entry : kLimits) {
    std::size_t& limit = limits.*entry.target;
    limit = static_cast<std::size_t>(
        section.number_or(entry.key, entry.low, entry.high, static_cast<std::int64_t>(limit)));
  }
  return limits;
}

log::Level read_log_level(yaml::Section section) {
  const std::string name = section.word_or("level", {"debug", "info", "warning", "error"}, "info");
  return log::level_of(name).value_or(log::Level::info);
}

Shutdown read_shutdown(yaml::Section section) {
  Shutdown shutdown;
  shutdown.grace_ms = section.number_or("grace_ms", 0, kMostShutdownMs, shutdown.grace_ms);
  shutdown.bound_ms = section.number_or("bound_ms", 100, kMostShutdownMs, shutdown.bound_ms);
  return shutdown;
}

// The numeric IPv4 or IPv6 address that a URL names as its host; else empty.
std::string numeric_host_of(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  rest = rest.substr(0, rest.find('/'));
  const bool is_v6 = rest.starts_with('[') && rest.find(']') != rest.npos;
  const std::string host(is_v6 ? rest.substr(1, rest.find(']') - 1)
                               : rest.substr(0, rest.find(':')));
  return is_address(host) ? host : std::string();
}

// A host, no user, no fragment, nothing that another reader could take for the end of the host.
bool is_plain_url(std::string_view url) {
  const auto is_odd = [](char c) {
    return c <= ' ' || c >= 0x7F || c == '@' || c == '#' || c == '\\';
  };
  const std::string_view rest = url.substr(url.find("://") + 3);
  return !rest.empty() && rest.find_first_of("/:?") != 0 && std::ranges::none_of(url, is_odd);
}

void read_jwks_uri(yaml::Section& section, const Settings& settings, Tokens& tokens) {
  tokens.jwks_uri = section.text("jwks_uri");
  const std::string& uri = tokens.jwks_uri;
  if (uri.empty() || (uri.starts_with("https://") && is_plain_url(uri))) return;
  const bool near = uri.starts_with("http://") && is_plain_url(uri) &&
                    Listener{numeric_host_of(uri), 0, {}}.is_loopback();
  if (!near || !settings.is_development()) {
    section.error("jwks_uri",
                  "an https URL is expected; http only in the environment development, for a "
                  "numeric loopback address");
  }
}

Tokens read_tokens(yaml::Section section, const Paths& paths, const Settings& settings) {
  Tokens tokens;
  tokens.issuer = section.text("issuer");
  tokens.audience = section.text("audience");
  read_jwks_uri(section, settings, tokens);
  if (section.has("jwks_ca")) tokens.jwks_ca_file = paths.resolve(section.text("jwks_ca"));
  tokens.leeway_s = section.number_or("leeway_seconds", 0, kMostLeewaySeconds, tokens.leeway_s);
  tokens.lifetime_s =
      section.number_or("lifetime_seconds", 60, kMostTokenSeconds, tokens.lifetime_s);
  tokens.refresh_s = section.number_or("refresh_seconds", 10, 86'400, tokens.refresh_s);
  tokens.bound_required =
      section.word_or("bound", {"required", "optional"}, "required") == "required";
  const std::optional<Tls>& tls = settings.listener.tls;
  if (tokens.bound_required && (!tls || tls->client_ca_file.empty())) {
    section.error("bound",
                  "required, but no client can show a certificate: listen.public needs tls with "
                  "client_ca");
  }
  return tokens;
}

void read_authentication(yaml::Section section, const Paths& paths, Settings& settings) {
  settings.development_header = section.flag_or("development_header", false);
  if (section.has("tokens")) {
    settings.tokens = read_tokens(section.section("tokens"), paths, settings);
  }
}

// Of an endpoint or an identity: those of `known` that it is for; empty: all.
std::vector<std::string> read_own_channels(yaml::Section& section,
                                           const std::vector<std::string>& known) {
  std::vector<std::string> own;
  for (const yaml::Node* name : section.texts_or_none("channels")) {
    if (std::ranges::find(known, name->text) == known.end()) {
      section.error_at(name->at, "fabric.channels has no channel " + name->text);
    }
    own.push_back(name->text);
  }
  if (section.has("channels") && own.empty()) section.error("channels", "a channel is expected");
  return own;
}

fabric::Endpoint read_endpoint(yaml::Section section, const Paths& paths,
                               const std::vector<std::string>& channels) {
  fabric::Endpoint endpoint;
  endpoint.name = section.text("name");
  endpoint.address = section.text("address");
  endpoint.ca_file = paths.resolve(section.text("ca"));
  endpoint.server_name = section.text_or("server_name", "");
  endpoint.channels = read_own_channels(section, channels);
  return endpoint;
}

Pkcs11Source read_pkcs11(yaml::Section section, const Paths& paths) {
  Pkcs11Source token;
  token.module = paths.resolve(section.text("module"));
  token.token = section.text("token");
  token.label = section.text("label");
  if (section.has("pin_variable")) {
    token.pin_variable = section.text("pin_variable");
    if (section.has("pin_file")) section.error("pin_file", "pin_variable is given already");
  } else {
    token.pin_file = paths.resolve(section.text("pin_file"));
  }
  return token;
}

fabric::Identity read_identity(yaml::Section section, const Paths& paths,
                               const std::vector<std::string>& channels) {
  fabric::Identity identity;
  identity.msp_id = section.text("msp");
  identity.certificate_file = paths.resolve(section.text("certificate"));
  if (section.has("key") == section.has("pkcs11")) {
    section.error("certificate", "its key is needed: one of key and pkcs11");
  }
  if (section.has("key")) identity.key_file = paths.resolve(section.text("key"));
  if (section.has("pkcs11")) identity.token = read_pkcs11(section.section("pkcs11"), paths);
  identity.is_default = section.flag_or("default", false);
  for (const yaml::Node* id : section.texts_or_none("authorities")) {
    identity.authorities.push_back(id->text);
  }
  if (!identity.is_default && identity.authorities.empty()) {
    section.error("msp", "an identity signs for authorities, or is the default");
  }
  identity.channels = read_own_channels(section, channels);
  return identity;
}

void read_deadlines(yaml::Section section, fabric::Deadlines& deadlines) {
  const auto read = [&section](std::string_view key, std::chrono::milliseconds& value) {
    value = std::chrono::milliseconds(section.number_or(key, 100, 600'000, value.count()));
  };
  read("endorse_ms", deadlines.endorse);
  read("submit_ms", deadlines.submit);
  read("commit_ms", deadlines.commit_status);
  read("evaluate_ms", deadlines.evaluate);
}

// As Fabric takes it, and as it may stand in a transaction (schema Channel of the document).
bool is_channel_name(const std::string& name) {
  constexpr std::size_t kLongest = 32;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kLongest && is_letter(name.front()) &&
         std::ranges::all_of(name, [&is_letter](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string read_channel(yaml::Section& section, std::string_view key,
                         std::vector<std::string>& known) {
  std::string name = section.text(key);
  if (name.empty()) return name;
  if (!is_channel_name(name)) {
    section.error(
        key, "lower-case letters, digits and hyphens are expected, a letter first, 32 at most");
  } else if (std::ranges::find(known, name) != known.end()) {
    section.error(key, "another one has the channel " + name);
  }
  known.push_back(name);
  return name;
}

// The default, and one for each Land that has its own.
ChannelRule read_channels(yaml::Section section) {
  std::vector<std::string> known;
  std::string otherwise = read_channel(section, "default", known);
  ChannelRule::Lands channels;
  yaml::Section lands = section.section("lands");
  for (const std::string_view land : all_lands()) {
    if (lands.has(land)) channels[std::string(land)] = read_channel(lands, land, known);
  }
  if (channels.empty()) section.error("lands", "a Land with a channel of its own is expected");
  return {std::move(otherwise), std::move(channels)};
}

Fabric read_fabric(yaml::Section section, const Paths& paths, const std::string& file,
                   Findings& findings) {
  Fabric fabric;
  if (section.has("channels")) {
    if (section.has("channel")) section.error("channel", "channels are given already");
    fabric.channels = read_channels(section.section("channels"));
  } else {
    fabric.options.channel = section.text("channel");
  }
  const std::vector<std::string>& channels = fabric.channels.all();
  fabric.options.chaincode = section.text("chaincode");
  for (const yaml::Node& item : section.list("endpoints")) {
    fabric.options.endpoints.push_back(read_endpoint({item, file, findings}, paths, channels));
  }
  for (const yaml::Node& item : section.list("identities")) {
    fabric.options.identities.push_back(read_identity({item, file, findings}, paths, channels));
  }
  if (section.has("client_certificate")) {
    yaml::Section client = section.section("client_certificate");
    fabric.options.client_certificate = {paths.resolve(client.text("certificate")),
                                         paths.resolve(client.text("key"))};
  }
  if (section.has("deadlines"))
    read_deadlines(section.section("deadlines"), fabric.options.deadlines);
  // A peer refuses more than 500 calls at one time, of all its clients.
  fabric.concurrency = static_cast<std::size_t>(
      section.number_or("concurrency", 1, 400, static_cast<std::int64_t>(fabric.concurrency)));
  fabric.options.concurrency = fabric.concurrency + kOtherCalls;
  return fabric;
}

// The name that stands in transactions: of several channels each has its own.
void read_written_channel(yaml::Section& ledger, Settings& settings) {
  const std::vector<std::string>& several = settings.fabric->channels.all();
  if (several.empty()) {
    settings.channel = ledger.text("channel");
    return;
  }
  settings.channel = several.front();
  if (!ledger.has("channel")) return;
  ledger.error("channel", "with fabric.channels each transaction names one of those");
}

void read_ledger(yaml::Section ledger, const Paths& paths, const std::string& file,
                 Findings& findings, Settings& settings) {
  const std::string kind = ledger.word("kind", {"embedded", "fabric"});
  settings.ledger_origin = ledger.text("origin");
  settings.outbox = ledger.number_or("outbox", 1, 10'000'000, settings.outbox);
  if (kind == "fabric") {
    settings.fabric = read_fabric(ledger.section("fabric"), paths, file, findings);
    read_written_channel(ledger, settings);
    return;
  }
  settings.channel = ledger.text("channel");
  settings.ledger_key_file = paths.resolve(ledger.text("key"));
  settings.ledger_checkpoint_file = paths.resolve(ledger.text("checkpoint"));
}

void read_store(yaml::Section store, const Paths& paths, Settings& settings) {
  const std::string kind = store.text("kind");
  if (kind == "sqlite") {
    for (const char* name : {"connection", "password_file"}) {
      if (store.has(name)) store.error(name, "it is for kind: postgresql");
    }
    return;
  }
  if (kind != "postgresql") return store.error("kind", "sqlite or postgresql is expected");
  sql::Server server;
  server.connection = store.text("connection");
  if (store.has("password_file")) server.password_file = paths.resolve(store.text("password_file"));
  settings.store_server = std::move(server);
  // The embedded ledger is one process's, and then so is the store.
  if (settings.fabric) return;
  store.error("kind", "postgresql is for several gateways, and the embedded ledger is for one");
}

std::optional<double> ratio_of(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool good = parsed.ec == std::errc() && parsed.ptr == end && value >= 0 && value <= 1;
  return good ? std::optional(value) : std::nullopt;
}

void read_telemetry(yaml::Section telemetry, Settings& settings) {
  settings.otlp_endpoint = telemetry.text("otlp_endpoint");
  const std::string& endpoint = settings.otlp_endpoint;
  if (!endpoint.empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://")) {
    telemetry.error("otlp_endpoint", "an http or https URL is expected");
  }
  const auto ratio = ratio_of(telemetry.text_or("sample_ratio", "1"));
  if (!ratio) telemetry.error("sample_ratio", "a number from 0 to 1 is expected");
  settings.sample_ratio = ratio.value_or(0);
}

void read_audit(yaml::Section section, const Paths& paths, Audit& audit) {
  audit.key_file = paths.resolve(section.text_or("key", kAuditKey));
  audit.head_file = paths.resolve(section.text_or("head", kAuditHead));
  audit.segment_days = section.number_or("segment_days", 1, 366, audit.segment_days);
  audit.segment_records =
      section.number_or("segment_records", 1000, 10'000'000, audit.segment_records);
  if (section.has("retention_days")) {
    audit.retention_days = section.number("retention_days", 1, kMostRetentionDays);
  }
}

// § 7 (3) AsylG: ten years after the procedure has ended, at most. No other file that leads to
// persons is kept for longer.
bool is_longer_than_ten_years(const Period& period) {
  switch (period.unit) {
    case Period::Unit::years:
      return period.count > 10;
    case Period::Unit::months:
      return period.count > 120;
    case Period::Unit::days:
      return period.count > 3652;
    case Period::Unit::seconds:
      break;
  }
  return false;
}

std::optional<Period> read_period(yaml::Section& section, std::string_view name,
                                  const Settings& settings) {
  const std::string text = section.text(name);
  if (text.empty()) return std::nullopt;
  const auto period = parse_period(text);
  const bool seconds = period && period->unit == Period::Unit::seconds;
  if (!period || (seconds && !settings.is_development())) {
    section.error(name, "a period is expected, such as P10Y, P6M or P90D");
  } else if (is_longer_than_ten_years(*period)) {
    section.error(name, "ten years at most (§ 7 (3) AsylG)");
  }
  return period;
}

void read_retention(yaml::Section section, Settings& settings) {
  Retention& retention = settings.retention;
  if (section.has("mapping")) {
    retention.periods.mapping = read_period(section, "mapping", settings);
    retention.authority = section.code("authority");
  } else if (section.has("authority")) {
    section.error("authority", "without a period for mappings nothing is erased in its name");
  }
  if (section.has("backups")) {
    retention.periods.copies =
        read_period(section, "backups", settings).value_or(retention.periods.copies);
  }
}

constexpr std::size_t kMostIdBytes = 64;

bool is_key_id(const std::string& id) {
  return id.size() <= kMostIdBytes && std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

Key read_key(yaml::Section section, const Paths& paths) {
  Key key;
  key.id = section.text("id");
  if (!is_key_id(key.id)) section.error("id", "letters, digits and - . _ are expected, 64 at most");
  const int places =
      int{section.has("file")} + int{section.has("variable")} + int{section.has("pkcs11")};
  if (places != 1) section.error("id", "the key needs one of file, variable and pkcs11");
  if (section.has("file")) key.file = paths.resolve(section.text("file"));
  if (section.has("variable")) key.variable = section.text("variable");
  if (section.has("pkcs11")) key.pkcs11 = read_pkcs11(section.section("pkcs11"), paths);
  return key;
}

std::vector<Key> read_key_list(yaml::Section& section, std::string_view name, const Paths& paths,
                               const std::string& file, Findings& findings) {
  std::vector<Key> keys;
  for (const yaml::Node& item : section.list_or_none(name)) {
    Key key = read_key({item, file, findings}, paths);
    if (std::ranges::find(keys, key.id, &Key::id) != keys.end()) {
      section.error_at(item.at, "the id \"" + key.id + "\" is there twice");
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

// Either the one secret for all, or keys of both kinds, or both.
void read_keys(yaml::Section& root, const Paths& paths, const std::string& file, Findings& findings,
               Settings& settings) {
  if (root.has("keys")) {
    yaml::Section section = root.section("keys");
    settings.keys.lookup = read_key_list(section, "lookup", paths, file, findings);
    settings.keys.wrapping = read_key_list(section, "wrapping", paths, file, findings);
    for (const Key& key : settings.keys.lookup) {
      if (key.pkcs11) section.error("lookup", "a token holds wrapping keys only");
    }
  }
  const bool complete = !settings.keys.lookup.empty() && !settings.keys.wrapping.empty();
  if (complete && !root.has("mapping_secret")) return;
  settings.mapping_secret_file = paths.resolve(root.text("mapping_secret"));
}

void read_root(yaml::Section root, const std::string& file, const Overrides& overrides,
               Findings& findings, Settings& settings) {
  settings.environment = root.text("environment");
  const std::string data = root.text("data");
  settings.data_folder = overrides.data_folder.value_or(Paths(file, "").resolve(data));
  const Paths paths(file, settings.data_folder);

  read_listeners(root.section("listen"), paths, overrides, settings);
  settings.workers = static_cast<std::size_t>(root.number("workers", 1, 64));
  if (root.has("log")) settings.log_level = read_log_level(root.section("log"));
  if (root.has("shutdown")) settings.shutdown = read_shutdown(root.section("shutdown"));
  read_authentication(root.section("authentication"), paths, settings);
  if (settings.development_header && !settings.listener.is_loopback()) {
    root.error("authentication",
               "development_header is for loopback listeners only: anyone who reaches another "
               "address could be any authority");
  }
  if (root.has("limits")) settings.limits = read_limits(root.section("limits"));
  read_ledger(root.section("ledger"), paths, file, findings, settings);
  if (root.has("store")) read_store(root.section("store"), paths, settings);
  settings.audit.key_file = paths.resolve(kAuditKey);
  settings.audit.head_file = paths.resolve(kAuditHead);
  if (root.has("audit")) read_audit(root.section("audit"), paths, settings.audit);
  if (root.has("retention")) read_retention(root.section("retention"), settings);
  read_keys(root, paths, file, findings, settings);
  settings.policy_file = paths.resolve(root.text("policy"));
  settings.statuses_file = paths.resolve(root.text("statuses"));
  for (const yaml::Node* folder : root.texts("adapters")) {
    settings.adapter_folders.push_back(paths.resolve(folder->text));
  }
  const std::int64_t mib =
      root.number_or("adapter_memory_mib", kLeastAdapterMemoryMib, 65536, kAdapterMemoryMib);
  settings.adapter_memory = static_cast<std::size_t>(mib) << 20;
  if (root.has("telemetry")) read_telemetry(root.section("telemetry"), settings);
}

}  // namespace

// 127.0.0.0/8 and ::1; a name is none, whatever it looks like.
bool Listener::is_loopback() const {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

const ChannelRule& Settings::channels() const {
  static const ChannelRule one;
  return fabric ? fabric->channels : one;
}

bool Settings::is_development() const { return environment == kDevelopment; }

Place Settings::place(std::string_view key) const {
  const auto at = written.find(key);
  return {file, at == written.end() ? yaml::Position{} : at->second.at};
}

Settings read(std::string_view text, const std::string& file, const Overrides& overrides,
              Findings& findings) {
  Settings settings;
  settings.file = file;
  const auto document = yaml::read(text);
  if (const auto* fault = std::get_if<yaml::Fault>(&document)) {
    findings.error({file, fault->at}, fault->what);
    return settings;
  }
  const auto& root = std::get<yaml::Node>(document);
  collect(root, "", settings.written);
  read_root({root, file, findings}, file, overrides, findings, settings);
  return settings;
}

Settings read_file(const std::string& file, const Overrides& overrides, Env& env,
                   Findings& findings) {
  const Result<std::string> text = env.read_file(file, kMaxBytes);
  if (text) return read(*text, file, overrides, findings);
  findings.error({file}, text.error().message);
  return {};
}

Result<Settings> load(const std::string& file, const Overrides& overrides, Env& env) {
  FLORA_ASSIGN(const std::string text, env.read_file(file, kMaxBytes));
  Findings findings;
  Settings settings = read(text, file, overrides, findings);
  if (findings.has_errors()) return findings.to_error();
  return settings;
}

}  // namespace flora::settings
