// The classes of bytes and characters that the files of the XML scanner share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flora::adapter::xml {

inline constexpr std::string_view kXmlUri = "http://www.w3.org/XML/1998/namespace";
inline constexpr std::string_view kXmlnsUri = "http://www.w3.org/2000/xmlns/";

// What a byte means in character data, and whether it may stand in a name.
enum class Class : std::uint8_t { plain, line, markup, ampersand, carriage, bracket, multi, bad };

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  for (std::size_t i = 0; i < 256; ++i) {
    classes[i] = i < 0x20 ? Class::bad : i < 0x80 ? Class::plain : Class::multi;
  }
  classes['\t'] = Class::line;
  classes['\n'] = Class::line;
  classes['\r'] = Class::carriage;
  classes['<'] = Class::markup;
  classes['&'] = Class::ampersand;
  classes[']'] = Class::bracket;
  return classes;
}
inline constexpr std::array<Class, 256> kClasses = make_classes();

constexpr std::array<std::uint8_t, 256> make_name_bytes() {
  std::array<std::uint8_t, 256> bytes{};
  for (int c = 'a'; c <= 'z'; ++c) bytes[static_cast<std::size_t>(c)] = 3;
  for (int c = 'A'; c <= 'Z'; ++c) bytes[static_cast<std::size_t>(c)] = 3;
  for (int c = '0'; c <= '9'; ++c) bytes[static_cast<std::size_t>(c)] = 1;
  bytes['_'] = 3;
  bytes['-'] = 1;
  bytes['.'] = 1;
  return bytes;
}
inline constexpr std::array<std::uint8_t, 256> kNameBytes =
    make_name_bytes();  // 1 may follow, 2 may begin.

inline Class class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }
inline std::uint8_t name_byte(char c) { return kNameBytes[static_cast<unsigned char>(c)]; }
inline bool is_xml_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
inline bool is_multibyte(char c) { return static_cast<unsigned char>(c) >= 0x80; }

inline std::string_view view(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

// XML 1.0 production 2.
inline bool legal_character(std::uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c < 0xD800 || (c > 0xDFFF && c < 0xFFFE) || (c > 0xFFFF && c <= 0x10FFFF);
}

}  // namespace flora::adapter::xml
