// Start here. The gateway's settings, read strictly from one YAML file. A new setting is a member
// of Settings, one line in settings.cpp that reads it, and one in config/gateway.yaml.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/findings.h"
#include "gateway/base/log.h"
#include "gateway/base/pkcs11_source.h"
#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/model/channels.h"
#include "gateway/model/period.h"
#include "ledger-client/fabric/network.h"

namespace flora::settings {

struct Tls {
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;  ///< Empty: client certificates are not asked for.
  bool client_certificates_required = false;
  std::string crl_file;  ///< Empty: revocation is not checked.
};

/// How serve ends at SIGTERM.
struct Shutdown {
  std::int64_t grace_ms = 0;       ///< Not ready, but still accepting: a load balancer looks away.
  std::int64_t bound_ms = 30'000;  ///< Then for requests under way; what is left is closed.
};

struct Listener {
  std::string address = "127.0.0.1";  ///< Numeric.
  std::uint16_t port = 0;             ///< 0: the system chooses.
  std::optional<Tls> tls;

  bool is_loopback() const;
};

/// A value as it stands in the file.
struct Written {
  std::string text;  ///< Empty for what is no scalar.
  yaml::Position at;
};

/// What clients can make the gateway hold, and for how long; every one may be left out of the file.
/// What each means stands in gateway/http/limits.h.
struct Limits {
  std::size_t connections = 10'000;
  std::size_t connections_per_address = 1024;
  std::size_t request_line_bytes = 8192;
  std::size_t head_bytes = 32'768;
  std::size_t fields = 100;
  std::size_t body_memory_mib = 512;
  std::size_t answer_memory_mib = 256;
  std::size_t handshake_seconds = 10;
  std::size_t head_seconds = 10;
  std::size_t body_seconds = 60;
  std::size_t stream_seconds = 60;
  std::size_t handling_seconds = 60;
  std::size_t write_seconds = 30;
  std::size_t idle_seconds = 75;

  bool operator==(const Limits&) const = default;
};

/// OAuth 2.0 access tokens; what is verified stands in gateway/auth/README.md.
struct Tokens {
  std::string issuer;        ///< The claim `iss`, exactly.
  std::string audience;      ///< One of the claim `aud`, exactly.
  std::string jwks_uri;      ///< https; http for a numeric loopback address in development.
  std::string jwks_ca_file;  ///< Empty: the system's CAs.
  std::int64_t leeway_s = 30;
  std::int64_t lifetime_s = 86'400;
  std::int64_t refresh_s = 300;
  bool bound_required = true;  ///< A token that is bound to no client certificate is refused.
};

/// Of the audit trail.
struct Audit {
  std::string key_file;   ///< The Ed25519 seed that its heads are signed with, Base 64.
  std::string head_file;  ///< The newest signed head; better on another disk than the data folder.
  std::int64_t segment_days = 7;
  std::int64_t segment_records = 1'000'000;
  std::optional<std::int64_t> retention_days;  ///< Nothing: to the end of the year that follows.
};

/// How long what leads to persons is kept.
struct Retention {
  RetentionPeriods periods;
  std::string authority;  ///< Of the tombstones, where there is a period for mappings.
};

/// What a ledger network is reached with.
struct Fabric {
  fabric::Options options;
  ChannelRule channels;           ///< Where there are several, in place of `options.channel`.
  std::size_t concurrency = 128;  ///< Transactions that are under way at one time.
};

/// One key of the mapping: 32 bytes, Base 64, in a file or a variable; or within a token.
struct Key {
  std::string id;  ///< Stands in the rows that it makes; not secret.
  std::string file;
  std::string variable;
  std::optional<Pkcs11Source> pkcs11;
};

/// Of the mapping. The first of a list makes new rows, the others read what they made; the mapping
/// secret, if there is one, comes last in both.
struct Keys {
  std::vector<Key> lookup;    ///< Find rows by hash.
  std::vector<Key> wrapping;  ///< Encrypt the keys of procedures.
};

/// Paths are absolute, or relative to the working folder, after parsing.
struct Settings {
  std::string file;  ///< That it was read from.
  /// All that stands there, by its dotted name: `listen.public.port`, `adapters.0`.
  std::map<std::string, Written, std::less<>> written;

  std::string environment;  ///< Names the deployment; keys and ledger origin are bound to it.
  std::string data_folder;  ///< Of ledger.db, store.db, view.db.
  std::optional<sql::Server> store_server;  ///< In place of store.db.
  Listener listener;
  Listener operations;
  std::size_t workers = 1;
  Limits limits;
  Shutdown shutdown;
  bool development_header = false;
  std::optional<Tokens> tokens;   ///< Nothing: no token is taken.
  std::optional<Fabric> fabric;   ///< Nothing: the ledger is embedded.
  std::int64_t outbox = 200'000;  ///< Transactions that may wait for the ledger; beyond: 503.
  std::string ledger_origin;
  std::string ledger_key_file;         ///< The Ed25519 seed, Base 64.
  std::string ledger_checkpoint_file;  ///< Better on another disk than the data folder.
  /// 32 bytes, Base 64; or FLORA_MAPPING_SECRET. Empty: there are keys of both kinds instead.
  std::string mapping_secret_file;
  Keys keys;
  std::string policy_file;
  std::string statuses_file;
  std::vector<std::string> adapter_folders;
  std::size_t adapter_memory = 0;  ///< Bytes of all large native messages together.
  /// That stands in transactions and tombstones; of several channels the default: a transaction has
  /// the first that it goes to.
  std::string channel;
  log::Level log_level = log::Level::info;
  std::string otlp_endpoint;  ///< Empty: no spans are exported.
  double sample_ratio = 1;    ///< Of the traces that begin here, how many are sampled: 0 to 1.
  Audit audit;
  Retention retention;

  /// Several channels of a ledger network; for one all lists are empty.
  const ChannelRule& channels() const;

  /// Keys may then be readable by others: they protect nothing.
  bool is_development() const;
  /// Where a value of `written` stands; the file as a whole if it is not there.
  Place place(std::string_view key) const;

  std::string ledger_database() const { return data_folder + "/ledger.db"; }
  std::string store_database() const { return data_folder + "/store.db"; }
  /// Where the store is: there, or on the server.
  sql::Place store_place() const {
    sql::Place place(store_database());
    place.server = store_server;
    return place;
  }
  /// The local copy of a network's entries.
  std::string copy_database() const { return data_folder + "/network.db"; }
  std::string view_database() const { return data_folder + "/view.db"; }
  /// Names the audit trail in every head that is signed.
  std::string audit_origin() const { return ledger_origin + "/audit"; }
};

/// What the command line may replace.
struct Overrides {
  std::optional<std::string> data_folder;
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> operations_port;
};

/// Reads the text of a file; `file` stands in the findings, and relative paths begin in its folder,
/// those that begin with `data:` in the data folder. All that is wrong or contradicts itself is
/// told (among it a development header together with a listener that is not loopback); the settings
/// are of use only if there is no error.
Settings read(std::string_view text, const std::string& file, const Overrides& overrides,
              Findings& findings);

/// The same with the file itself.
Settings read_file(const std::string& file, const Overrides& overrides, Env& env,
                   Findings& findings);

/// The same for who needs good settings. Errors: invalid, one line "file:line:column: what" for
/// each mistake; not_found.
Result<Settings> load(const std::string& file, const Overrides& overrides, Env& env);

}  // namespace flora::settings
