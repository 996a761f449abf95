// Holding the gateway's answers against the document; tests use it on every response.
#include <algorithm>
#include <array>

#include "openapi/convert.h"
#include "openapi/document.h"

namespace flora::openapi {
namespace {

constexpr json::Limits kResponseLimits{std::size_t{1} << 28, 64};

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

/// Fields that HTTP and its caches own: they may stand in every answer.
bool is_general(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "referrer-policy", "date",           "connection",
      "content-type",    "content-length", "transfer-encoding",
      "cache-control",   "vary",           "x-content-type-options",
      "keep-alive",      "upgrade"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string essence(std::string_view media_type) {
  std::string name = lower_case(media_type.substr(0, media_type.find(';')));
  while (name.ends_with(' ')) name.pop_back();
  return name;
}

bool is_json(std::string_view name) {
  return name == "application/json" || name.ends_with("+json");
}

void check_json(const Schema& schema, std::string_view text, const std::string& prefix,
                std::vector<Violation>& out) {
  json::Document document;
  if (!document.parse(text, kResponseLimits)) {
    out.push_back({prefix, "json", "The body is not strict JSON."});
    return;
  }
  const std::size_t first = out.size();
  schema.validate(document.root(), out);
  for (std::size_t i = first; i < out.size(); ++i) out[i].pointer.insert(0, prefix);
}

void check_yaml(const Schema& schema, std::string_view text, std::vector<Violation>& out) {
  const auto root = yaml::parse(text, "body");
  if (!root) {
    out.push_back({"", "yaml", "The body is not strict YAML."});
    return;
  }
  check_json(schema, to_json_text(*root), "", out);
}

void check_lines(const Schema& schema, std::string_view text, std::vector<Violation>& out) {
  if (!text.empty() && !text.ends_with('\n')) {
    out.push_back({"", "ndjson", "The last line does not end."});
  }
  for (std::size_t line = 0; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    check_json(schema, text.substr(0, end), "/" + std::to_string(line), out);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void check_body(const Response& response, std::string_view content_type, std::string_view body,
                std::vector<Violation>& out) {
  if (response.content.empty()) {
    if (!body.empty()) out.push_back({"", "content", "The response has no body by the document."});
    return;
  }
  const std::string name = essence(content_type);
  const auto media = std::find_if(response.content.begin(), response.content.end(),
                                  [&](const MediaType& m) { return m.name == name; });
  if (media == response.content.end()) {
    out.push_back({"", "content-type", "The media type `" + name + "` is not in the document."});
  } else if (is_json(name)) {
    check_json(media->schema, body, "", out);
  } else if (name == "application/yaml") {
    check_yaml(media->schema, body, out);
  } else if (name == "application/x-ndjson") {
    check_lines(media->item_schema, body, out);
  } else {
    media->schema.validate_text(body, out);
  }
}

void check_headers(const Response& response, std::span<const Field> fields,
                   std::vector<Violation>& out) {
  const auto header = [&](std::string_view name) {
    return std::find_if(response.headers.begin(), response.headers.end(),
                        [&](const ResponseHeader& h) { return h.name == name; });
  };
  std::set<std::string> seen;
  for (const auto& [raw_name, value] : fields) {
    const std::string name = lower_case(raw_name);
    seen.insert(name);
    const auto known = header(name);
    if (known != response.headers.end()) {
      const std::size_t first = out.size();
      known->schema.validate_text(value, out);
      for (std::size_t i = first; i < out.size(); ++i) out[i].pointer = "header " + name;
    } else if (!is_general(name)) {
      out.push_back({"header " + name, "headers", "The field is not in the document."});
    }
  }
  for (const ResponseHeader& known : response.headers) {
    if (known.required && !seen.contains(known.name)) {
      out.push_back({"header " + known.name, "headers", "The field is missing."});
    }
  }
}

}  // namespace

std::vector<Violation> Document::check_response(std::string_view operation_id, int status,
                                                std::string_view media_type,
                                                std::span<const Field> headers,
                                                std::string_view body) const {
  std::vector<Violation> out;
  const Operation* known = operation(operation_id);
  const Response* response = known == nullptr ? nullptr : known->response(status);
  if (response == nullptr) {
    out.push_back({"", "status", "The document knows no such response of the operation."});
    return out;
  }
  check_headers(*response, headers, out);
  check_body(*response, media_type, body, out);
  return out;
}

}  // namespace flora::openapi
