// Protocol buffers written by hand, so that what the tests hold the client against is not made by
// the library that the client itself uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flora::test {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

/// A field of bytes, of a text or of another message.
inline std::string field(unsigned number, std::string_view bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

inline std::string number_field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

}  // namespace flora::test
