// Access tokens: what is believed, and why the others are refused.
#include "gateway/auth/tokens.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "gateway/base/crypto.h"
#include "tests/fake_env.h"
#include "tests/gateway/test_issuer.h"

using namespace flora;
using namespace flora::auth;
using namespace flora::test;

namespace {

using Json = nlohmann::json;

// An issuer, and a gateway that takes its tokens.
struct World {
  FakeEnv env;
  TestIssuer issuer;
  Json claims = TestIssuer::claims_at(env.now_ms() / 1000);

  std::string token() const { return issuer.token(claims); }

  std::variant<AccessToken, Fault> examine(const std::string& token, Binding binding,
                                           const std::optional<std::string>& certificate = {}) {
    return Tokens(TestIssuer::rules(), binding, issuer, env).examine(token, certificate);
  }
  Fault fault(const std::string& token, Binding binding = Binding::optional,
              const std::optional<std::string>& certificate = {}) {
    const auto outcome = examine(token, binding, certificate);
    REQUIRE(std::holds_alternative<Fault>(outcome));
    return std::get<Fault>(outcome);
  }
  bool takes(const std::string& token, Binding binding = Binding::optional,
             const std::optional<std::string>& certificate = {}) {
    return std::holds_alternative<AccessToken>(examine(token, binding, certificate));
  }
};

}  // namespace

TEST_CASE("a token that is all it must be is believed") {
  World world;
  const auto outcome = world.examine(world.token(), Binding::optional);
  REQUIRE(std::holds_alternative<AccessToken>(outcome));
  CHECK(std::get<AccessToken>(outcome).client_id == "lab");
  world.claims["aud"] = {"https://other", "https://flora"};
  world.issuer.header["typ"] = "application/AT+JWT";
  CHECK(world.takes(world.token()));
}

