#include "gateway/commands/check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gateway/commands/exit_code.h"

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
    listener("listen.public", settings_.listener);
    listener("listen.operations", settings_.operations);
    exposure();
    tokens();
    folders();
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
    if (!settings_.data_folder.empty()) {
      const auto trail = load_audit_trail(settings_, env);
      if (!trail) error("audit.key", trail.error().message);
      protect("audit.key", settings_.audit.key_file, S_IRWXG | S_IRWXO, kSecret);
    }
    if (settings_.mapping_secret_file.empty()) return;
    const auto secret =
        privacy::Keys::load(settings_.mapping_secret_file, settings_.environment, env);
    if (!secret) error("mapping_secret", secret.error().message);
    if (std::getenv("FLORA_MAPPING_SECRET") != nullptr) return;
    protect("mapping_secret", settings_.mapping_secret_file, S_IRWXG | S_IRWXO, kSecret);
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

  void folders() {
    const fs::path data = settings_.data_folder;
    if (!data.empty()) writable("data", data, may_be_made);
    elsewhere("ledger.checkpoint", settings_.ledger_checkpoint_file,
              "it stands beside the ledger: who puts back an old copy of both is not found out");
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
