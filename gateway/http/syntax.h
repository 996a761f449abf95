// Character classes and small grammars of HTTP (RFC 9110 §5, RFC 3986), shared by the parsers and
// the serialiser.
#pragma once

#include <string>
#include <string_view>

namespace flora::http {

bool is_token_char(char c);  ///< tchar of RFC 9110 §5.6.2.
bool is_token(std::string_view text);
bool is_field_char(char c);  ///< Visible characters, obs-text, space and tab.
bool is_field_value(std::string_view text);

/// A path as in RFC 3986 §3.3, beginning with a slash; percent signs are followed by two digits.
bool is_path(std::string_view text);
bool is_query(std::string_view text);

/// A host with an optional port (RFC 9110 §7.2), not empty, without user information.
bool is_authority(std::string_view text);

std::string_view trim(std::string_view text);  ///< Without spaces and tabs around.
std::string lower(std::string_view text);      ///< ASCII letters only.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// True if the comma-separated list holds the lower-case token, in any case.
bool list_has_token(std::string_view list, std::string_view token);

}  // namespace flora::http
