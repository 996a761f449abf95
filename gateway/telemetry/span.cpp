#include "gateway/telemetry/span.h"

#include <charconv>

#include "gateway/base/bytes.h"
#include "gateway/base/json.h"

namespace flora::telemetry {
namespace {

constexpr std::string_view kScope = "flora-gateway";
constexpr int kStatusError = 2;

// The first of several members or items has nothing before it.
void separate(std::string& out) {
  if (out.back() != '{' && out.back() != '[') out += ',';
}

void member(std::string& out, std::string_view name) {
  separate(out);
  json::append_string(out, name);
  out += ':';
}

void text_member(std::string& out, std::string_view name, std::string_view value) {
  member(out, name);
  json::append_string(out, value);
}

void append_attributes(std::string& out, std::span<const Attribute> attributes) {
  member(out, "attributes");
  out += '[';
  for (const Attribute& attribute : attributes) {
    separate(out);
    out += '{';
    text_member(out, "key", attribute.name);
    member(out, "value");
    out += '{';
    // 64-bit integers are texts (the JSON form of Protocol Buffers).
    if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
      text_member(out, "intValue", std::to_string(*number));
    } else {
      text_member(out, "stringValue", std::get<std::string>(attribute.value));
    }
    out += "}}";
  }
  out += ']';
}

void append_span(std::string& out, const Span& span) {
  separate(out);
  out += '{';
  text_member(out, "traceId", to_hex(span.trace));
  text_member(out, "spanId", to_hex(span.id));
  if (span.parent) text_member(out, "parentSpanId", to_hex(*span.parent));
  text_member(out, "name", span.name);
  member(out, "kind");
  out += std::to_string(static_cast<int>(span.kind));
  text_member(out, "startTimeUnixNano", std::to_string(span.start_ns));
  text_member(out, "endTimeUnixNano", std::to_string(span.end_ns));
  append_attributes(out, span.attributes);
  if (span.failed) out += ",\"status\":{\"code\":" + std::to_string(kStatusError) + '}';
  out += '}';
}

}  // namespace

std::string otlp_json(std::span<const Attribute> resource, std::span<const Span> spans) {
  std::string out = R"({"resourceSpans":[{"resource":{)";
  append_attributes(out, resource);
  out += R"(},"scopeSpans":[{"scope":{)";
  text_member(out, "name", kScope);
  out += R"(},"spans":[)";
  for (const Span& span : spans) append_span(out, span);
  out += "]}]}]}";
  return out;
}

std::uint64_t rejected_spans(std::string_view answer) {
  json::Document document;
  if (!document.parse(answer) || !document.root().is(json::Kind::object)) return 0;
  const auto partial = document.root().find("partialSuccess");
  if (!partial || !partial->is(json::Kind::object)) return 0;
  const auto rejected = partial->find("rejectedSpans");
  if (!rejected) return 0;
  std::uint64_t count = 0;
  const bool quoted = rejected->is(json::Kind::string);
  const std::string_view digits = quoted ? rejected->string() : rejected->raw();
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return parsed.ec == std::errc() ? count : 0;
}

}  // namespace flora::telemetry
