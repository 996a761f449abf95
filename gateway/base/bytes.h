// Bytes and their text forms: hex and Base 64 (RFC 4648 §4), strict when reading.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flora {

using Digest = std::array<std::byte, 32>;  ///< A SHA-256 value.

/// The bytes of a text, and the text of bytes. Views: the argument must outlive the result.
std::span<const std::byte> as_bytes(std::string_view text);
std::string_view as_text(std::span<const std::byte> bytes);

/// The first 32 bytes; zeros where there are less.
Digest digest_from(std::span<const std::byte> bytes);

/// Lower-case hexadecimal digits.
std::string to_hex(std::span<const std::byte> bytes);

/// Nothing unless `text` is an even number of hexadecimal digits (either case).
std::optional<std::string> from_hex(std::string_view text);

/// Base 64 with padding, RFC 4648 §4.
std::string to_base64(std::span<const std::byte> bytes);

/// Nothing unless `text` is canonical Base 64 with padding (unused bits zero, no white space).
std::optional<std::string> from_base64(std::string_view text);

/// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms; RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace flora
