#include "gateway/api/admission.h"

#include <algorithm>
#include <array>
#include <set>

#include "gateway/api/call.h"
#include "gateway/policy/decision.h"

namespace flora::api {
namespace {

using In = openapi::Parameter::In;

constexpr std::size_t kEventBytes = 1 << 20;
constexpr std::size_t kBatchBytes = 8 << 20;
constexpr std::size_t kShortMessageBytes = 64 << 10;

constexpr std::array<std::string_view, 10> kMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"};

constexpr std::string_view kBearer = "bearer";
constexpr std::string_view kRealm = "Bearer realm=\"flora\"";

// What stands behind the scheme Bearer (RFC 6750 §2.1). Empty: another scheme, or nothing behind
// it.
std::string_view bearer_of(std::string_view authorization) {
  const std::size_t end = std::min(authorization.find(' '), authorization.size());
  const bool is_bearer = std::ranges::equal(authorization.substr(0, end), kBearer, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
  });
  const std::size_t begin = authorization.find_first_not_of(' ', end);
  return is_bearer && begin != authorization.npos ? authorization.substr(begin)
                                                  : std::string_view();
}

// As the policy writes them: upper and lower case are the same in the name of a host.
std::vector<std::string> names_of(const http::ClientCertificate& certificate) {
  std::vector<std::string> names;
  for (const std::string& san : certificate.sans) {
    if (san.starts_with("URI:")) names.push_back("uri:" + san.substr(4));
    if (!san.starts_with("DNS:")) continue;
    std::string name = san;
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    names.push_back(std::move(name));
  }
  return names;
}

// All but the token.
policy::Credentials credentials_of(const http::RequestHead& head) {
  policy::Credentials shown;
  if (const auto& certificate = head.peer.certificate) {
    shown.certificate_sha256 = certificate->fingerprint_sha256;
    shown.certificate_names = names_of(*certificate);
  }
  if (const auto header = head.find("flora-dev-authority")) {
    shown.development_header = std::string(*header);
  }
  return shown;
}

bool refuse(Verdict& verdict, std::string_view name) {
  verdict.problem = Problem{name, {}, {}};
  return false;
}

void add_cause(Verdict& verdict, std::string_view kind, std::string_view name,
               std::string_view code, std::string detail) {
  if (!verdict.problem) verdict.problem = Problem{"malformed-request", {}, {}};
  ProblemCause cause;
  cause.code = code;
  cause.detail = std::move(detail);
  cause.pointer = std::string(kind) + ' ' + std::string(name);
  cause.has_pointer = true;
  verdict.problem->causes.push_back(std::move(cause));
}

void check_text(Verdict& verdict, std::string_view kind, const openapi::Parameter& parameter,
                std::string_view text) {
  std::vector<openapi::Violation> violations;
  if (parameter.schema.validate_text(text, violations)) return;
  for (openapi::Violation& violation : violations) {
    add_cause(verdict, kind, parameter.name, violation.rule, std::move(violation.detail));
  }
}

void check_query(Verdict& verdict, const openapi::Operation& operation, std::string_view query) {
  std::set<std::string_view> seen;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const openapi::Parameter* parameter = operation.parameter(In::query, name);
    if (parameter == nullptr) {
      // The name is the client's text: it is not repeated.
      add_cause(verdict, "query", "", "unknown", "The operation has no such parameter.");
      continue;
    }
    if (!seen.insert(parameter->name).second) {
      add_cause(verdict, "query", parameter->name, "duplicate", "The parameter occurs twice.");
      continue;
    }
    const auto value =
        percent_decode(equals == part.npos ? std::string_view() : part.substr(equals + 1));
    if (!value) {
      add_cause(verdict, "query", parameter->name, "encoding", "The percent-encoding is broken.");
      continue;
    }
    check_text(verdict, "query", *parameter, *value);
  }
  for (const openapi::Parameter& parameter : operation.parameters) {
    if (parameter.in != In::query || !parameter.required || seen.contains(parameter.name)) continue;
    add_cause(verdict, "query", parameter.name, "required", "The parameter is missing.");
  }
}

