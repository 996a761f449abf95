#include "gateway/http/head_parser.h"

#include <utility>

#include "gateway/http/syntax.h"

namespace flora::http {
namespace {

constexpr std::size_t kMethodMax = 32;
constexpr std::size_t kContentLengthDigits = 18;  // Fits 63 bits whatever the digits are.
constexpr auto npos = std::string_view::npos;

constexpr auto kOk = HeadParser::Status::complete;

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

}  // namespace

void HeadParser::reset() {
  parsed_ = {};
  authority_.clear();
  line_ = scan_ = 0;
  expecting_ = Expecting::request_line;
  skipped_blank_ = false;
}

HeadParser::Status HeadParser::refuse(int status, std::string_view problem,
                                      std::string_view detail) {
  refusal_ = {status, problem, detail};
  return Status::refused;
}

HeadParser::Status HeadParser::malformed(std::string_view detail) {
  return refuse(400, "malformed-request", detail);
}

HeadParser::Status HeadParser::parse(std::string_view data) {
  while (true) {
    const std::size_t lf = data.find('\n', scan_);
    if (lf == npos) return incomplete(data);
    if (lf == line_ || data[lf - 1] != '\r') return malformed("A line ends without a CR.");
    const std::string_view line = data.substr(line_, lf - 1 - line_);
    if (line.find('\r') != npos) return malformed("A CR stands within a line.");
    if (check_size(lf + 1) == Status::refused) return Status::refused;
    line_ = scan_ = lf + 1;
    const bool last = line.empty() && expecting_ == Expecting::field;
    if (parse_line(line) == Status::refused) return Status::refused;
    if (last) return Status::complete;
  }
}

HeadParser::Status HeadParser::incomplete(std::string_view data) {
  // What begins with no method, such as a ClientHello of TLS, need not have an end.
  if (expecting_ == Expecting::request_line && line_ < data.size() && data[line_] != '\r' &&
      !is_token_char(data[line_])) {
    return malformed("The method is not a token.");
  }
  const std::size_t cr = data.find('\r', scan_);
  if (cr != npos && cr + 1 < data.size()) return malformed("A CR stands within a line.");
  if (check_size(data.size()) == Status::refused) return Status::refused;
  scan_ = cr == npos ? data.size() : cr;
  return Status::need_more;
}

HeadParser::Status HeadParser::check_size(std::size_t line_end) {
  if (expecting_ == Expecting::request_line && line_end - line_ > limits_->request_line) {
    return refuse(414, "uri-too-long", "The request line is too long.");
  }
  if (line_end > limits_->head) {
    return refuse(431, "header-fields-too-large", "The header fields are too large.");
  }
  return kOk;
}

HeadParser::Status HeadParser::parse_line(std::string_view line) {
  if (expecting_ == Expecting::field) return line.empty() ? finish() : parse_field(line);
  if (line.empty()) {  // RFC 9112 §2.2: one empty line before a request is tolerated.
    if (std::exchange(skipped_blank_, true)) return malformed("The request line is empty.");
    return kOk;
  }
  expecting_ = Expecting::field;
  return parse_request_line(line);
}

HeadParser::Status HeadParser::parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == npos || first == last) return malformed("The request line needs three parts.");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return malformed("The method is not a token.");
  if (target.empty()) return malformed("The request target is empty.");
  if (parse_version(line.substr(last + 1)) == Status::refused) return Status::refused;
  if (method.size() > kMethodMax) {
    return refuse(501, "not-implemented", "The method is not known.");
  }
  parsed_.head.method = method;
  parsed_.head.target = target;
  return parse_target();
}

HeadParser::Status HeadParser::parse_version(std::string_view version) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return malformed("The protocol version is malformed.");
  }
  if (version[5] != '1') {
    return refuse(505, "version-not-supported", "The protocol version is not HTTP/1.");
  }
  parsed_.http10 = version[7] == '0';
  return kOk;
}

HeadParser::Status HeadParser::parse_target() {
  const RequestHead& head = parsed_.head;
  const std::string_view target = head.target;
  if (head.method == "CONNECT") return refuse(501, "not-implemented", "CONNECT is not supported.");
  if (target.front() == '/') return split_path(target);
  if (target == "*" && head.method == "OPTIONS") {
    parsed_.head.path = "*";
    return kOk;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (starts_with_ignoring_case(target, scheme))
      return parse_absolute(target.substr(scheme.size()));
  }
  return malformed("The request target is malformed.");
}

HeadParser::Status HeadParser::parse_absolute(std::string_view rest) {
  const std::size_t end = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, end);
  if (!is_authority(authority))
    return malformed("The authority of the request target is malformed.");
  authority_ = authority;
  if (end == npos) {
    parsed_.head.path = "/";
    return kOk;
  }
  if (rest[end] == '/') return split_path(rest.substr(end));
  return split_path("/" + std::string(rest.substr(end)));
}

