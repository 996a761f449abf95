#include "gateway/base/bytes.h"

#include <doctest/doctest.h>

namespace flora {
namespace {

TEST_CASE("base 64 follows RFC 4648 §10 and is strict") {
  for (const auto& [plain, coded] :
       {std::pair{"", ""}, std::pair{"f", "Zg=="}, std::pair{"fo", "Zm8="},
        std::pair{"foo", "Zm9v"}, std::pair{"foobar", "Zm9vYmFy"}}) {
    CHECK(to_base64(as_bytes(plain)) == coded);
    CHECK(from_base64(coded) == std::string(plain));
  }
  for (const char* bad :
       {"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Z m8=", "Zg\n="}) {
    CAPTURE(bad);
    CHECK(!from_base64(bad).has_value());
  }
}

TEST_CASE("hexadecimal digits are read in either case and written in lower case") {
  CHECK(to_hex(as_bytes("\x01\xAB")) == "01ab");
  CHECK(from_hex("01aB") == std::string("\x01\xAB"));
  CHECK(!from_hex("0").has_value());
  CHECK(!from_hex("0g").has_value());
}

TEST_CASE("UTF-8 is well-formed or refused") {
  CHECK(is_utf8("aä€\xF0\x9F\x98\x80"));
  for (const char* bad : {"\x80", "\xC1\x81", "\xE0\x9F\x80", "\xED\xA0\x80", "\xF0\x8F\x80\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace flora
