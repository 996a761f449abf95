#include "gateway/commands/check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/commands/exit_code.h"
#include "gateway/commands/mapping_keys.h"
#include "gateway/commands/open_ledger.h"
#include "gateway/store/channels_in_use.h"
#include "gateway/store/key_uses.h"

namespace flora::commands {
namespace {

namespace fs = std::filesystem;

http::TlsOptions tls_options(const settings::Tls& tls) {
  http::TlsOptions options;
  options.certificate_file = tls.certificate_file;
  options.key_file = tls.key_file;
  options.client_ca_file = tls.client_ca_file;
  options.crl_file = tls.crl_file;
  if (!options.client_ca_file.empty()) {
    options.client_certificates = tls.client_certificates_required
                                      ? http::ClientCertificates::required
                                      : http::ClientCertificates::optional;
  }
  return options;
}

std::string octal(unsigned mode) {
  std::string digits = "0000";
  for (std::size_t i = 4; i-- > 0; mode /= 8) digits[i] = static_cast<char>('0' + mode % 8);
  return digits;
}

// systemd's alone to hand out: nobody else can reach them, and the bits of the mode are those of an
// access control list.
bool is_credential(const std::string& file) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  return folder != nullptr && file.starts_with(std::string(folder) + '/');
}

// Who may change the policy is any authority.
constexpr std::string_view kWritable = "others than its owner and group may change it";
constexpr std::string_view kSecret = "a secret is for its owner alone, chmod 0600";

// Looks at the settings one part after the other; `key` is always the name of a setting.
class Check {
 public:
  Check(const settings::Settings& settings, Findings& findings)
      : settings_(settings), findings_(findings) {}

  void all(Env& env) {
    files();
    keys(env);
    mapping_keys(env);
    if (!settings_.data_folder.empty()) channels();
    listener("listen.public", settings_.listener);
    listener("listen.operations", settings_.operations);
    exposure();
    tokens();
    folders();
    retention();
  }

  void mapping_keys(Env& env) {
    std::vector<Secret> lookup = load_all("keys.lookup", settings_.keys.lookup, env);
    std::vector<Secret> wrapping = load_all("keys.wrapping", settings_.keys.wrapping, env);
    const std::optional<Secret> mapping = mapping_secret(env);
    const bool complete =
        mapping || (!settings_.keys.lookup.empty() && !settings_.keys.wrapping.empty());
    for (std::vector<Secret>* secrets : {&lookup, &wrapping}) {
      if (mapping) secrets->push_back(*mapping);
      tell_twins(*secrets);
    }
    if (complete && keys_are_good_ && !settings_.data_folder.empty()) compare_with_rows(env);
  }

  void policy() { protect("policy", settings_.policy_file, S_IWOTH, kWritable); }

 private:
  void error(std::string_view key, std::string what) {
    findings_.error(settings_.place(key), std::move(what));
  }
  void warning(std::string_view key, std::string what) {
    findings_.warning(settings_.place(key), std::move(what));
  }

  // `forbidden` are bits of the mode.
  void protect(std::string_view key, const std::string& file, unsigned forbidden,
               std::string_view rule) {
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0 || (found.st_mode & forbidden) == 0) return;
    if (is_credential(file)) return;
    std::string what =
        file + " has the mode " + octal(found.st_mode & 07777) + ": " + std::string(rule);
    settings_.is_development() ? warning(key, std::move(what)) : error(key, std::move(what));
  }

  void files() {
    protect("environment", settings_.file, S_IWOTH, kWritable);
    policy();
    protect("statuses", settings_.statuses_file, S_IWOTH, kWritable);
    for (std::size_t i = 0; i < settings_.adapter_folders.size(); ++i) {
      protect("adapters." + std::to_string(i), settings_.adapter_folders[i], S_IWOTH, kWritable);
    }
  }

  void keys(Env& env) {
    if (!settings_.ledger_key_file.empty()) {
      const auto key = load_ledger_key(settings_, env);
      if (!key) error("ledger.key", key.error().message);
      protect("ledger.key", settings_.ledger_key_file, S_IRWXG | S_IRWXO, kSecret);
    }
    if (settings_.store_server) store_server();
    if (settings_.fabric) network(env);
    if (!settings_.data_folder.empty()) {
      const auto trail = load_audit_trail(settings_, env);
      if (!trail) error("audit.key", trail.error().message);
      protect("audit.key", settings_.audit.key_file, S_IRWXG | S_IRWXO, kSecret);
    }
  }