HeadParser::Status HeadParser::split_path(std::string_view target) {
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = mark == npos ? std::string_view() : target.substr(mark + 1);
  if (!is_path(path) || !is_query(query)) {
    return malformed("The request target holds a character that must be percent-encoded.");
  }
  parsed_.head.path = path;
  parsed_.head.query = query;
  return kOk;
}

HeadParser::Status HeadParser::parse_field(std::string_view line) {
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == 0 && (line[0] == ' ' || line[0] == '\t')) {
    return malformed("A header field is folded over two lines.");
  }
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return malformed("The name of a header field is malformed.");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return malformed("A header field holds a control character.");
  auto& headers = parsed_.head.headers;
  if (headers.size() == limits_->fields) {
    return refuse(431, "header-fields-too-large", "There are too many header fields.");
  }
  headers.push_back({lower(line.substr(0, colon)), std::string(value)});
  return kOk;
}

HeadParser::Status HeadParser::finish() {
  if (check_host() == Status::refused) return Status::refused;
  if (check_framing() == Status::refused) return Status::refused;
  if (check_expectation() == Status::refused) return Status::refused;
  decide_persistence();
  return kOk;
}

HeadParser::Status HeadParser::check_host() {
  Header* host = nullptr;
  for (Header& header : parsed_.head.headers) {
    if (header.name != "host") continue;
    if (host) return malformed("There is more than one Host field.");
    if (!is_authority(header.value)) return malformed("The Host field is malformed.");
    host = &header;
  }
  if (!host && !parsed_.http10) return malformed("The Host field is missing.");
  if (authority_.empty()) return kOk;
  if (host) {
    host->value = authority_;
  } else {
    parsed_.head.headers.push_back({"host", authority_});
  }
  return kOk;
}

HeadParser::Status HeadParser::check_framing() {
  const Header* length = nullptr;
  const Header* coding = nullptr;
  for (const Header& header : parsed_.head.headers) {
    const bool is_length = header.name == "content-length";
    if (!is_length && header.name != "transfer-encoding") continue;
    const Header*& seen = is_length ? length : coding;
    if (seen) return malformed("A field that frames the body occurs twice.");
    seen = &header;
  }
  if (length && coding)
    return malformed("Content-Length and Transfer-Encoding exclude each other.");
  if (length) return check_content_length(length->value);
  if (!coding) return kOk;
  if (parsed_.http10) return malformed("HTTP/1.0 has no Transfer-Encoding.");
  if (!equals_ignoring_case(coding->value, "chunked")) return refuse_coding(coding->value);
  parsed_.chunked = parsed_.head.has_body = true;
  return kOk;
}

// RFC 9112 §6.3: unless chunked is the last coding, and no other, the length is unknown.
HeadParser::Status HeadParser::refuse_coding(std::string_view codings) {
  const std::size_t comma = codings.rfind(',');
  const std::string_view others = codings.substr(0, comma == npos ? 0 : comma);
  const bool framed = !trim(others).empty() && !list_has_token(others, "chunked") &&
                      equals_ignoring_case(trim(codings.substr(comma + 1)), "chunked");
  return framed ? refuse(501, "not-implemented", "The only transfer coding is chunked.")
                : malformed("The Transfer-Encoding is not chunked.");
}

HeadParser::Status HeadParser::check_content_length(std::string_view value) {
  if (value.empty() || value.size() > kContentLengthDigits) {
    return malformed("The Content-Length is malformed.");
  }
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return malformed("The Content-Length is malformed.");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  parsed_.head.content_length = length;
  parsed_.head.has_body = length > 0;
  return kOk;
}

HeadParser::Status HeadParser::check_expectation() {
  if (parsed_.http10) return kOk;  // RFC 9110 §10.1.1: ignored in 1.0.
  bool seen = false;
  for (const Header& header : parsed_.head.headers) {
    if (header.name != "expect") continue;
    if (seen || !equals_ignoring_case(header.value, "100-continue")) {
      return refuse(417, "expectation-failed", "The only expectation is one 100-continue.");
    }
    seen = true;
    parsed_.expects_continue = parsed_.head.has_body;
  }
  return kOk;
}

void HeadParser::decide_persistence() {
  bool close = false;
  bool keep = false;
  for (const Header& header : parsed_.head.headers) {
    if (header.name != "connection") continue;
    close = close || list_has_token(header.value, "close");
    keep = keep || list_has_token(header.value, "keep-alive");
  }
  parsed_.keep_alive = !close && (keep || !parsed_.http10);
}

}  // namespace flora::http