std::string media_types(const openapi::Operation& operation) {
  std::string out;
  for (const openapi::MediaType& body : operation.bodies) {
    out += (out.empty() ? "" : ", ") + body.name;
  }
  return out;
}

}  // namespace

bool takes_message(const openapi::Operation& operation) {
  return operation.id == kSubmitMessage || operation.id == kTranslateMessage;
}

bool is_streamed(const Verdict& verdict, const http::RequestHead& head) {
  if (!takes_message(*verdict.match.operation)) return verdict.media_type == kLines;
  return head.has_body && head.content_length.value_or(kShortMessageBytes + 1) > kShortMessageBytes;
}

std::size_t body_limit(const openapi::Operation& operation, std::string_view media_type) {
  if (operation.bodies.empty()) return 0;
  if (takes_message(operation)) return kShortMessageBytes;
  return media_type == "application/cloudevents-batch+json" ? kBatchBytes : kEventBytes;
}

http::Response refusal_of(const Verdict& verdict) {
  http::Response response = problem_response(*verdict.problem);
  response.headers.insert(response.headers.end(), verdict.headers.begin(), verdict.headers.end());
  return response;
}

Verdict Admission::examine(const http::RequestHead& head) const {
  Verdict verdict;
  (void)(route(head, verdict) && authenticate(head, verdict) && check_body(head, verdict) &&
         check_accept(head, verdict) && check_parameters(head, verdict));
  return verdict;
}

bool Admission::route(const http::RequestHead& head, Verdict& verdict) const {
  if (std::ranges::find(kMethods, head.method) == kMethods.end()) {
    return refuse(verdict, "not-implemented");
  }
  verdict.match = document_.match(listener_, head.method, head.path);
  switch (verdict.match.outcome) {
    case openapi::Match::Outcome::found:
      return true;
    case openapi::Match::Outcome::not_found:
      return refuse(verdict, "not-found");
    case openapi::Match::Outcome::malformed:
      return refuse(verdict, "malformed-request");
    case openapi::Match::Outcome::method_not_allowed:
      verdict.headers.push_back({"allow", verdict.match.allow});
      return refuse(verdict, "method-not-allowed");
  }
  return refuse(verdict, "internal-error");
}

bool Admission::authenticate(const http::RequestHead& head, Verdict& verdict) const {
  if (verdict.match.operation->access == openapi::Access::open) return true;
  policy::Credentials shown = credentials_of(head);
  if (head.find("authorization") && !read_token(head, shown, verdict)) return false;
  // The header counts on loopback only, whatever the listeners are.
  const auto policy = policy_.get();
  verdict.caller =
      policy->authenticate(shown, authentication_.development_header && head.peer.loopback);
  if (!verdict.caller && shown.token) {
    return refuse_token(verdict, "invalid_token",
                        "The policy knows no client that token and certificate agree on");
  }
  if (!verdict.caller) return refuse_stranger(verdict, {});
  const std::string& operation = verdict.match.operation->id;
  if (policy::opens(verdict.caller->duty, operation)) return true;
  refuse(verdict, "not-permitted");
  verdict.problem->detail = policy::explain(*policy, *verdict.caller, operation, {});
  return false;
}

// The field decides, whatever else is shown: what is wrong with it is not made good by another
// credential.
bool Admission::read_token(const http::RequestHead& head, policy::Credentials& shown,
                           Verdict& verdict) const {
  if (authentication_.tokens == nullptr) {
    return refuse_stranger(verdict, "This gateway takes no access tokens.");
  }
  const auto fields = head.find_all("authorization");
  if (fields.size() > 1) {
    return refuse_token(verdict, "invalid_request", "Authorization stands there more than once");
  }
  const std::string_view token = bearer_of(fields.front());
  if (token.empty()) return refuse_stranger(verdict, "Authorization holds no Bearer token.");
  const auto outcome = authentication_.tokens->examine(token, shown.certificate_sha256);
  if (const auto* good = std::get_if<auth::AccessToken>(&outcome)) {
    shown.token = policy::Token{good->client_id, good->end_s};
    return true;
  }
  const auth::Fault fault = std::get<auth::Fault>(outcome);
  if (fault != auth::Fault::no_keys) {
    return refuse_token(verdict, "invalid_token", auth::description(fault));
  }
  refuse(verdict, "not-ready");
  verdict.problem->detail = std::string(auth::description(fault)) + '.';
  return false;
}

