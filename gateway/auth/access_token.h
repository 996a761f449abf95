// OAuth 2.0 access tokens as RFC 9068 profiles them: a JWT, signed by the issuer. What a token says
// counts only when all of it has been checked; nothing in its header chooses how (RFC 8725).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/auth/key_set.h"
#include "gateway/base/bytes.h"

namespace flora::auth {

/// What a token must say.
struct Rules {
  std::string issuer;
  std::string audience;        ///< The name of this gateway, one of those that the token is for.
  std::int64_t leeway_s = 30;  ///< Between the issuer's clock and ours.
  std::int64_t lifetime_s = 86'400;  ///< The longest that a token may be issued for.
};

/// Why a token is refused, in the order in which it is looked at.
enum class Fault : std::uint8_t {
  no_keys,  ///< None have been fetched yet: nothing is known about the token.
  too_long,
  form,       ///< Not three parts of canonical Base 64, or no strict JSON in them.
  header,     ///< It brings or names a key, or asks for what nobody here understands.
  type,       ///< Not at+jwt.
  algorithm,  ///< None of those that a key can have.
  key,        ///< No key has this id and algorithm.
  signature,
  claims,  ///< One that RFC 9068 asks for is missing or of another form.
  issuer,
  audience,
  expired,
  not_yet_valid,  ///< Or issued in the future.
  lifetime,
  confirmation,      ///< Bound to something else than a certificate.
  unbound,           ///< Not bound, and has to be.
  other_certificate  ///< Bound to a certificate that the connection does not show.
};

/// A fixed English sentence about the fault; fits into error_description (RFC 6750 §3).
std::string_view description(Fault fault);

/// What a verified token says, as far as the gateway goes by it.
struct AccessToken {
  std::string client_id;
  std::int64_t begin_s = 0;           ///< From then on, in seconds since the Unix epoch, …
  std::int64_t end_s = 0;             ///< … and before that; both with the leeway.
  std::optional<Digest> certificate;  ///< The one that it is bound to, by its fingerprint.

  bool is_in_force(std::int64_t now_s) const { return begin_s <= now_s && now_s < end_s; }
  bool operator==(const AccessToken&) const = default;
};

/// The longest token that is looked at.
inline constexpr std::size_t kMostTokenBytes = 8192;

/// Thread-safe. Whether the connection shows the certificate is left to the caller.
std::variant<AccessToken, Fault> verify(std::string_view token, const KeySet& keys,
                                        const Rules& rules, std::int64_t now_s);

}  // namespace flora::auth
