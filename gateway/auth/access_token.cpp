#include "gateway/auth/access_token.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "gateway/auth/base64url.h"
#include "gateway/base/json.h"

namespace flora::auth {
namespace {

constexpr json::Limits kLimits{kMostTokenBytes, 8};
constexpr std::size_t kMostId = 255;
constexpr double kLastSecond = 253402300799;  // Of the year 9999.

// A key that comes with the token proves nothing (RFC 8725 §3.10). Of extensions none is understood
// (RFC 7515 §4.1.11), b64 (RFC 7797) among them.
constexpr std::array<std::string_view, 6> kForbidden = {"jwk", "jku", "x5u", "x5c", "crit", "b64"};

struct Parts {
  std::string_view signed_text;  // The first two, as they stand there.
  std::string header;
  std::string claims;
  std::string signature;
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == token.npos || first == last) return std::nullopt;
  auto header = from_base64url(token.substr(0, first));
  auto claims = from_base64url(token.substr(first + 1, last - first - 1));  // A dot is no digit.
  auto signature = from_base64url(token.substr(last + 1));
  if (!header || !claims || !signature) return std::nullopt;
  return Parts{token.substr(0, last), std::move(*header), std::move(*claims),
               std::move(*signature)};
}

// The text of a member; empty if there is none, or if it is no string.
std::string_view text(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(json::Kind::string) ? value->string() : std::string_view();
}

bool is_id(std::string_view text) { return !text.empty() && text.size() <= kMostId; }

// A media type, so in upper or lower case (RFC 7515 §4.1.9).
bool is_access_token(std::string_view type) {
  std::string lower(type);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower == "at+jwt" || lower == "application/at+jwt";
}

std::optional<Fault> check_header(const json::Value& header) {
  const auto has = [&](std::string_view name) { return header.find(name).has_value(); };
  if (std::ranges::any_of(kForbidden, has)) return Fault::header;
  if (!is_access_token(text(header, "typ"))) return Fault::type;
  if (!is_known_algorithm(text(header, "alg"))) return Fault::algorithm;
  return std::nullopt;
}

// NumericDate (RFC 7519 §2), which may have a fraction, in whole seconds.
std::optional<std::int64_t> time_of(const json::Value& value) {
  if (!value.is(json::Kind::integer) && !value.is(json::Kind::number)) return std::nullopt;
  const double seconds = value.number();
  if (!(seconds >= 0 && seconds <= kLastSecond)) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(seconds));
}

std::optional<std::int64_t> time_of(const json::Value& claims, std::string_view name) {
  const auto value = claims.find(name);
  return value ? time_of(*value) : std::nullopt;
}

// RFC 9068 §2.2: a string, or a list of strings.
bool has_form_of_audience(const json::Value& value) {
  if (value.is(json::Kind::string)) return true;
  if (!value.is(json::Kind::array) || value.size() == 0) return false;
  for (json::Value item = value.first(); item.valid(); item = item.next()) {
    if (!item.is(json::Kind::string)) return false;
  }
  return true;
}

bool is_for(const json::Value& audience, std::string_view name) {
  if (audience.is(json::Kind::string)) return audience.string() == name;
  for (json::Value item = audience.first(); item.valid(); item = item.next()) {
    if (item.string() == name) return true;
  }
  return false;
}

// RFC 8705 §3.1. Whatever else a token is bound to cannot be looked at here, and must not be
// ignored (RFC 7800 §3.1).
std::optional<Digest> certificate_of(const json::Value& confirmation) {
  constexpr std::string_view kThumbprint = "x5t#S256";
  if (!confirmation.is(json::Kind::object) || confirmation.size() != 1) return std::nullopt;
  const auto bytes = from_base64url(text(confirmation, kThumbprint));
  Digest digest;
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::ranges::copy(as_bytes(*bytes), digest.begin());
  return digest;
}

// What the claims say of time.
struct Times {
  std::int64_t issued = 0;
  std::int64_t not_before = 0;
  std::int64_t expires = 0;
};

