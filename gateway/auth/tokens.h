// Start here. Decides whether an access token may be believed, and what it says.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "gateway/auth/access_token.h"
#include "gateway/auth/key_source.h"
#include "gateway/auth/verified_tokens.h"
#include "gateway/base/env.h"

namespace flora::auth {

/// Whether a token must be bound to a client certificate (RFC 8705).
enum class Binding : std::uint8_t { required, optional };

/// Thread-safe; never waits. Keys and environment must outlive it.
class Tokens {
 public:
  Tokens(Rules rules, Binding binding, KeySource& keys, Env& env)
      : rules_(std::move(rules)), binding_(binding), keys_(keys), env_(env) {}

  /// `certificate` is the fingerprint (64 hexadecimal digits) of the client certificate that the
  /// connection shows, if it shows one. A key that is not known is asked for, and the token refused
  /// meanwhile.
  std::variant<AccessToken, Fault> examine(std::string_view token,
                                           const std::optional<std::string>& certificate);

 private:
  std::variant<AccessToken, Fault> verified(std::string_view token);

  const Rules rules_;
  const Binding binding_;
  KeySource& keys_;
  Env& env_;
  VerifiedTokens known_;
};

}  // namespace flora::auth
