#include "gateway/http/syntax.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

namespace flora::http {
namespace {

constexpr std::uint8_t kToken = 1;
constexpr std::uint8_t kField = 2;
constexpr std::uint8_t kPath = 4;   // pchar without percent sign, and the slash.
constexpr std::uint8_t kQuery = 8;  // The same, and the question mark.
constexpr std::uint8_t kHost = 16;  // reg-name without percent sign.

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&classes](std::string_view chars, unsigned bits) {
    for (const char c : chars) {
      auto& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | bits);
    }
  };
  for (unsigned c = 0x20; c < 0x100; ++c) {
    if (c != 0x7F) classes[c] = kField;
  }
  mark("\t", kField);
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
       kToken | kPath | kQuery | kHost);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+,;=", kPath | kQuery | kHost);
  mark(":@/", kPath | kQuery);
  mark("?", kQuery);
  return classes;
}

constexpr auto kClasses = make_classes();

bool has_class(char c, std::uint8_t bit) {
  return (kClasses[static_cast<unsigned char>(c)] & bit) != 0;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool all_encoded(std::string_view text, std::uint8_t bit) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (has_class(text[i], bit)) continue;
    if (text[i] != '%' || i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
      return false;
    }
    i += 2;
  }
  return true;
}

bool is_port(std::string_view text) {
  if (text.size() > 5) return false;
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65535;
}

// RFC 3986 §3.2.2; of the two forms in brackets nobody uses IPvFuture.
bool is_bracketed_address(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  const std::string address(text.substr(1, text.size() - 2));
  in6_addr parsed{};
  return ::inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_token_char(char c) { return has_class(c, kToken); }

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

bool is_field_char(char c) { return has_class(c, kField); }

bool is_field_value(std::string_view text) {
  for (const char c : text) {
    if (!is_field_char(c)) return false;
  }
  return true;
}

bool is_path(std::string_view text) {
  return !text.empty() && text.front() == '/' && all_encoded(text, kPath);
}

bool is_query(std::string_view text) { return all_encoded(text, kQuery); }

bool is_authority(std::string_view text) {
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.back() != ']') {
    if (!is_port(text.substr(colon + 1))) return false;
    host = text.substr(0, colon);
  }
  if (host.empty()) return false;
  return host.front() == '[' ? is_bracketed_address(host) : all_encoded(host, kHost);
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool list_has_token(std::string_view list, std::string_view token) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace flora::http
