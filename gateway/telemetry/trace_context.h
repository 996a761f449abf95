// The place of a request in a trace (W3C Trace Context). A trace id is the client's choice: it may
// stand in the log and in spans, never on the ledger.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/base/env.h"

namespace flora::telemetry {

using TraceId = std::array<std::byte, 16>;  ///< Not all zero.
using SpanId = std::array<std::byte, 8>;    ///< Not all zero.

/// What the field `traceparent` says of who called.
struct TraceParent {
  TraceId trace{};
  SpanId span{};
  bool sampled = false;
};

/// Nothing unless the value is valid (W3C Trace Context §3.2): version 00 to the letter, of a later
/// version (but ff, which is none) what version 00 knows of it.
std::optional<TraceParent> parse_traceparent(std::string_view value);

/// A request's own place.
struct TraceContext {
  TraceId trace{};
  SpanId span{};  ///< Of the request, drawn here.
  std::optional<SpanId> parent;
  bool sampled = false;
};

/// Continues the trace that the fields `traceparent` of a request name, with its decision about
/// sampling. No field, several, or an invalid one: begins a trace, of which `sample_ratio` (0 to 1)
/// are sampled. `tracestate` is not read: nothing that leaves the gateway could carry it on.
TraceContext trace_of(std::span<const std::string_view> traceparents, double sample_ratio,
                      Env& env);

/// The same place, sampled by the ratio alone: strangers do not decide what is kept.
TraceContext of_a_stranger(TraceContext place, double sample_ratio);

/// A new span id.
SpanId random_span_id(Env& env);

}  // namespace flora::telemetry
