// What is decided by a request's head alone: route, caller, media types, parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/auth/tokens.h"
#include "gateway/http/message.h"
#include "gateway/model/problem.h"
#include "gateway/policy/in_force.h"
#include "openapi/document.h"

namespace flora::api {

struct Verdict {
  std::optional<Problem> problem;     ///< Refused; the other members say how far it came.
  std::vector<http::Header> headers;  ///< Of the refusal, such as Allow.
  openapi::Match match;
  std::optional<policy::Caller> caller;
  std::string media_type;  ///< Of the body, lower case.
};

/// The operations that take a native message.
inline constexpr std::string_view kSubmitMessage = "submitMessage";
inline constexpr std::string_view kTranslateMessage = "translateMessage";
bool takes_message(const openapi::Operation& operation);

/// True if the body is handed over as it comes: that of a stream of events, and a native message
/// that is long or of unknown length.
bool is_streamed(const Verdict& verdict, const http::RequestHead& head);

/// The largest body that an operation takes as a whole, in bytes.
std::size_t body_limit(const openapi::Operation& operation, std::string_view media_type);

/// The answer to who is refused.
http::Response refusal_of(const Verdict& verdict);

/// The ways to say who one is, besides certificates.
struct Authentication {
  auth::Tokens* tokens = nullptr;   ///< Null: no token is taken.
  bool development_header = false;  ///< On loopback connections.
};

/// Thread-safe: it judges by the policy that is in force at the moment. Document, policy and tokens
/// must outlive it.
class Admission {
 public:
  Admission(const openapi::Document& document, const policy::InForce& policy,
            openapi::Listener listener, const Authentication& authentication)
      : document_(document),
        policy_(policy),
        listener_(listener),
        authentication_(authentication) {}

  Verdict examine(const http::RequestHead& head) const;

 private:
  bool route(const http::RequestHead& head, Verdict& verdict) const;
  bool authenticate(const http::RequestHead& head, Verdict& verdict) const;
  bool read_token(const http::RequestHead& head, policy::Credentials& shown,
                  Verdict& verdict) const;
  bool refuse_token(Verdict& verdict, std::string_view error, std::string_view why) const;
  bool refuse_stranger(Verdict& verdict, std::string_view why) const;
  bool check_body(const http::RequestHead& head, Verdict& verdict) const;
  bool check_accept(const http::RequestHead& head, Verdict& verdict) const;
  bool check_parameters(const http::RequestHead& head, Verdict& verdict) const;

  const openapi::Document& document_;
  const policy::InForce& policy_;
  openapi::Listener listener_;
  const Authentication authentication_;
};

}  // namespace flora::api