  // What does not answer now may do so later: a start fails, and may be tried again.
  void store_server() {
    const std::string& password = settings_.store_server->password_file;
    if (!password.empty()) protect("store.password_file", password, S_IRWXG | S_IRWXO, kSecret);
    const auto opened = sql::open(settings_.store_place(), sql::Access::read);
    // One that nobody has written yet gets its tables at the first start.
    if (opened || opened.error().code == Errc::not_found) return;
    if (opened.error().code == Errc::unavailable) {
      warning("store.connection", opened.error().message + "; nothing starts without it");
    } else {
      error("store.connection", opened.error().message);
    }
  }

  // What the client of the network would say at the start, and who can read its keys.
  void network(Env& env) {
    const fabric::Options& options = settings_.fabric->options;
    for (std::size_t i = 0; i < options.identities.size(); ++i) {
      const std::string place = "ledger.fabric.identities." + std::to_string(i);
      const fabric::Identity& identity = options.identities[i];
      protect(place + ".key", identity.key_file, S_IRWXG | S_IRWXO, kSecret);
      if (identity.token) {
        protect(place + ".pkcs11.pin_file", identity.token->pin_file, S_IRWXG | S_IRWXO, kSecret);
      }
    }
    protect("ledger.fabric.client_certificate.key", options.client_certificate.key_file,
            S_IRWXG | S_IRWXO, kSecret);
    const auto opened = open_network(*settings_.fabric, env);
    if (!opened) error("ledger.fabric", opened.error().message);
  }

  // An entry whose channel is not there would wait for ever, and a history would lack what stands
  // on it.
  void channels() {
    if (settings_.fabric) {
      const auto kept = keeps_channels(settings_);
      if (!kept) error("ledger.fabric", kept.error().message);
      if (!settings_.channels().all().empty()) signers();
    }
    const auto in_use = store::channels_in_use(settings_.store_place());
    if (!in_use) return;  // Whoever opens the store is told what is wrong with it.
    std::vector<std::string> there = settings_.channels().all();
    if (there.empty() && settings_.fabric) there.push_back(settings_.fabric->options.channel);
    for (const std::string& name : *in_use) {
      if (std::ranges::find(there, name) != there.end()) continue;
      error("ledger", "entries or procedures of the store name the channel " + name +
                          ", which is not among the channels");
    }
  }

  // What is handed over to a channel is of any authority, and its signer must be a member there.
  void signers() {
    const std::vector<fabric::Identity>& identities = settings_.fabric->options.identities;
    if (std::ranges::any_of(identities, [](const fabric::Identity& one) {
          return !one.authorities.empty() && one.channels.empty();
        })) {
      warning("ledger.fabric.identities",
              "one of some authorities names no channels and signs on all of them; where it is "
              "no member, those reports wait for ever (access-denied): name those that it is of");
    }
    for (const std::string& channel : settings_.channels().all()) {
      if (std::ranges::any_of(identities, [&channel](const fabric::Identity& one) {
            return one.is_default && fabric::is_of(one, channel);
          })) {
        continue;
      }
      warning("ledger.fabric.identities",
              "none is the default of the channel " + channel +
                  ": what an authority that none names reports there fails (no-identity)");
    }
  }

  // One that stands in a file or a variable.
  struct Secret {
    std::string place;
    std::string id;
    Digest check{};
  };

  void key_error(std::string_view place, std::string what) {
    keys_are_good_ = false;
    error(place, std::move(what));
  }

