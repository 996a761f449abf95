// The character sets of files. All hold ASCII as it is, so that a file may be cut at ASCII bytes
// before anything is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flora::adapter {

enum class Charset : std::uint8_t { utf_8, iso_8859_1, iso_8859_15, windows_1252 };

/// "utf-8", "iso-8859-1", "iso-8859-15" or "windows-1252", written exactly so; else nothing.
std::optional<Charset> find_charset(std::string_view name);

/// Appends `bytes` as UTF-8 to `out`, and returns nothing. Else the offset of the first byte that
/// is no text, and `out` is as it was. No text are, in every set, the C0 controls but tab (line
/// ends are for who cuts records); in the ISO sets 0x80 to 0x9F, which are controls; in
/// Windows-1252 the five undefined bytes; in UTF-8 what is ill-formed, U+FFFE and U+FFFF.
std::optional<std::size_t> decode(Charset charset, std::string_view bytes, std::string& out);

/// The bytes of a UTF-8 text in this set; nothing if decode() would not give it back.
std::optional<std::string> encode(Charset charset, std::string_view utf8);

/// True if decode() would append the bytes as they are, in every set: ASCII without C0 controls but
/// tab.
bool is_plain_ascii(std::string_view bytes);

}  // namespace flora::adapter
