// A whole gateway within the test's process: its parts are wired as the program wires them, with a
// clock that the test moves, on a port of the system's choice. Every answer is held against the
// OpenAPI document.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/auth/key_source.h"
#include "gateway/erasure/retention.h"
#include "gateway/model/catalogue.h"
#include "gateway/model/channels.h"
#include "ledger-client/merkle/note.h"
#include "openapi/document.h"
#include "tests/fake_env.h"
#include "tests/http/client.h"

namespace flora::test {

using Json = nlohmann::json;
using Headers = std::vector<std::pair<std::string, std::string>>;

// The invented authorities of config/policy.yaml.
inline constexpr const char* kBamf = "999901";
inline constexpr const char* kAe = "999902";        // DE-NI
inline constexpr const char* kAbh = "999903";       // DE-NI
inline constexpr const char* kLd = "999904";        // DE-SN
inline constexpr const char* kOtherAbh = "999905";  // DE-BB
inline constexpr const char* kAuditor = "999990";
inline constexpr const char* kOtherAe = "000160";  // DE-NW

struct Request {
  std::string method = "GET";
  std::string path;            // With the query.
  std::string authority = {};  // Of the development header; empty: none.
  Headers headers = {};
  std::string body = {};
  bool operations = false;  // To the listener for operators.
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;

  std::string_view header(std::string_view name) const;
  Json json() const;                // Fails the test if the body is none.
  std::vector<Json> lines() const;  // Of a stream.
  std::string problem() const;      // The problem's name; empty if it is none.
};

/// What a test changes of config/gateway.yaml.
struct Options {
  std::vector<std::string> adapter_folders = {};  // Empty: those of the file.
  std::size_t adapter_memory = 0;                 // 0: that of the file.
  std::string rates = {};      // Of the policy, in YAML; empty: no test meets them.
  std::string store_vfs = {};  // An SQLite VFS for the store.
  // Of the issuer https://idp for the audience https://flora; null: no token is taken.
  auth::KeySource* keys = nullptr;
  ChannelRule channels = {};  // That entries go to; the ledger is the embedded one all the same.
};

/// Thread-safe but for the clients that it hands out.
class Gateway {
 public:
  explicit Gateway(const Options& options = {});
  ~Gateway();

  /// Sends, waits, and checks the answer.
  Response send(const Request& request);
  Response get(const std::string& path, const std::string& authority = {}, Headers headers = {});
  /// A status event as JSON, by its own reporter.
  Response report(const Json& event, Headers headers = {});
  Response post(const std::string& path, const std::string& media_type, std::string body,
                const std::string& authority, Headers headers = {});

  /// Sends and returns at once; finish() waits for the answer and checks it.
  http::test::Client start(const Request& request);
  Response finish(http::test::Client& client, const Request& request);

  /// What SIGHUP does with the adapters.
  void reload_adapters();

  /// What SIGHUP does with the policy, and tells of the configuration.
  void replace_policy(const std::string& yaml);
  void set_configuration(std::string_view part, std::vector<std::string> reasons);
  /// One run of the job that is daily; a new one with this period, that has last seen this time.
  erasure::RetentionRun run_retention();
  void restart_retention(const Period& mapping, Instant last_seen);
  /// What SIGTERM does first.
  void retire();

  /// While it is held, no event with a new identifier is accepted.
  void hold_writer();
  /// Waits until the writer is at such an event.
  void wait_for_writer();
  void release_writer();

  const openapi::Document& document() const;
  const Catalogue& catalogue() const;
  std::uint64_t ledger_size() const;
  /// The records of the audit trail, from the first on. They must be well chained.
  std::vector<Json> audit() const;
  ledger::NoteVerifier audit_verifier() const;
  std::string folder() const;

  FakeEnv env;

 private:
  struct Parts;
  void check(const Request& request, const Response& response) const;
  void pass_writer();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool waiting_ = false;
  std::unique_ptr<Parts> parts_;
};

/// The text of config/policy.yaml.
std::string sample_policy();

/// An event of the AE of DE-NI about the person with this AZR number: registered.
Json event(const std::string& id, const std::string& azr = "260815000001");

/// The same of another reporter and status.
Json event_of(const std::string& id, const std::string& azr, const std::string& authority,
              const std::string& status, const std::string& details = {});

/// The event as a CloudEvent in structured mode.
Json cloud_event(Json event);

/// The names of a bundle's fixtures of one kind: accepted, rejected or skipped.
std::vector<std::string> fixture_names(const std::string& kind);

/// One of a bundle's fixtures, its invented authors replaced by those of the policy.
std::string fixture_message(const std::string& path);

}  // namespace flora::test
