// SIGHUP: what can change while the gateway runs is read again, on a thread of its own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"

namespace flora::commands {

/// Reads settings (for the level of the log), keys of the mapping, certificates, policy and
/// adapters. Each comes into force as a whole or not at all; why not stands in the log and in
/// `state`, and so does what has changed and needs a restart.
class Reloader {
 public:
  /// All of it outlives the reloader.
  struct Parts {
    const Source& source;
    const settings::Settings& settings;  ///< Those that the gateway was started with.
    const Definitions& definitions;
    adapter::Installed::BeforeUse before_use;
    store::Store& store;
    http::Server& server;
    api::ConfigurationState& state;
    Env& env;
  };

  explicit Reloader(Parts parts);
  /// Waits for the step that is under way, and takes no other.
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Returns at once. However often it is asked for while one is under way, one more follows.
  void request();

 private:
  void run();
  void reload();
  bool is_stopping();
  void read_settings();
  void read_keys();
  void read_certificates();
  void read_policy();
  void read_statuses();
  void read_adapters();
  /// `reasons` say why the part is not in force as it lies there.
  void conclude(std::string_view part, api::ConfigurationState::Reasons reasons);

  const Parts parts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool requested_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

/// Writes which adapters are in use, and why others are not.
void log_adapters(const adapter::Installed& installed);

}  // namespace flora::commands
