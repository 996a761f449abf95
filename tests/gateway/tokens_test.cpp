// Access tokens: what is believed, and why the others are refused. The signatures are of Ed25519,
// which the base can make.
#include "gateway/auth/tokens.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "gateway/base/crypto.h"
#include "tests/fake_env.h"

using namespace flora;
using namespace flora::auth;

namespace {

using Json = nlohmann::json;

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(as_bytes(bytes));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

crypto::Ed25519Key key_of(char seed) {
  auto key = crypto::Ed25519Key::from_seed(as_bytes(std::string(32, seed)));
  REQUIRE(key.has_value());
  return std::move(*key);
}

Json jwk_of(const crypto::Ed25519Key& key, const std::string& id) {
  const auto x = key.public_key();
  return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", id}, {"x", base64url(as_text(x))}};
}

class Keys final : public KeySource {
 public:
  std::shared_ptr<const KeySet> current() const override { return set; }
  void ask() override { ++asked; }

  void put(const std::vector<Json>& keys) {
    auto parsed = KeySet::parse(Json{{"keys", keys}}.dump());
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    set = std::make_shared<const KeySet>(std::move(*parsed));
  }

  std::shared_ptr<const KeySet> set;
  int asked = 0;
};

// An issuer with one key, and a gateway that takes its tokens.
struct World {
  FakeEnv env;
  crypto::Ed25519Key key = key_of('k');
  Keys keys;
  Json header = {{"typ", "at+jwt"}, {"alg", "EdDSA"}, {"kid", "k1"}};
  Json claims;

  World() {
    keys.put({jwk_of(key, "k1")});
    const std::int64_t now = env.now_ms() / 1000;
    claims = {{"iss", "https://idp"}, {"aud", "https://flora"}, {"sub", "lab"},
              {"jti", "1"},           {"client_id", "lab"},     {"iat", now},
              {"exp", now + 300}};
  }

  std::string sign(const std::string& head, const std::string& body) const {
    const std::string text = base64url(head) + '.' + base64url(body);
    const auto signature = key.sign(text);
    return text + '.' + base64url(as_text(signature));
  }
  std::string token() const { return sign(header.dump(), claims.dump()); }

  std::variant<AccessToken, Fault> examine(const std::string& token, Binding binding,
                                           const std::optional<std::string>& certificate = {}) {
    return Tokens({"https://idp", "https://flora"}, binding, keys, env).examine(token, certificate);
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
  world.header["typ"] = "application/AT+JWT";
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
    Json& target = row.in_header ? world.header : world.claims;
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
  CHECK(world.fault(world.sign(world.header.dump(), twice)) == Fault::form);
  CHECK(world.fault(world.sign(R"({"alg":"EdDSA",)" + world.header.dump().substr(1), claims)) ==
        Fault::form);
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
  Tokens tokens({"https://idp", "https://flora"}, Binding::optional, world.keys, world.env);
  const std::string token = world.token();
  for (int i = 0; i < 2; ++i) {
    CHECK(std::holds_alternative<AccessToken>(tokens.examine(token, {})));
  }
  world.keys.put({jwk_of(key_of('n'), "k2")});
  const auto replaced = tokens.examine(token, {});
  REQUIRE(std::holds_alternative<Fault>(replaced));
  CHECK(std::get<Fault>(replaced) == Fault::key);
  CHECK(world.keys.asked == 1);
  world.keys.put({jwk_of(world.key, "k1")});
  CHECK(std::holds_alternative<AccessToken>(tokens.examine(token, {})));
  world.env.advance_ms(331'000);
  CHECK(std::get<Fault>(tokens.examine(token, {})) == Fault::expired);
  world.keys.set.reset();
  CHECK(std::get<Fault>(tokens.examine(token, {})) == Fault::no_keys);
}

TEST_CASE("keys that are weak, secret or ambiguous are skipped") {
  const Json good = jwk_of(key_of('k'), "k1");
  Json leaked = good;
  leaked["kid"] = "leaked";
  leaked["d"] = "AAAA";
  Json other_use = good;
  other_use["kid"] = "enc";
  other_use["use"] = "enc";
  const Json short_rsa = {{"kty", "RSA"},
                          {"kid", "rsa"},
                          {"alg", "RS256"},
                          {"e", "AQAB"},
                          {"n", base64url(std::string(256, '\x81'))}};
  const Json off_curve = {{"kty", "EC"},
                          {"crv", "P-256"},
                          {"kid", "ec"},
                          {"x", base64url(std::string(32, 'x'))},
                          {"y", base64url(std::string(32, 'y'))}};
  const auto set =
      KeySet::parse(Json{{"keys", {good, leaked, other_use, short_rsa, off_curve}}}.dump());
  REQUIRE(set.has_value());
  CHECK(set->size() == 1);
  CHECK(set->skipped().size() == 4);
  CHECK(set->find("k1", "EdDSA") != nullptr);
  CHECK(set->find("k1", "ES256") == nullptr);
  CHECK_FALSE(KeySet::parse(Json{{"keys", {good, good}}}.dump()).has_value());
  CHECK_FALSE(KeySet::parse("{}").has_value());
}