  std::vector<Secret> load_all(const std::string& name, const std::vector<settings::Key>& keys,
                               Env& env) {
    std::vector<Secret> secrets;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const settings::Key& key = keys[i];
      const std::string place = name + '.' + std::to_string(i);
      if (key.pkcs11) {
        protect(place + ".pkcs11.pin_file", key.pkcs11->pin_file, S_IRWXG | S_IRWXO, kSecret);
        look_into_token(place, key, env);
        continue;
      }
      protect(place + ".file", key.file, S_IRWXG | S_IRWXO, kSecret);
      const auto loaded = load_lookup_key(settings_, key, env);
      if (loaded) secrets.push_back({place, key.id, loaded->check()});
      if (!loaded) key_error(place, loaded.error().message);
    }
    return secrets;
  }

  // What does not answer now may do so later: a start fails, and may be tried again.
  void look_into_token(const std::string& place, const settings::Key& key, Env& env) {
    const auto opened = load_wrapping_key(settings_, key, env);
    if (opened) return;
    keys_are_good_ = false;
    if (opened.error().code == Errc::unavailable) {
      warning(place, opened.error().message + "; nothing starts without it");
    } else {
      error(place, opened.error().message);
    }
  }

  std::optional<Secret> mapping_secret(Env& env) {
    if (settings_.mapping_secret_file.empty()) return std::nullopt;
    if (std::getenv(kMappingSecretVariable) == nullptr) {
      protect("mapping_secret", settings_.mapping_secret_file, S_IRWXG | S_IRWXO, kSecret);
    }
    const auto keys = load_mapping_secret(settings_, env);
    if (keys) return Secret{"mapping_secret", (*keys)->derived_id(), (*keys)->check()};
    key_error("mapping_secret", keys.error().message);
    return std::nullopt;
  }

  // A change to the same secret would change nothing.
  void tell_twins(const std::vector<Secret>& secrets) {
    for (std::size_t i = 1; i < secrets.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Secret& one = secrets[i];
        const std::string other = "key \"" + secrets[j].id + "\"";
        if (one.check == secrets[j].check) key_error(one.place, "the same secret as the " + other);
        if (one.id == secrets[j].id) key_error(one.place, "it has the id of the " + other);
      }
    }
  }

  void compare_with_rows(Env& env) {
    auto keys = load_keys(settings_, env);
    if (!keys) return key_error("keys", keys.error().message);
    const auto mistakes = store::key_mistakes(settings_.store_place(), std::move(*keys));
    if (!mistakes) return;  // Whoever opens the store is told what is wrong with it.
    const std::string rows = settings_.store_server ? settings_.store_place().name() : "store.db";
    for (const std::string& mistake : *mistakes) key_error("keys", rows + ": " + mistake);
  }

  void listener(const std::string& name, const settings::Listener& listener) {
    if (!listener.tls) return;
    const settings::Tls& tls = *listener.tls;
    const std::string key = name + ".tls";
    http::TlsOptions options = tls_options(tls);
    const bool certificate = readable(key + ".certificate", tls.certificate_file);
    const bool secret = readable(key + ".key", tls.key_file);
    if (!tls.client_ca_file.empty() && !readable(key + ".client_ca", tls.client_ca_file)) {
      options.client_certificates = http::ClientCertificates::none;  // The rest can be loaded.
    }
    if (!tls.crl_file.empty() && !readable(key + ".crl", tls.crl_file)) options.crl_file.clear();
    if (!certificate || !secret) return;
    // A group may read it: Debian has one for keys, ssl-cert.
    protect(key + ".key", tls.key_file, S_IWGRP | S_IRWXO, "a secret is not for others");
    if (const auto good = http::check_tls(options); !good) error(key, good.error().message);
  }

  // False if it is not, or if its name is not known, which was told.
  bool readable(std::string_view key, const std::string& file) {
    if (file.empty()) return false;
    if (::access(file.c_str(), R_OK) == 0) return true;
    error(key, "cannot read " + file);
    return false;
  }

  // What is allowed, and seldom meant.
  void exposure() {
    if (settings_.development_header && !settings_.is_development()) {
      warning("authentication.development_header",
              "who reaches the port, even through a proxy, can be any authority");
    }
    const bool asks = settings_.listener.tls && !settings_.listener.tls->client_ca_file.empty();
    if (!settings_.development_header && !asks && !settings_.tokens) {
      warning("listen.public", "no client can be known: certificates need tls with client_ca");
    }
    if (!settings_.operations.is_loopback() && !settings_.operations.tls) {
      warning("listen.operations", "readiness and metrics are open to who reaches the address");
    }
  }

  void tokens() {
    if (!settings_.tokens) return;
    const std::string& ca = settings_.tokens->jwks_ca_file;
    if (!ca.empty()) readable("authentication.tokens.jwks_ca", ca);
    if (settings_.is_development()) return;
    if (!settings_.tokens->bound_required) {
      warning("authentication.tokens.bound", "who gets hold of a token can use it");
    }
    if (!settings_.listener.tls && !settings_.listener.is_loopback()) {
      warning("listen.public", "access tokens cross the network as plain text");
    }
  }

  void retention() {
    if (settings_.retention.periods.mapping || settings_.is_development()) return;
    warning("retention", "no period for mappings: they stay until somebody orders their erasure");
  }

  void folders() {
    const fs::path data = settings_.data_folder;
    if (!data.empty()) writable("data", data, may_be_made);
    if (!settings_.ledger_checkpoint_file.empty()) {
      elsewhere("ledger.checkpoint", settings_.ledger_checkpoint_file,
                "it stands beside the ledger: who puts back an old copy of both is not found out");
    }
    elsewhere("audit.head", settings_.audit.head_file,
              "it stands beside the audit trail: who cuts off the end of both is not found out");
  }

  // A file that is of use only where the data are not.
  void elsewhere(std::string_view key, const std::string& file, std::string why) {
    const fs::path data = settings_.data_folder;
    const fs::path folder = fs::path(file).parent_path();
    if (folder.empty() || data.empty()) return;
    const bool same = folder.lexically_normal() == data.lexically_normal();
    if (!same) return writable(key, folder, must_exist);
    if (!settings_.is_development()) warning(key, std::move(why));
  }

  enum Presence { may_be_made, must_exist };

  void writable(std::string_view key, fs::path folder, Presence presence) {
    std::error_code ignored;
    folder = fs::absolute(folder, ignored).lexically_normal();
    while (presence == may_be_made && !fs::exists(folder, ignored) && folder.has_relative_path()) {
      folder = folder.parent_path();
    }
    if (!fs::is_directory(folder, ignored)) {
      error(key, folder.string() + " is no folder");
    } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
      error(key, "cannot write in " + folder.string());
    }
  }

  const settings::Settings& settings_;
  Findings& findings_;
  bool keys_are_good_ = true;
};

