#include "adapters/formats/charset.h"

#include <doctest/doctest.h>
#include <iconv.h>

#include <array>
#include <string>
#include <utility>

namespace flora::adapter {
namespace {

constexpr std::array<std::pair<Charset, const char*>, 4> kSets = {
    {{Charset::utf_8, "UTF-8"},
     {Charset::iso_8859_1, "ISO-8859-1"},
     {Charset::iso_8859_15, "ISO-8859-15"},
     {Charset::windows_1252, "WINDOWS-1252"}}};

// By the C library; nothing if it refuses.
std::optional<std::string> by_iconv(const char* name, std::string bytes) {
  const iconv_t converter = iconv_open("UTF-8", name);
  REQUIRE(converter != reinterpret_cast<iconv_t>(-1));
  std::string out(bytes.size() * 4, '\0');
  char* from = bytes.data();
  char* to = out.data();
  std::size_t left = bytes.size();
  std::size_t room = out.size();
  const bool good = iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
  iconv_close(converter);
  if (!good) return std::nullopt;
  out.resize(out.size() - room);
  return out;
}

std::optional<std::string> decoded(Charset charset, std::string_view bytes) {
  std::string out = "before";
  const std::optional<std::size_t> fault = decode(charset, bytes, out);
  if (!out.starts_with("before")) FAIL_CHECK("what was there is lost");
  if (!fault) return out.substr(6);
  if (out != "before") FAIL_CHECK("something was appended before a fault");
  if (*fault >= bytes.size()) FAIL_CHECK("a fault outside the bytes");
  return std::nullopt;
}

std::size_t fault_of(Charset charset, std::string_view bytes) {
  std::string out = "before";
  const std::size_t fault = decode(charset, bytes, out).value_or(std::string::npos);
  if (fault != std::string::npos && out != "before") FAIL_CHECK("appended before a fault");
  return fault;
}

}  // namespace

TEST_CASE("a character set has one name") {
  CHECK(find_charset("utf-8") == Charset::utf_8);
  CHECK(find_charset("iso-8859-1") == Charset::iso_8859_1);
  CHECK(find_charset("iso-8859-15") == Charset::iso_8859_15);
  CHECK(find_charset("windows-1252") == Charset::windows_1252);
  for (const char* name : {"", "UTF-8", "utf8", "latin1", "iso-8859-2", "cp1252"}) {
    CHECK_FALSE(find_charset(name).has_value());
  }
}

TEST_CASE("each byte means what the C library says, or is a control or undefined") {
  for (const auto& set : kSets) {
    const Charset charset = set.first;
    const char* name = set.second;
    for (int byte = 0; byte < 256; ++byte) {
      const std::string bytes(1, static_cast<char>(byte));
      const bool c0 = byte < 0x20 && byte != '\t';
      const bool c1 = byte >= 0x80 && byte < 0xA0 &&
                      (charset == Charset::iso_8859_1 || charset == Charset::iso_8859_15);
      CAPTURE(byte);
      CAPTURE(name);
      CHECK(decoded(charset, bytes) == (c0 || c1 ? std::nullopt : by_iconv(name, bytes)));
      CHECK(is_plain_ascii(bytes) == (byte < 0x80 && !c0));
    }
  }
}

TEST_CASE("every character of UTF-8 is taken but C0 controls, U+FFFE and U+FFFF") {
  for (std::uint32_t c = 0x80; c < 0x120000; c += c < 0x11000 ? 1 : 7) {
    const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    const std::string utf8 =
        c < 0x800 ? std::string{static_cast<char>(0xC0 | (c >> 6)), tail(0)}
        : c < 0x10000
            ? std::string{static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)}
            : std::string{static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
    const bool good = !(c >= 0xD800 && c <= 0xDFFF) && c != 0xFFFE && c != 0xFFFF && c <= 0x10FFFF;
    if (decoded(Charset::utf_8, utf8).has_value() != good) FAIL_CHECK("U+" << c);
  }
}

TEST_CASE("two bytes of UTF-8 are taken where the C library takes them") {
  for (int first = 0x80; first < 256; ++first) {
    for (int second = 0x20; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
      if (decoded(Charset::utf_8, bytes) != by_iconv("UTF-8", bytes)) {
        FAIL_CHECK(first << " " << second);
      }
    }
  }
}

TEST_CASE("a fault has its place, wherever it stands in a long text") {
  for (const auto& [charset, name] : kSets) {
    for (std::size_t before = 0; before < 70; ++before) {
      for (const char* fault : {"\x01", "\n", "\r", "\x1F"}) {
        std::string bytes = std::string(before, 'x') + fault + "and \t more text behind it";
        CHECK(fault_of(charset, bytes) == before);
        CHECK_FALSE(is_plain_ascii(bytes));
        bytes[before] = '\t';
        CHECK(decoded(charset, bytes) == bytes);
        CHECK(is_plain_ascii(bytes));
      }
      const std::string nul = std::string(before, 'x') + std::string(1, '\0') + "y";
      CHECK(fault_of(charset, nul) == before);
    }
  }
  CHECK(fault_of(Charset::windows_1252, "\x80\x81") == 1);
  CHECK(fault_of(Charset::iso_8859_1, "\xE4\x9F") == 1);
  CHECK(fault_of(Charset::utf_8, "\xC3\xA4 \xE2\x82") == 3);
  CHECK(fault_of(Charset::utf_8, "\xC3\xA4\xC3") == 2);
  CHECK(fault_of(Charset::utf_8, "ab\xEF\xBF\xBE") == 2);
}

TEST_CASE("umlauts and the euro sign come out as UTF-8") {
  CHECK(decoded(Charset::iso_8859_1, "K\xF6ln") == "K\xC3\xB6ln");
  CHECK(decoded(Charset::iso_8859_15, "5 \xA4") == "5 \xE2\x82\xAC");
  CHECK(decoded(Charset::windows_1252, "\x84Gie\xDF\x65n\x93 5 \x80") ==
        "\xE2\x80\x9EGie\xC3\x9F\x65n\xE2\x80\x9C 5 \xE2\x82\xAC");
  CHECK(decoded(Charset::utf_8, "") == "");
  CHECK(is_plain_ascii(""));
}

TEST_CASE("a text is encoded to the bytes that decode to it") {
  for (const auto& [charset, known_as] : kSets) {
    const std::string_view name = known_as;
    for (int byte = 1; byte <= 0xFF; ++byte) {
      const std::string bytes = "a" + std::string(1, static_cast<char>(byte)) + "b";
      const std::optional<std::string> text = decoded(charset, bytes);
      if (text) CHECK_MESSAGE(encode(charset, *text) == bytes, name << byte);
    }
    CHECK(encode(charset, "").value_or("?").empty());
    CHECK_FALSE(encode(charset, "a\nb").has_value());
    CHECK_FALSE(encode(charset, "a\xC3").has_value());
    CHECK(encode(charset, "\u0141").has_value() == (charset == Charset::utf_8));
  }
  CHECK(encode(Charset::utf_8, "\u20AC") == "\xE2\x82\xAC");
  CHECK(encode(Charset::windows_1252, "\u20AC") == "\x80");
  CHECK(encode(Charset::iso_8859_15, "\u20AC") == "\xA4");
  CHECK_FALSE(encode(Charset::iso_8859_1, "\u20AC").has_value());
}

}  // namespace flora::adapter
