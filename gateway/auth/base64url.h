// Base 64 with the alphabet that is safe in URLs (RFC 4648 §5), as JOSE writes it: without padding
// (RFC 7515 §2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flora::auth {

/// Nothing unless `text` is canonical: the alphabet alone, no padding, unused bits zero.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace flora::auth