TEST_CASE("each fault of header and claims is refused for what it is") {
  struct Row {
    const char* member;
    Json value;  // null: without it
    Fault fault;
    bool in_header = false;
  };
  const std::int64_t now = FakeEnv().now_ms() / 1000;
  const Row rows[] = {
      {"alg", "none", Fault::algorithm, true},
      {"alg", "HS256", Fault::algorithm, true},
      {"alg", "ES256", Fault::key, true},
      {"alg", nullptr, Fault::algorithm, true},
      {"typ", "JWT", Fault::type, true},
      {"typ", nullptr, Fault::type, true},
      {"kid", "k2", Fault::key, true},
      {"kid", nullptr, Fault::key, true},
      {"kid", 1, Fault::key, true},
      {"crit", {"exp"}, Fault::header, true},
      {"jwk", Json::object(), Fault::header, true},
      {"jku", "https://evil", Fault::header, true},
      {"x5u", "https://evil", Fault::header, true},
      {"x5c", Json::array(), Fault::header, true},
      {"b64", false, Fault::header, true},
      {"iss", "https://other", Fault::issuer},
      {"iss", nullptr, Fault::claims},
      {"aud", "https://other", Fault::audience},
      {"aud", Json::array(), Fault::claims},
      {"aud", {"https://flora", 1}, Fault::claims},
      {"aud", nullptr, Fault::claims},
      {"sub", "", Fault::claims},
      {"sub", nullptr, Fault::claims},
      {"jti", nullptr, Fault::claims},
      {"client_id", nullptr, Fault::claims},
      {"client_id", 7, Fault::claims},
      {"exp", nullptr, Fault::claims},
      {"exp", "1793690430", Fault::claims},
      {"exp", -1, Fault::claims},
      {"exp", 1e300, Fault::claims},
      {"exp", now - 31, Fault::expired},
      {"exp", now + 90'000, Fault::lifetime},
      {"iat", nullptr, Fault::claims},
      {"iat", now + 31, Fault::not_yet_valid},
      {"nbf", now + 31, Fault::not_yet_valid},
      {"nbf", "now", Fault::claims},
      {"cnf", Json::object(), Fault::confirmation},
      {"cnf", {{"jkt", "abc"}}, Fault::confirmation},
      {"cnf", {{"x5t#S256", "abc"}}, Fault::confirmation},
  };
  for (const Row& row : rows) {
    CAPTURE(row.member);
    CAPTURE(row.value.dump());
    World world;
    Json& target = row.in_header ? world.issuer.header : world.claims;
    if (row.value.is_null()) {
      target.erase(row.member);
    } else {
      target[row.member] = row.value;
    }
    CHECK(description(world.fault(world.token())) == description(row.fault));
  }
}

TEST_CASE("what is not exactly one signed JWT is refused") {
  World world;
  const std::string good = world.token();
  CHECK(world.fault("") == Fault::form);
  CHECK(world.fault(good + '.') == Fault::form);
  CHECK(world.fault(good + '=') == Fault::form);
  CHECK(world.fault(good.substr(0, good.rfind('.'))) == Fault::form);
  CHECK(world.fault(good.substr(0, good.rfind('.') + 1)) == Fault::signature);
  CHECK(world.fault(std::string(kMostTokenBytes + 1, 'a')) == Fault::too_long);
  std::string forged = good;
  forged[good.size() - 10] = forged[good.size() - 10] == 'A' ? 'B' : 'A';
  CHECK(world.fault(forged) == Fault::signature);
  const std::string claims = world.claims.dump();
  const std::string twice = R"({"iss":"https://idp",)" + claims.substr(1);
  CHECK(world.fault(world.issuer.sign(world.issuer.header.dump(), twice)) == Fault::form);
  CHECK(world.fault(world.issuer.sign(R"({"alg":"EdDSA",)" + world.issuer.header.dump().substr(1),
                                      claims)) == Fault::form);
}

TEST_CASE("a bound token is taken with its certificate only, and an unbound one where it may be") {
  World world;
  CHECK(world.fault(world.token(), Binding::required) == Fault::unbound);
  const Digest certificate = crypto::sha256("certificate");
  world.claims["cnf"] = {{"x5t#S256", base64url(as_text(certificate))}};
  const std::string token = world.token();
  CHECK(world.takes(token, Binding::required, to_hex(certificate)));
  CHECK(world.fault(token) == Fault::other_certificate);
  CHECK(world.fault(token, Binding::required, std::string(64, 'a')) == Fault::other_certificate);
}

TEST_CASE("what is known of a token ends with it, and with the keys that verified it") {
  World world;
  Tokens tokens(TestIssuer::rules(), Binding::optional, world.issuer, world.env);
  const std::string token = world.token();
  for (int i = 0; i < 2; ++i) {
    CHECK(std::holds_alternative<AccessToken>(tokens.examine(token, {})));
  }
  world.issuer.publish({jwk_of(key_of('n'), "k2")});
  const auto replaced = tokens.examine(token, {});
  REQUIRE(std::holds_alternative<Fault>(replaced));
  CHECK(std::get<Fault>(replaced) == Fault::key);
  CHECK(world.issuer.asked == 1);
  world.issuer.publish({jwk_of(world.issuer.key, "k1")});
  CHECK(std::holds_alternative<AccessToken>(tokens.examine(token, {})));
  world.env.advance_ms(331'000);
  CHECK(std::get<Fault>(tokens.examine(token, {})) == Fault::expired);
  world.issuer.withdraw();
  CHECK(std::get<Fault>(tokens.examine(token, {})) == Fault::no_keys);
}

TEST_CASE("keys that are weak, secret or ambiguous are skipped, and why is told") {
  const Json good = jwk_of(key_of('k'), "k1");
  const Json rsa = {{"kty", "RSA"},
                    {"kid", "rsa"},
                    {"alg", "PS256"},
                    {"e", "AQAB"},
                    {"n", base64url(std::string(384, '\x81'))}};
  const Json point = {{"kty", "EC"},
                      {"crv", "P-256"},
                      {"kid", "ec"},
                      {"x", base64url(std::string(32, 'x'))},
                      {"y", base64url(std::string(32, 'y'))}};
  struct Row {
    Json key;
    const char* member;
    Json value;  // null: without it
    const char* why;
  };
  const Row rows[] = {
      {good, "d", "AAAA", "its secret part is public"},
      {good, "use", "enc", "not for signatures"},
      {good, "use", 1, "not for signatures"},
      {good, "key_ops", {"sign"}, "not for signatures"},
      {good, "kid", nullptr, "no id of 1 to 255 bytes"},
      {good, "kid", "", "no id of 1 to 255 bytes"},
      {good, "kid", std::string(256, 'k'), "no id of 1 to 255 bytes"},
      {good, "crv", "X25519", "the curve is not Ed25519"},
      {good, "alg", "ES256", "none that verify tokens here"},
      {good, "x", base64url(std::string(31, 'x')), "has 32 bytes"},
      {good, "x", nullptr, "has 32 bytes"},
      {good, "x", good["x"].get<std::string>() + "=", "has 32 bytes"},
      {rsa, "n", base64url(std::string(256, '\x81')), "at least 3000 bits"},
      {rsa, "n", base64url(std::string(1025, '\x81')), "at most 8192 bits"},
      {rsa, "n", base64url(std::string(384, '\x80')), "the RSA key is none"},
      {rsa, "e", "Aw", "between 2^16 and 2^64"},
      {rsa, "e", "AQAA", "between 2^16 and 2^64"},
      {rsa, "e", base64url(std::string(384, '\x81')), "between 2^16 and 2^64"},
      {rsa, "alg", nullptr, "does not name its algorithm"},
      {rsa, "alg", "RS512", "none that verify tokens here"},
      {rsa, "p", "AAAA", "its secret part is public"},
      {point, "kid", "off", "the point is not on P-256"},
      {point, "crv", "P-384", "the curve is not P-256"},
      {point, "x", base64url(std::string(33, 'x')), "a coordinate of P-256 has 32 bytes"},
      {{{"kty", "oct"}, {"kid", "oct"}}, "k", "AAAA", "its secret part is public"},
      {{{"kty", "oct"}}, "kid", "oct", "does not name its algorithm"},
      {Json::array(), nullptr, nullptr, "it is no object"},
  };
  for (const Row& row : rows) {
    Json key = row.key;
    if (row.member != nullptr && row.value.is_null()) key.erase(row.member);
    if (row.member != nullptr && !row.value.is_null()) key[row.member] = row.value;
    CAPTURE(key.dump());
    const Json other = jwk_of(key_of('o'), "other");
    const auto set = KeySet::parse(Json{{"keys", {key, other}}}.dump());
    REQUIRE(set.has_value());
    CHECK(set->size() == 1);
    CHECK(set->find("other", "EdDSA") != nullptr);
    REQUIRE(set->skipped().size() == 1);
    CHECK_MESSAGE(set->skipped().front().find(row.why) != std::string::npos,
                  set->skipped().front());
    CHECK(set->skipped().front().starts_with("key 1: "));
  }
  const auto set = KeySet::parse(Json{{"keys", {good, rsa}}}.dump());
  REQUIRE(set.has_value());
  CHECK(set->size() == 2);
  CHECK(set->find("k1", "EdDSA") != nullptr);
  CHECK(set->find("k1", "ES256") == nullptr);
  CHECK(set->find("rsa", "RS256") == nullptr);
}

TEST_CASE("what is no key set, or has no key that can be used, is refused") {
  const Json good = jwk_of(key_of('k'), "k1");
  std::vector<Json> many(KeySet::kMostKeys + 1, good);
  for (std::size_t i = 0; i < many.size(); ++i) many[i]["kid"] = std::to_string(i);
  const std::string one = Json{{"keys", {good}}}.dump();
  const std::string texts[] = {"",
                               "{}",
                               "[]",
                               R"({"keys":{}})",
                               R"({"keys":[]})",
                               R"({"keys":[],)" + one.substr(1),
                               one + one,
                               one + std::string(KeySet::kMostBytes, ' '),
                               Json{{"keys", {good, good}}}.dump(),
                               Json{{"keys", many}}.dump()};
  for (const std::string& text : texts) {
    CAPTURE(text.substr(0, 100));
    CHECK_FALSE(KeySet::parse(text).has_value());
  }
  CHECK(KeySet::parse(one).has_value());
  many.pop_back();
  CHECK(KeySet::parse(Json{{"keys", many}}.dump()).has_value());
}
