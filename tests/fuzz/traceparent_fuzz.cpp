// W3C Trace Context: what is accepted is exactly what the grammar says, told here a second time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/telemetry/trace_context.h"

namespace {

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_valid(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return false;
  if (version == "00" ? text.size() != 55 : text.size() > 55 && text[55] != '-') return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  return is_hex(trace) && is_hex(span) && is_hex(text.substr(53, 2)) &&
         trace.find_first_not_of('0') != trace.npos && span.find_first_not_of('0') != span.npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parent = flora::telemetry::parse_traceparent(text);
  if (parent.has_value() != is_valid(text)) std::abort();
  if (!parent) return 0;
  const bool same = flora::to_hex(parent->trace) == text.substr(3, 32) &&
                    flora::to_hex(parent->span) == text.substr(36, 16);
  if (!same) std::abort();
  return 0;
}