std::optional<Times> times_of(const json::Value& claims) {
  const auto issued = time_of(claims, "iat");
  const auto expires = time_of(claims, "exp");
  const auto not_before = claims.find("nbf") ? time_of(claims, "nbf") : issued;
  if (!issued || !expires || !not_before) return std::nullopt;
  return Times{*issued, *not_before, *expires};
}

std::variant<AccessToken, Fault> check_claims(const json::Value& claims, const Rules& rules,
                                              std::int64_t now_s) {
  if (!claims.is(json::Kind::object)) return Fault::form;
  const auto audience = claims.find("aud");
  const auto times = times_of(claims);
  const bool complete = audience && has_form_of_audience(*audience) && times &&
                        is_id(text(claims, "iss")) && is_id(text(claims, "sub")) &&
                        is_id(text(claims, "client_id")) && is_id(text(claims, "jti"));
  if (!complete) return Fault::claims;
  if (text(claims, "iss") != rules.issuer) return Fault::issuer;
  if (!is_for(*audience, rules.audience)) return Fault::audience;
  AccessToken token{std::string(text(claims, "client_id")),
                    std::max(times->issued, times->not_before) - rules.leeway_s,
                    times->expires + rules.leeway_s, std::nullopt};
  if (now_s >= token.end_s) return Fault::expired;
  if (now_s < token.begin_s) return Fault::not_yet_valid;
  if (times->expires - times->issued > rules.lifetime_s) return Fault::lifetime;
  if (const auto confirmation = claims.find("cnf")) {
    token.certificate = certificate_of(*confirmation);
    if (!token.certificate) return Fault::confirmation;
  }
  return token;
}

}  // namespace

std::string_view description(Fault fault) {
  switch (fault) {
    case Fault::no_keys:
      return "The keys that tokens are verified with have not been fetched yet";
    case Fault::too_long:
      return "The token is too long";
    case Fault::form:
      return "The token is no signed JWT in compact form";
    case Fault::header:
      return "The header of the token brings a key or an extension that is not understood";
    case Fault::type:
      return "The token is no access token: its type is not at+jwt";
    case Fault::algorithm:
      return "The algorithm of the token is not ES256, PS256, RS256 or EdDSA";
    case Fault::key:
      return "The issuer has no key with the id and the algorithm of the token";
    case Fault::signature:
      return "The signature of the token is not valid";
    case Fault::claims:
      return "A claim that an access token must have is missing or has another form";
    case Fault::issuer:
      return "The token is of another issuer";
    case Fault::audience:
      return "The token is for another audience";
    case Fault::expired:
      return "The token has expired";
    case Fault::not_yet_valid:
      return "The token is not valid yet";
    case Fault::lifetime:
      return "The token is issued for too long a time";
    case Fault::confirmation:
      return "The token is bound to something else than a certificate";
    case Fault::unbound:
      return "The token is not bound to a client certificate";
    case Fault::other_certificate:
      return "The token is bound to a certificate that the connection does not show";
  }
  return "The token is refused";
}

std::variant<AccessToken, Fault> verify(std::string_view token, const KeySet& keys,
                                        const Rules& rules, std::int64_t now_s) {
  if (token.size() > kMostTokenBytes) return Fault::too_long;
  const std::optional<Parts> parts = split(token);
  json::Document header;
  if (!parts || !header.parse(parts->header, kLimits)) return Fault::form;
  if (!header.root().is(json::Kind::object)) return Fault::form;
  if (const auto fault = check_header(header.root())) return *fault;
  const PublicKey* key = keys.find(text(header.root(), "kid"), text(header.root(), "alg"));
  if (key == nullptr) return Fault::key;
  if (!key->verify(parts->signed_text, parts->signature)) return Fault::signature;
  json::Document claims;
  if (!claims.parse(parts->claims, kLimits)) return Fault::form;
  return check_claims(claims.root(), rules, now_s);
}

}  // namespace flora::auth
