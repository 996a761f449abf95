// One request on its way through the handlers, and the forms of answers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/api/observation.h"
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

/// Answers one call; move-only like the responder that it ends in.
using Reply = std::shared_ptr<class ReplyState>;

/// The answer's way back, and what is observed of the request until then. Thread-safe; the first
/// answer counts. Dropped without one, the client gets 500.
class ReplyState {
 public:
  /// Adds what each answer of the operation carries.
  using Fields = std::function<void(std::vector<http::Header>&)>;
  /// `ticket` lives as long as the reply.
  ReplyState(http::Responder responder, std::unique_ptr<Observation> observation,
             std::string sender, Fields fields, std::shared_ptr<void> ticket);
  ~ReplyState();

  /// Whose turn it is in what all share: Payer::account().
  const std::string& sender() const { return sender_; }

  void send(http::Response response);
  http::ResponseWriter stream(int status, std::vector<http::Header> headers);

  Observation& observation() { return *observation_; }

 private:
  std::shared_ptr<void> ticket_;  // Goes last.
  std::unique_ptr<Observation> observation_;
  http::Responder responder_;
  const std::string sender_;
  const Fields fields_;
  std::atomic<bool> answered_{false};
};

/// `application/problem+json`; with Retry-After where waiting helps (but not for 429, where it
/// depends), WWW-Authenticate for 401.
http::Response problem_response(const Problem& problem);
/// Those that many operations have: nothing is said but their name.
http::Response not_found();
http::Response unavailable();

/// Of bodies whose lines are documents.
inline constexpr std::string_view kLines = "application/x-ndjson";

/// `application/json`, not to be stored by caches.
http::Response json_response(int status, std::string body);

/// The field cache-control of what never changes.
inline constexpr std::string_view kImmutable = "private, max-age=31536000, immutable";

/// An answer that may be cached, with its entity tag; 304 where If-None-Match has it.
http::Response cacheable_response(const http::RequestHead& head, std::string_view content_type,
                                  std::string_view cache_control, std::string body);

/// The entity tags of texts that neither change nor go while this lives, each computed once: a
/// large page is asked for by anybody, and its digest costs more than all else. Thread-safe.
class EntityTags {
 public:
  std::string of(std::string_view lasting);

 private:
  std::mutex mutex_;
  std::map<const char*, std::string> tags_;
};

/// The same for such a text.
http::Response lasting_response(const http::RequestHead& head, std::string_view content_type,
                                std::string_view cache_control, std::string_view lasting,
                                EntityTags& tags);

/// What a client prefers (RFC 7240); what is not understood is ignored.
struct Preferences {
  bool respond_async = false;
  bool minimal = false;     ///< return=minimal
  std::optional<int> wait;  ///< Seconds.

  /// The value of Preference-Applied, or empty. `wait` is applied where a ledger needs patience.
  std::string applied(bool heeds_patience) const;
  /// True if the answer shall not wait for the ledger.
  bool answer_early() const { return respond_async && !wait; }
  /// For Submission::patience: half a minute at most.
  std::optional<std::chrono::milliseconds> patience() const;
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