nlohmann::json to_json(const Findings& findings) {
  nlohmann::json out = nlohmann::json::array();
  for (const Finding& finding : findings.all()) {
    const bool is_error = finding.weight == Finding::Weight::error;
    out.push_back({{"file", finding.place.file},
                   {"line", finding.place.at.line},
                   {"column", finding.place.at.column},
                   {"weight", is_error ? "ERROR" : "WARNING"},
                   {"message", finding.what}});
  }
  return out;
}

}  // namespace

http::ListenerOptions listener_options(const settings::Listener& listener) {
  http::ListenerOptions options;
  options.address = listener.address;
  options.port = listener.port;
  if (listener.tls) options.tls = tls_options(*listener.tls);
  return options;
}

Examined examine(const Source& source, Env& env) {
  Examined examined;
  examined.settings = settings::read_file(source.file, source.overrides, env, examined.findings);
  // A file that is not there, or is no YAML, names nothing to look at.
  if (examined.settings.written.empty()) return examined;
  examined.definitions = load_definitions(examined.settings, env, examined.findings);
  Check(examined.settings, examined.findings).all(env);
  if (examined.findings.has_errors()) examined.definitions.reset();
  return examined;
}

void check_policy_file(const settings::Settings& settings, Findings& findings) {
  Check(settings, findings).policy();
}

void check_keys(const settings::Settings& settings, Env& env, Findings& findings) {
  Check(settings, findings).mapping_keys(env);
}

void print(const Findings& findings) {
  for (const Finding& finding : findings.all()) std::cerr << to_string(finding) << '\n';
}

int check(const Source& source, const CommandLine& line, Env& env) {
  const Examined examined = examine(source, env);
  const bool good = !examined.findings.has_errors();
  if (line.has("--json")) {
    const nlohmann::json out = {{"good", good}, {"findings", to_json(examined.findings)}};
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return good ? kDone : kUsage;
  }
  print(examined.findings);
  if (!good) return kUsage;
  const Definitions& definitions = *examined.definitions;
  std::cout << "The settings are good: " << definitions.catalogue.statuses().size() << " statuses, "
            << definitions.policy->get()->authorities().size() << " authorities, "
            << definitions.adapters->list().size() << " adapters.\n";
  return kDone;
}

}  // namespace flora::commands
