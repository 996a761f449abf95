// How much each caller may ask for, and what the answers say of it: a request costs one token of
// the authority that the caller acts for first, an event one of its reporter.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/admission.h"
#include "gateway/api/metrics.h"
#include "gateway/api/pacer.h"
#include "gateway/http/message.h"
#include "gateway/intake/intake.h"
#include "gateway/policy/in_force.h"
#include "gateway/policy/rate_limiter.h"
#include "gateway/policy/search_limiter.h"

namespace flora::api {

/// Whose tokens a request takes.
struct Payer {
  enum class Kind : std::uint8_t {
    nobody,    ///< The operation is not limited.
    address,   ///< Nobody's request.
    requests,  ///< Of an authority.
    events,    ///< Of an authority, by an operation that takes events.
  };
  Kind kind = Kind::nobody;
  std::string name;  ///< The authority or the address.

  /// Who answers for the memory that the request takes: the authority, or all callers without one
  /// together. Empty: nobody.
  const std::string& account() const;
};

/// By the head alone.
Payer payer_of(const Verdict& verdict, const http::RequestHead& head);

/// Thread-safe. Environment, policy and metrics must outlive it.
class Throttle {
 public:
  Throttle(Env& env, const policy::InForce& policy, Metrics& metrics);

  /// Takes one request's token. An answer, 429: there is none.
  std::optional<http::Response> take_request(const Payer& payer);

  /// Takes the tokens of all these events, each of its reporter, or of none. An answer, 429: there
  /// are not enough.
  std::optional<http::Response> take_events(const policy::Caller& caller,
                                            const std::vector<intake::Item>& items);
  /// The same for so many items of the caller's own.
  std::optional<http::Response> take_events(const policy::Caller& caller, std::size_t count);

  /// Counts the identifiers of one search. An answer, 429: with them the client would have searched
  /// for too many. The first time in a window that is an alarm in the log. `hashes` are of a
  /// QuestionKey.
  std::optional<http::Response> take_identifiers(const policy::Caller& caller,
                                                 const std::vector<Digest>& hashes);

  /// One stream of the caller is under way as long as the ticket lives; null: there are too many.
  std::shared_ptr<void> open_stream(const policy::Caller& caller);
  /// The answer then, 429.
  http::Response too_many_streams() const;

  /// What a group of a stream costs, reporter by reporter; `others` is the number of its items that
  /// are no events.
  std::vector<Toll> tolls_of(const policy::Caller& caller, const std::vector<intake::Item>& items,
                             std::size_t others);

  /// Where streams wait for their tokens.
  Pacer& pacer() { return pacer_; }

  /// The fields RateLimit and RateLimit-Policy as of now (draft-ietf-httpapi-ratelimit-headers-10).
  void add_fields(const Payer& payer, std::vector<http::Header>& headers);

 private:
  Toll toll(const std::string& authority, std::int64_t cost);
  std::optional<http::Response> take(const std::vector<Toll>& tolls);
  policy::Rates rates_of(std::string_view authority) const;
  http::Response refusal(Limit limit, std::int64_t wait_ns) const;

  Env& env_;
  const policy::InForce& policy_;
  Metrics& metrics_;
  policy::RateLimiter limiter_;
  policy::SearchLimiter searches_;
  Pacer pacer_;
};

}  // namespace flora::api
