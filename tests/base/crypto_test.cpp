#include "gateway/base/crypto.h"

#include <doctest/doctest.h>

namespace flora {
namespace {

std::string hex(std::span<const std::byte> bytes) { return to_hex(bytes); }

TEST_CASE("SHA-256 gives the value of FIPS 180-4") {
  CHECK(hex(crypto::sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(crypto::sha256({as_bytes("a"), as_bytes("bc")}) == crypto::sha256("abc"));
}

TEST_CASE("SHA-1 gives the value of FIPS 180-4, also between other digests") {
  const std::string expected = "a9993e364706816aba3e25717850c26c9cd0d89d";
  CHECK(hex(crypto::sha1({as_bytes("abc")})) == expected);
  (void)crypto::sha256("abc");
  CHECK(hex(crypto::sha1({as_bytes("a"), as_bytes("bc")})) == expected);
}

TEST_CASE("HMAC-SHA-256 gives the values of RFC 4231") {
  CHECK(hex(crypto::hmac_sha256(as_bytes("Jefe"), {"what do ya want ", "for nothing?"})) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::string long_key(131, '\xaa');
  CHECK(hex(crypto::hmac_sha256(as_bytes(long_key),
                                {"Test Using Larger Than Block-Size Key - Hash Key First"})) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("derived keys differ by purpose") {
  // RFC 5869, test case 3 (empty salt and info), first 32 bytes.
  const std::string secret(22, '\x0b');
  CHECK(hex(crypto::derive_key(as_bytes(secret), "")) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
  CHECK(crypto::derive_key(as_bytes(secret), "a") != crypto::derive_key(as_bytes(secret), "b"));
}

TEST_CASE("a sealed text opens with its key and associated data only") {
  Digest key{};
  key[0] = std::byte{7};
  const std::string sealed = crypto::seal(key, "secret", "row 1", Env::system());
  CHECK(sealed.find("secret") == std::string::npos);
  CHECK(crypto::open(key, sealed, "row 1") == std::string("secret"));
  CHECK(!crypto::open(key, sealed, "row 2").has_value());
  Digest other = key;
  other[31] = std::byte{1};
  CHECK(!crypto::open(other, sealed, "row 1").has_value());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(!crypto::open(key, changed, "row 1").has_value());
  }
  CHECK(!crypto::open(key, sealed.substr(0, 10), "row 1").has_value());
  CHECK(crypto::seal(key, "secret", "row 1", Env::system()) != sealed);
}

TEST_CASE("Ed25519 gives the signature of RFC 8032 §7.1, test 2") {
  const auto seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  auto key = crypto::Ed25519Key::from_seed(as_bytes(*seed));
  REQUIRE(key);
  CHECK(hex(key->public_key()) ==
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const auto signature = key->sign("\x72");
  CHECK(hex(signature) ==
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  CHECK(crypto::verify_ed25519(key->public_key(), "\x72", signature));
  CHECK_FALSE(crypto::verify_ed25519(key->public_key(), "\x73", signature));
  CHECK_FALSE(crypto::Ed25519Key::from_seed(as_bytes("short")));
}

}  // namespace
}  // namespace flora