// RFC 6750 §3. Neither text holds a quotation mark.
bool Admission::refuse_token(Verdict& verdict, std::string_view error, std::string_view why) const {
  refuse(verdict, "unauthenticated");
  verdict.problem->detail = std::string(why) + '.';
  std::string challenge(kRealm);
  challenge.append(", error=\"").append(error).append("\", error_description=\"");
  verdict.headers.push_back({"www-authenticate", challenge.append(why) + '"'});
  return false;
}

// Without an error: no token has come.
bool Admission::refuse_stranger(Verdict& verdict, std::string_view why) const {
  refuse(verdict, "unauthenticated");
  verdict.problem->detail = why;
  if (authentication_.tokens != nullptr) {
    verdict.headers.push_back({"www-authenticate", std::string(kRealm)});
  }
  return false;
}

bool Admission::check_body(const http::RequestHead& head, Verdict& verdict) const {
  const openapi::Operation& operation = *verdict.match.operation;
  if (operation.bodies.empty()) {
    if (!head.has_body || head.content_length == 0) return true;
    refuse(verdict, "malformed-request");
    verdict.problem->detail = "The operation takes no body.";
    return false;
  }
  const auto codings = head.find_all("content-encoding");
  const bool coded = std::ranges::any_of(codings, [](auto one) { return one != "identity"; });
  const auto fields = head.find_all("content-type");
  if (fields.size() == 1) verdict.media_type = media_type_of(fields.front());
  if (!coded && operation.body(verdict.media_type) != nullptr) return true;
  verdict.headers.push_back({"accept", media_types(operation)});
  refuse(verdict, "unsupported-media-type");
  if (coded) {
    verdict.headers.push_back({"accept-encoding", "identity"});
    verdict.problem->detail = "The body must have no content coding.";
  }
  return false;
}

bool Admission::check_accept(const http::RequestHead& head, Verdict& verdict) const {
  const openapi::Operation& operation = *verdict.match.operation;
  // A stream is answered as a stream, a native message in either form, everything else in the
  // operation's first form.
  const bool stream = verdict.media_type == kLines;
  for (const openapi::Response& response : operation.responses) {
    if (response.status < 200 || response.status > 299 || response.content.empty()) continue;
    const std::string_view type = stream ? kLines : response.content.front().name;
    const bool acceptable =
        accepts(head, type) || (takes_message(operation) && accepts(head, kLines));
    return acceptable ? true : refuse(verdict, "not-acceptable");
  }
  return true;
}

bool Admission::check_parameters(const http::RequestHead& head, Verdict& verdict) const {
  const openapi::Operation& operation = *verdict.match.operation;
  for (const openapi::Parameter& parameter : operation.parameters) {
    if (parameter.in == In::path) {
      // A path that names nothing possible names nothing: there is no such object.
      std::vector<openapi::Violation> ignored;
      const std::string_view value = verdict.match.value(parameter.name);
      if (!parameter.schema.validate_text(value, ignored)) return refuse(verdict, "not-found");
    }
    if (parameter.in != In::header) continue;
    const auto fields = head.find_all(parameter.name);
    const bool single = parameter.name != "prefer" && parameter.name != "if-none-match";
    if (fields.size() > 1 && single) {
      add_cause(verdict, "header", parameter.name, "duplicate", "The field occurs twice.");
    }
    if (fields.empty() && parameter.required) {
      add_cause(verdict, "header", parameter.name, "required", "The field is missing.");
    }
    for (const std::string_view field : fields) check_text(verdict, "header", parameter, field);
  }
  check_query(verdict, operation, head.query);
  if (!verdict.problem) return true;
  const auto& causes = verdict.problem->causes;
  const bool only_key = std::ranges::all_of(
      causes, [](const ProblemCause& c) { return c.pointer == "header idempotency-key"; });
  if (only_key) verdict.problem->name = "idempotency-key-malformed";
  return false;
}

}  // namespace flora::api
