// Start here. Takes the spans of requests and sends them to an OpenTelemetry collector (OTLP over
// HTTP, JSON encoding), from a thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/telemetry/span.h"

namespace flora::telemetry {

struct ExporterOptions {
  using ms = std::chrono::milliseconds;
  std::string endpoint;  ///< Such as http://127.0.0.1:4318/v1/traces. Proxies are not used.
  std::vector<Attribute> resource;
  std::size_t queue = 4096;  ///< Spans that wait; what comes beyond is dropped.
  std::size_t batch = 512;   ///< Spans that are sent together.
  ms delay{1000};            ///< The longest that a span waits for others to be sent with.
  ms timeout{5000};          ///< Of one try.
  ms first_pause{500};       ///< After a failed try; each further pause is twice as long …
  ms longest_pause{30'000};  ///< … up to this. Also bounds what a Retry-After can ask for.
  ms last_wait{2000};        ///< For what is left at the end.
};

/// Sums since the start.
struct ExporterCounters {
  std::uint64_t exported = 0;
  std::uint64_t dropped = 0;   ///< Found no room, or were left at the end.
  std::uint64_t rejected = 0;  ///< The collector said that it will never take them.
  std::uint64_t failures =
      0;  ///< Tries that the collector did not answer, or answered with "later".
};

/// Thread-safe. A batch is tried again until the collector has taken or rejected it (the OTLP
/// specification: 429, 502, 503, 504 and a broken connection mean "later"; Retry-After is
/// honoured); meanwhile the queue fills up, and nobody waits.
class Exporter {
 public:
  /// Errors: unavailable.
  static Result<std::unique_ptr<Exporter>> start(ExporterOptions options, Env& env);

  /// Sends what is left, for `last_wait` at most; the rest is dropped.
  ~Exporter();

  /// Takes all spans of a request, or drops them. Never waits.
  void add(std::vector<Span> spans);

  ExporterCounters counters() const;

 private:
  class Sender;
  explicit Exporter(std::unique_ptr<Sender> sender);
  std::unique_ptr<Sender> sender_;
};

}  // namespace flora::telemetry
