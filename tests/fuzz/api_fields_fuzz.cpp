// Any bytes as the values of header fields and as a query: each reader takes or leaves them, says
// the same twice, and what it gives out is what it promises.
#include <string>
#include <vector>

#include "gateway/api/call.h"
#include "gateway/base/bytes.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using namespace flora::api;
using fuzz::require;

constexpr std::string_view kBody = "the body";

// One field for each line.
http::RequestHead head_of(std::string_view text, std::string_view name) {
  http::RequestHead head;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    head.headers.push_back({std::string(name), std::string(text.substr(0, end))});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return head;
}

std::string encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

void check_percent(std::string_view text) {
  const auto decoded = percent_decode(text);
  require(percent_decode(encoded(text)).has_value() == is_utf8(text));
  if (!decoded) return;
  require(is_utf8(*decoded) && decoded->size() <= text.size());
  require(percent_decode(encoded(*decoded)) == decoded);
}

void check_types(std::string_view text) {
  const std::string type = media_type_of(text);
  require(media_type_of(type) == type);
  require(type.find_first_of("; \t,\"") == type.npos);
  require(agrees_with_charset(text, "utf-8") == agrees_with_charset(text, "UTF-8"));
}

void check_accept(std::string_view text) {
  const http::RequestHead head = head_of(text, "accept");
  for (const char* type : {"application/json", "text/event-stream", "application/x-ndjson"}) {
    require(accepts(head, type) == accepts(head, type));
    http::RequestHead more = head;
    more.headers.push_back({"accept", std::string(type) + ";q=1"});
    if (head.headers.empty()) require(accepts(head, type) && accepts(more, type));
  }
}

void check_preferences(std::string_view text) {
  const Preferences preferences = preferences_of(head_of(text, "prefer"));
  require(!preferences.wait || *preferences.wait >= 0);
  http::RequestHead applied;
  for (const bool heeds_patience : {false, true}) {
    const std::string told = preferences.applied(heeds_patience);
    if (told.empty()) continue;
    applied.headers = {{"prefer", told}};
    require(preferences_of(applied).applied(heeds_patience) == told);
  }
}

void check_entity_tag(std::string_view text) {
  const http::RequestHead head = head_of(text, "if-none-match");
  const http::Response answer =
      cacheable_response(head, "text/plain", "no-cache", std::string(kBody));
  require(answer.status == 200 || answer.status == 304);
  require(answer.status == 304 ? answer.body.empty() : answer.body == kBody);
  for (const http::Header& field : answer.headers) {
    if (field.name != "etag") continue;
    http::RequestHead exact;
    exact.headers.push_back({"if-none-match", field.value});
    require(cacheable_response(exact, "text/plain", "no-cache", std::string(kBody)).status == 304);
  }
}

void check_query(std::string_view text) {
  Call call;
  call.head.query = text;
  for (const char* name : {"limit", "cursor", ""}) {
    const auto value = call.query(name);
    if (value) require(is_utf8(*value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_percent(text);
  check_types(text);
  check_accept(text);
  check_preferences(text);
  check_entity_tag(text);
  check_query(text);
  return 0;
}
