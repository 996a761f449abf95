// Access tokens and key sets. The first byte says what the others are: `t` a token, which nobody
// has signed; `s` a header and claims, parted by a line feed, which are signed here, so that the
// checks behind the signature are reached; `k` a key set; anything else Base 64.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/auth/base64url.h"
#include "tests/fuzz/expectations.h"
#include "tests/gateway/test_issuer.h"

namespace {

using namespace flora;
using namespace flora::auth;
using fuzz::require;
using test::TestIssuer;
using Json = nlohmann::json;

constexpr std::int64_t kNow = 1'793'690'130;

// The rules of RFC 9068 and of gateway/auth/README.md, told a second time.
bool is_good_header(const Json& header) {
  for (const char* forbidden : {"jwk", "jku", "x5u", "x5c", "crit", "b64"}) {
    if (header.contains(forbidden)) return false;
  }
  std::string type = header.at("typ");
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  return (type == "at+jwt" || type == "application/at+jwt") && header.at("alg") == "EdDSA" &&
         header.at("kid") == "k1";
}

bool is_good_time(const Json& claims, double leeway) {
  const double now = kNow;
  const double issued = claims.at("iat");
  const double begin = std::max(issued, claims.value("nbf", issued));
  return begin < now + leeway + 1 && claims.at("exp").get<double>() > now - leeway &&
         claims.at("exp").get<double>() - issued < 86'400 + 1;
}

bool is_good(const Json& claims) {
  for (const char* text : {"iss", "sub", "client_id", "jti"}) {
    if (claims.at(text).get<std::string>().empty()) return false;
  }
  const Json& audience = claims.at("aud");
  const bool is_for_us = audience.is_string()
                             ? audience == "https://flora"
                             : std::ranges::find(audience, Json("https://flora")) != audience.end();
  const bool is_bound = claims.contains("cnf");
  return claims.at("iss") == "https://idp" && is_for_us &&
         is_good_time(claims, static_cast<double>(TestIssuer::rules().leeway_s)) &&
         (!is_bound || claims.at("cnf").at("x5t#S256").get<std::string>().size() == 43);
}

void check_unsigned(const TestIssuer& issuer, std::string_view token) {
  const auto outcome = verify(token, *issuer.current(), TestIssuer::rules(), kNow);
  require(std::holds_alternative<Fault>(outcome));
  require(!description(std::get<Fault>(outcome)).empty());
}

void check_signed(const TestIssuer& issuer, std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return;
  const std::string_view header = text.substr(0, end);
  const std::string_view claims = text.substr(end + 1);
  const std::string token = issuer.sign(header, claims);
  const auto outcome = verify(token, *issuer.current(), TestIssuer::rules(), kNow);
  require(outcome == verify(token, *issuer.current(), TestIssuer::rules(), kNow));
  const auto* good = std::get_if<AccessToken>(&outcome);
  if (good == nullptr) return;
  const Json said = Json::parse(claims);
  require(is_good_header(Json::parse(header)) && is_good(said));
  require(good->client_id == said.at("client_id") && good->is_in_force(kNow));
  require(good->certificate.has_value() == said.contains("cnf"));
}

void check_key_set(std::string_view text) {
  const auto set = KeySet::parse(text);
  if (!set) return require(set.error().code == Errc::invalid && !set.error().message.empty());
  const Json keys = Json::parse(text).at("keys");
  require(set->size() > 0 && set->size() + set->skipped().size() <= keys.size());
  for (const Json& key : keys) {
    const bool is_named = key.is_object() && key.contains("kid") && key["kid"].is_string();
    const std::string id = is_named ? key["kid"].get<std::string>() : std::string();
    for (const char* algorithm : {"ES256", "PS256", "RS256", "EdDSA", "Ed25519"}) {
      const PublicKey* found = set->find(id, algorithm);
      if (found == nullptr) continue;
      require(!id.empty() && !found->verify("message", ""));
      require(!found->verify("message", std::string(64, '\0')));
    }
  }
  require(set->find("", "EdDSA") == nullptr);
}

void check_base64url(std::string_view text) {
  const auto bytes = from_base64url(text);
  require(!bytes || test::base64url(*bytes) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TestIssuer issuer;
  const std::string_view text = fuzz::text_of(data, size);
  if (text.empty()) return 0;
  const std::string_view rest = text.substr(1);
  switch (text.front()) {
    case 't':
      check_unsigned(issuer, rest);
      break;
    case 's':
      check_signed(issuer, rest);
      break;
    case 'k':
      check_key_set(rest);
      break;
    default:
      check_base64url(text);
  }
  return 0;
}
