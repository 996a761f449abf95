// One request on its way through the handlers, and the forms of answers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/http/message.h"
#include "gateway/http/responder.h"
#include "gateway/model/problem.h"
#include "gateway/policy/policy.h"
#include "openapi/document.h"

namespace flora::api {

/// A request that was routed, authenticated and checked against the document.
struct Call {
  http::RequestHead head;
  std::string body;                      ///< Empty for streams.
  openapi::Match match;                  ///< Its outcome is `found`.
  std::optional<policy::Caller> caller;  ///< Nothing only where the document opens the operation.
  std::string media_type;                ///< Of the body, lower case, without parameters.

  const openapi::Operation& operation() const { return *match.operation; }
  /// The decoded value of a query parameter, or nothing.
  std::optional<std::string> query(std::string_view name) const;
};

/// Answers one call; move-only like the responder that it ends in. Counts and completes the answer.
using Reply = std::shared_ptr<class ReplyState>;

/// The answer's way back. Thread-safe; the first answer counts.
class ReplyState {
 public:
  using Observer = std::function<void(int status)>;
  ReplyState(http::Responder responder, Observer observer)
      : responder_(std::move(responder)), observer_(std::move(observer)) {}

  void send(http::Response response);
  http::ResponseWriter stream(int status, std::vector<http::Header> headers);

 private:
  http::Responder responder_;
  Observer observer_;
};

/// `application/problem+json`; with Retry-After where waiting helps, WWW-Authenticate for 401.
http::Response problem_response(const Problem& problem);

/// `application/json`, not to be stored by caches.
http::Response json_response(int status, std::string body);

/// An answer that may be cached, with its entity tag; 304 where If-None-Match has it.
http::Response cacheable_response(const http::RequestHead& head, std::string_view content_type,
                                  std::string_view cache_control, std::string body);

/// What a client prefers (RFC 7240); what is not understood is ignored.
struct Preferences {
  bool respond_async = false;
  bool minimal = false;     ///< return=minimal
  std::optional<int> wait;  ///< Seconds.

  /// The value of Preference-Applied, or empty.
  std::string applied() const;
  /// True if the answer shall not wait for the ledger: `wait` bounds a wait that the embedded
  /// ledger does not need.
  bool answer_early() const { return respond_async && !wait; }
};
Preferences preferences_of(const http::RequestHead& head);

/// True if the field Accept (RFC 9110 §12.5.1) allows the media type, or is absent.
bool accepts(const http::RequestHead& head, std::string_view media_type);

/// `Text/HTML; charset=x` → `text/html`. Empty if it is not a media type.
std::string media_type_of(std::string_view content_type);

/// True unless the media type has a parameter `charset` that names another character set; upper and
/// lower case are the same.
bool agrees_with_charset(std::string_view content_type, std::string_view charset);

/// Percent-decoding (RFC 3986 §2.1), `+` stays. Nothing if it is broken.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace flora::api
