#include "gateway/http/serialise.h"

#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "gateway/base/json.h"
#include "gateway/http/syntax.h"

namespace flora::http {
namespace {

std::string_view reason(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 42> kReasons{{
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {203, "Non-Authoritative Information"},
      {204, "No Content"},
      {205, "Reset Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  }};
  for (const auto& [code, text] : kReasons) {
    if (code == status) return text;
  }
  return {};
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

bool is_ours(std::string_view name) {
  return name == "date" || name == "content-length" || name == "connection" ||
         name == "transfer-encoding" || name == "keep-alive";
}

void append_framing(std::string& out, const Framing& framing) {
  if (framing.length == Length::known) {
    out += "content-length: ";
    append_number(out, framing.content_length);
    out += "\r\n";
  } else if (framing.length == Length::chunked) {
    out += "transfer-encoding: chunked\r\n";
  }
  if (!framing.keep_alive) {
    out += "connection: close\r\n";
  } else if (framing.http10) {
    out += "connection: keep-alive\r\n";
  }
}

void append_line(std::string& out, const Header& header) {
  const std::string name = lower(header.name);
  if (is_ours(name)) return;
  out += name;
  out += ": ";
  out += header.value;
  out += "\r\n";
}

}  // namespace

std::string http_date(std::int64_t unix_ms) {
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  std::array<char, 40> rest{};
  std::string text(kDays.substr(static_cast<std::size_t>(tm.tm_wday) * 3, 3));
  std::size_t n = std::strftime(rest.data(), rest.size(), ", %d ", &tm);
  text.append(rest.data(), n);
  text += kMonths.substr(static_cast<std::size_t>(tm.tm_mon) * 3, 3);
  n = std::strftime(rest.data(), rest.size(), " %Y %H:%M:%S GMT", &tm);
  text.append(rest.data(), n);
  return text;
}

bool are_valid(const std::vector<Header>& headers) {
  for (const Header& header : headers) {
    if (!is_token(header.name) || !is_field_value(header.value)) return false;
  }
  return true;
}

bool asks_to_close(const std::vector<Header>& headers) {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, "connection") && list_has_token(header.value, "close")) {
      return true;
    }
  }
  return false;
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

std::string lines_of(const std::vector<Header>& headers) {
  std::string out;
  for (const Header& header : headers) append_line(out, header);
  return out;
}

void append_head(std::string& out, int status, const std::vector<Header>& headers,
                 const Framing& framing, std::string_view common) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason(status);
  out += "\r\n";
  out += common;
  for (const Header& header : headers) append_line(out, header);
  append_framing(out, framing);
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  append_number(out, bytes.size(), 16);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

Response plain_error_page(int status, std::string_view problem, std::string_view detail) {
  std::string body = R"({"type":)";
  json::append_string(body, "/problems/" + std::string(problem));
  body += R"(,"title":)";
  json::append_string(body, reason(status));
  body += R"(,"status":)";
  append_number(body, static_cast<std::uint64_t>(status));
  body += R"(,"detail":)";
  json::append_string(body, detail);
  body += "}";
  Response response{status, {{"content-type", "application/problem+json"}}, std::move(body)};
  if (status == 503) response.headers.push_back({"retry-after", "1"});
  return response;
}

}  // namespace flora::http
