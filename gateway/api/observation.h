// What operators see of a request: one line in the log, one sample of the metrics, one span (and
// some for its phases), one trace. All of them name the route's template, never the path; a client
// by its name in the policy, never by its address, which may be a person's: who must find out where
// unknown callers come from has the packet filter's log.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/line_limit.h"
#include "gateway/api/metrics.h"
#include "gateway/base/env.h"
#include "gateway/http/message.h"
#include "gateway/model/ids.h"
#include "gateway/policy/policy.h"
#include "gateway/telemetry/exporter.h"
#include "gateway/telemetry/trace_context.h"
#include "openapi/document.h"

namespace flora::api {

/// Who makes and keeps observations. Thread-safe.
class Observer {
 public:
  /// `exporter` may be null: no spans are made then. All but that outlive the observer.
  Observer(const openapi::Document& document, Metrics& metrics, Env& env,
           telemetry::Exporter* exporter, double sample_ratio);

  /// The server answers by itself, for a request that no handler answers: writes its line and adds
  /// `instance` to the answer.
  void on_server_answer(http::Response& response);

 private:
  friend class Observation;
  /// Of the lines that who is not authenticated can cause.
  std::size_t kind_of(std::string_view problem, const openapi::Operation* operation) const;

  const openapi::Document& document_;
  Metrics& metrics_;
  Env& env_;
  telemetry::Exporter* exporter_;
  const double sample_ratio_;
  LineLimit limit_;
};

/// One request, from its head to its answer. What is told of it may be told from any thread; end()
/// comes last and counts once.
class Observation {
 public:
  /// `operation` and `caller` may be null: the request did not come so far.
  Observation(Observer& observer, openapi::Listener side, const http::RequestHead& head,
              const openapi::Operation* operation, const policy::Caller* caller);
  ~Observation();
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  const telemetry::TraceContext& trace() const { return trace_; }

  /// The transaction of a single submission, for its log line.
  void set_transaction(const Uuid& id);
  void add_items(std::uint64_t n) { items_ += n; }

  /// True if phases are of use.
  bool is_recorded() const { return observer_.exporter_ != nullptr && trace_.sampled; }
  /// A part of the work, as a span; its name is a word of ours. Times are those of now_ns().
  void add_phase(std::string_view name, std::int64_t start_ns, std::int64_t end_ns);
  std::int64_t now_ns() const { return observer_.env_.steady_ns(); }

  /// The answer begins and goes on as a stream.
  void begin_stream(int status) { stream_status_ = status; }
  /// The stream has ended. Not for one that broke off: it ends by the destructor.
  void end_stream();
  /// The answer; a problem gets its `instance`, which names its line in the log.
  void end(http::Response& response);

 private:
  struct Phase {
    std::string_view name;
    std::int64_t start_ns;
    std::int64_t end_ns;
  };

  telemetry::TraceContext place_of(const http::RequestHead& head,
                                   const policy::Caller* caller) const;
  void record(int status, std::string_view problem, std::string_view instance);
  void write_line(int status, std::string_view problem, std::string_view instance,
                  std::int64_t duration_ns) const;
  void export_spans(int status, std::int64_t end_ns) const;

  Observer& observer_;
  const openapi::Listener side_;
  const Method method_;
  const openapi::Operation* const operation_;
  std::string client_;     // Empty: not authenticated.
  std::string authority_;  // Empty: not authenticated, or the client acts for several.
  const std::int64_t started_ns_;
  const telemetry::TraceContext trace_;
  std::atomic<bool> ended_{false};
  std::atomic<int> stream_status_{0};  // 0: the answer is no stream.
  bool broken_off_ = false;            // By the destructor.
  std::atomic<std::uint64_t> items_{0};
  mutable std::mutex mutex_;
  std::optional<Uuid> transaction_;
  std::vector<Phase> phases_;
};

/// The name of the kind of problem that an answer of ours is; empty if it is none.
std::string_view problem_of(const http::Response& response);

}  // namespace flora::api
