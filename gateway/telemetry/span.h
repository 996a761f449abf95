// Spans as plain values, and their form for a collector.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/telemetry/trace_context.h"

namespace flora::telemetry {

/// No value is a text of a client.
struct Attribute {
  std::string_view name;
  std::variant<std::int64_t, std::string> value;
};

struct Span {
  enum class Kind { internal = 1, server = 2 };  ///< As OTLP numbers them.
  TraceId trace{};
  SpanId id{};
  std::optional<SpanId> parent;
  std::string name;
  Kind kind = Kind::internal;
  std::int64_t start_ns = 0;  ///< Since the Unix epoch.
  std::int64_t end_ns = 0;
  std::vector<Attribute> attributes;
  bool failed = false;  ///< By a fault of ours.
};

/// An ExportTraceServiceRequest (OTLP 1.x) in its JSON encoding. `resource` says who speaks.
std::string otlp_json(std::span<const Attribute> resource, std::span<const Span> spans);

/// How many spans the answer of a collector says it refused; 0 if it says nothing of the kind.
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace flora::telemetry
