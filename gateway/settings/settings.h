// Start here. The gateway's settings, read strictly from one YAML file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"

namespace flora::settings {

struct Tls {
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;  ///< Empty: client certificates are not asked for.
  bool client_certificates_required = false;
};

struct Listener {
  std::string address = "127.0.0.1";  ///< Numeric.
  std::uint16_t port = 0;             ///< 0: the system chooses.
  std::optional<Tls> tls;

  bool is_loopback() const;
};

/// Paths are absolute, or relative to the working folder, after parsing.
struct Settings {
  std::string environment;  ///< Names the deployment; keys and ledger origin are bound to it.
  std::string data_folder;  ///< Of ledger.db, store.db, view.db.
  Listener listener;
  Listener operations;
  std::size_t workers = 1;
  bool development_header = false;
  std::string ledger_origin;
  std::string ledger_key_file;         ///< The Ed25519 seed, Base 64.
  std::string ledger_checkpoint_file;  ///< Better on another disk than the data folder.
  std::string mapping_secret_file;     ///< 32 bytes, Base 64; or FLORA_MAPPING_SECRET.
  std::string policy_file;
  std::string statuses_file;
  std::vector<std::string> adapter_folders;
  std::size_t adapter_memory = 0;  ///< Bytes of all large native messages together.
  std::string channel;

  std::string ledger_database() const { return data_folder + "/ledger.db"; }
  std::string store_database() const { return data_folder + "/store.db"; }
  std::string view_database() const { return data_folder + "/view.db"; }
};

/// What the command line may replace.
struct Overrides {
  std::optional<std::string> data_folder;
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> operations_port;
};

/// Reads the file; paths in it are relative to its folder, those of keys and data to the data
/// folder if they begin with `data:`. Errors: invalid, "file:line:column: what" (among them: a
/// development header together with a listener that is not loopback); not_found.
Result<Settings> load(const std::string& file, const Overrides& overrides, Env& env);

}  // namespace flora::settings
