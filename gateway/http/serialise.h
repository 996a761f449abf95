// Responses as bytes (RFC 9112 §4–§7).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/message.h"

namespace flora::http {

/// How the end of a response is found.
enum class Length : std::uint8_t { known, chunked, until_close, none };

/// What the server decides about a response beside its content.
struct Framing {
  Length length = Length::known;
  std::uint64_t content_length = 0;  ///< If known.
  bool http10 = false;
  bool keep_alive = true;
};

/// The Date field's value for an instant, as RFC 9110 §5.6.7 asks.
std::string http_date(std::int64_t unix_ms);

/// True if every name is a token and no value holds a control character.
bool are_valid(const std::vector<Header>& headers);

/// True if the handler asks for the connection to be closed.
bool asks_to_close(const std::vector<Header>& headers);

/// True for the statuses that never have a body.
bool has_no_body(int status);

/// Appends status line and fields, up to the empty line. Fields that the server sets are left out
/// of `headers`; `common` are the lines of those that stand in every answer, Date among them.
void append_head(std::string& out, int status, const std::vector<Header>& headers,
                 const Framing& framing, std::string_view common);

/// The lines of fields.
std::string lines_of(const std::vector<Header>& headers);

/// Appends one chunk; nothing if there are no bytes.
void append_chunk(std::string& out, std::string_view bytes);

inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// The plain RFC 9457 document of ServerOptions::error_page's default.
Response plain_error_page(int status, std::string_view problem, std::string_view detail);

}  // namespace flora::http
