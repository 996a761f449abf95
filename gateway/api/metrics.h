// Counters of the gateway and their OpenMetrics text. Requests are measured as OpenTelemetry's
// semantic conventions for HTTP servers name it; what has no counterpart there begins with flora_.
// Labels are names of ours (templates of routes, ids of installed adapters, statuses, kinds of
// outcome), never anything of a client.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/erasure/retention.h"
#include "gateway/http/server.h"
#include "gateway/intake/intake.h"
#include "gateway/telemetry/exporter.h"
#include "openapi/document.h"

namespace flora::api {

/// A bound that a request ran into: the rates (429) and what is shared by all (503).
enum class Limit : std::uint8_t {
  requests,
  events,
  streams,
  anonymous,
  store,        ///< Events that wait for the store.
  blocking,     ///< Work that waits for the disk.
  messages,     ///< Memory of large native messages.
  identifiers,  ///< That a client searches for.
};
inline constexpr std::size_t kLimits = 8;

/// As in metrics and, for a rate, in RateLimit-Policy.
std::string_view to_string(Limit limit);

/// What is read at the moment of the scrape.
struct Gauges {
  http::Counters http;
  std::uint64_t ledger_entries = 0;
  std::int64_t outbox = 0;
  std::optional<outbox::Activity> network;  ///< Nothing: the ledger is none.
  bool network_away = false;
  std::optional<bool> turn = {};  ///< Of gateways that share a store: this one has the turn.
  std::uint64_t view_position = 0;
  store::RotationProgress rotation;
  std::int64_t erasures = 0;
  erasure::RetentionCounters retention;
  std::uint64_t adapters_stale = 0;
  std::uint64_t configuration_stale = 0;
  std::uint64_t log_dropped = 0;
  telemetry::ExporterCounters spans;
};

/// The methods that OpenTelemetry knows by name; every other one is `other`.
enum class Method { connect, delete_, get, head, options, patch, post, put, trace, other };
inline constexpr std::size_t kMethodCount = 10;
Method method_of(std::string_view name);
/// `GET` …, `_OTHER`.
std::string_view to_string(Method method);

/// A listener as metrics and spans name it.
struct ListenerName {
  std::string_view scheme = "http";
  std::uint16_t port = 0;  ///< 0: not known.
};

/// What became of a native message as a whole.
enum class MessageOutcome {
  translated,  ///< Its items are counted one by one.
  rejected,    ///< By the adapter.
  refused      ///< Before the adapter saw it.
};

/// Thread-safe, without locks; the document outlives it.
class Metrics {
 public:
  Metrics(const openapi::Document& document, const std::vector<std::string>& adapters);
  ~Metrics();

  /// By listener; before requests come.
  void set_listener(openapi::Listener side, const ListenerName& name);
  const ListenerName& listener(openapi::Listener side) const;

  void begin_request(openapi::Listener side, Method method);
  /// `operation` is null where the request led to none.
  void end_request(openapi::Listener side, Method method, const openapi::Operation* operation,
                   int status, std::int64_t duration_ns);

  /// An answer that the server gave by itself, for a request that no handler answered.
  void count_server_answer(std::string_view problem);
  /// A line of the log was left out because there are many like it.
  void count_suppressed_line() { ++suppressed_lines_; }
  /// An item of intake was answered.
  void count_item(const intake::Answer& answer);
  /// A request, or an item, was refused at a bound.
  void count_refusal(Limit limit) { ++refusals_[static_cast<std::size_t>(limit)]; }
  /// A stream has waited for its rate.
  void count_pause() { ++pauses_; }
  /// A message for an installed adapter; others are not counted.
  void count_message(std::string_view adapter, bool dry_run, MessageOutcome outcome);
  void count_adapter_item(std::string_view adapter, bool dry_run, adapter::Item::Outcome outcome);

  /// OpenMetrics 1.0 text, `# EOF` included.
  std::string text(const Gauges& gauges) const;

 private:
  using Count = std::atomic<std::uint64_t>;
  static constexpr std::size_t kStatuses = 500;  // 100 to 599.
  static constexpr std::size_t kBounds = 14;

  struct Histogram {
    std::array<Count, kBounds + 1> buckets{};  // Not cumulative.
    Count sum_ns{0};
  };
  // The requests of one method and, unless it is null, one operation.
  struct Row {
    Method method = Method::other;
    const openapi::Operation* operation = nullptr;
    openapi::Listener side = openapi::Listener::public_;
    std::array<std::atomic<Histogram*>, kStatuses> by_status{};  // Made when first used; owned.
  };
  struct AdapterCounts {
    std::array<std::array<Count, 3>, 2> messages{};  // By dry run and outcome.
    std::array<std::array<Count, 3>, 2> items{};
  };

  Row& row(openapi::Listener side, Method method, const openapi::Operation* operation);
  void append_durations(std::string& out) const;
  void append_active(std::string& out) const;
  void append_refusals(std::string& out) const;
  void append_adapters(std::string& out) const;
  void append_server_answers(std::string& out) const;

  const openapi::Document& document_;
  std::array<ListenerName, 2> listeners_;
  std::vector<Row> rows_;
  std::array<std::array<std::atomic<std::int64_t>, kMethodCount>, 2> active_{};
  std::array<Count, 600> items_{};
  std::array<Count, kLimits> refusals_{};
  Count pauses_{0};
  std::map<std::string, AdapterCounts, std::less<>> adapters_;
  std::map<std::string_view, Count> server_answers_;
  Count suppressed_lines_{0};
};

}  // namespace flora::api
