#include "gateway/model/problem.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "gateway/base/json.h"

namespace flora {
namespace {

constexpr std::size_t kMaxCauses = 64;

constexpr ProblemKind kKinds[] = {
    {"idempotency-key-malformed", 400, "The Idempotency-Key is malformed",
     "The field must hold one quoted string of 1 to 255 visible characters (RFC 8941)."},
    {"idempotency-key-not-allowed", 400, "An Idempotency-Key is not possible here",
     "Only single status events take the field. The items of batches, streams and native messages "
     "are idempotent by their own source and id: send them again as they are."},
    {"malformed-json", 400, "The body is not JSON",
     "The text breaks RFC 8259 or I-JSON at the given line and column: a syntax error, a member "
     "name that occurs twice, ill-formed UTF-8, or nesting that is too deep."},
    {"malformed-request", 400, "The request is malformed",
     "The request breaks the syntax of HTTP, or a parameter or header field is not as the OpenAPI "
     "document says. Requests that another server could read differently are refused."},
    {"unauthenticated", 401, "The caller is not known",
     "The request needs a client certificate that the policy lists, an access token where the "
     "gateway takes them or, with a development gateway on the loopback interface, the field "
     "Flora-Dev-Authority. WWW-Authenticate says what is wrong with a token."},
    {"not-permitted", 403, "The caller may not do this",
     "The role of the caller's authority, or the duty of its client, does not allow this "
     "operation."},
    {"not-your-authority", 403, "The reporter is not the caller's authority",
     "The event names a reporting authority that this client may not act for."},
    {"not-your-status", 403, "This authority does not report this status",
     "The status catalogue lists the roles that may report each status: see GET /v1/statuses."},
    {"not-committed-yet", 404, "The transaction is not committed yet",
     "It is stored durably and will be committed. Ask again after the time in Retry-After."},
    {"not-found", 404, "There is nothing here",
     "There is no such object, or it is not in the caller's competence: both are answered alike."},
    {"method-not-allowed", 405, "The method is not possible here",
     "The field Allow lists the methods that are."},
    {"not-acceptable", 406, "No acceptable form",
     "The answer cannot be given in a media type that the field Accept allows."},
    {"request-timeout", 408, "The request took too long",
     "The request did not arrive completely in the time that is allowed."},
    {"event-conflict", 409, "The event was reported with another content",
     "An event with this source and id was accepted before, and its content differs. To change a "
     "report, send a new event that corrects it."},
    {"idempotency-key-in-flight", 409, "The first request with this key is still under way",
     "Wait for its answer, or send the request again later."},
    {"nothing-to-retry", 409, "The ledger has not refused this transaction",
     "It is committed, on its way, or being tried again already."},
    {"content-too-large", 413, "The body is too large",
     "The OpenAPI document gives the limits. Many events are sent as a stream (NDJSON)."},
    {"uri-too-long", 414, "The request target is too long", "The request line is bounded."},
    {"unsupported-media-type", 415, "The media type is not taken here",
     "The field Accept lists the media types that are."},
    {"expectation-failed", 417, "The expectation is not known",
     "Only Expect: 100-continue is understood."},
    {"idempotency-key-reused", 422, "The key was used with another request",
     "An Idempotency-Key belongs to one request. Take a new key for another one."},
    {"identifier-ambiguous", 422, "The identifier does not name one procedure",
     "A BAMF-Aktenzeichen names a file that several procedures share here. Add an identifier of "
     "the "
     "person, such as the AZR number."},
    {"identifier-conflict", 422, "The identifiers name different procedures",
     "Identifiers of one event lead to more than one procedure. Nothing was written. Procedures "
     "are "
     "joined by VERFAHREN_ZUSAMMENGEFUEHRT only."},
    {"identifier-malformed", 422, "An identifier has not the form of its type",
     "The value does not have the form that its type prescribes."},
    {"merge-with-itself", 422, "A procedure cannot be joined to itself",
     "The event names the same procedure twice."},
    {"message-rejected", 422, "The message was rejected",
     "The adapter could not read the message as a whole. Each cause gives its line and column in "
     "the message as it was sent."},
    {"procedure-unknown", 422, "The procedure is not known",
     "No procedure has this pseudonym. Name the procedure by identifiers instead."},
    {"reference-cycle", 422, "The event would correct itself",
     "The chain of corrections leads back to this event, or is too long to follow (1000)."},
    {"reference-mismatch", 422, "The event that is referred to does not fit",
     "A correction or revocation is about the procedure of the event that it refers to, and a "
     "revocation repeats its status; only a merge of procedures corrects one. The event that came "
     "last does not fit those that are here."},
    {"reference-unknown", 422, "The event that is referred to is not known",
     "There is no such transaction, or it is another authority's: both are answered alike. Only "
     "the "
     "reporting authority or the BAMF may correct."},
    {"refused-by-ledger", 422, "The ledger does not take this transaction",
     "The network's members have refused it, so that the same try again is of no use before the "
     "cause "
     "is mended: not-entitled, the organisation may not report for the authority; invalid, the "
     "members know another catalogue or policy; endorsement-policy-failure, too few of them "
     "agreed. "
     "POST /v1/transactions/{id}/retry tries again."},
    {"validation-failed", 422, "The content breaks a rule",
     "Each cause names the place and the rule of the OpenAPI document that is broken."},
    {"quota-exceeded", 429, "A rate is exceeded",
     "The authority, or the address of a caller that is not known, has used up what the policy "
     "allows. Nothing was written. violated-policies names the rate as RateLimit-Policy does: "
     "requests; events (each event of a batch or message counts); streams (that are under way at "
     "the same time); anonymous (requests of one address that are nobody's); or identifiers: the "
     "client has searched for too many different ones. Send the same again after the time in "
     "Retry-After. The kind is of draft-ietf-httpapi-ratelimit-headers.",
     true},
    {"header-fields-too-large", 431, "The header is too large",
     "The header fields are bounded, each and together."},
    {"internal-error", 500, "The gateway failed",
     "This is a fault of the gateway. Whether something was written is not known: send the same "
     "event again, it is never recorded twice."},
    {"not-implemented", 501, "The method is not known", "The gateway does not know this method."},
    {"not-ready", 503, "The gateway is not ready", "A part that the gateway needs is down."},
    {"outcome-unknown", 503, "The outcome is not known",
     "The disk failed while the event was written. Send the same event again, it is never recorded "
     "twice."},
    {"temporary-reduced-capacity", 503, "Too much is waiting",
     "A bound of the gateway's memory or of one of its queues is reached. Nothing was written. "
     "Send "
     "the same again after the time in Retry-After. The kind is of "
     "draft-ietf-httpapi-ratelimit-headers.",
     true},
    {"unavailable", 503, "The storage does not answer",
     "Nothing was written. Send the same again after the time in Retry-After."},
    {"gateway-timeout", 504, "The answer took too long",
     "Whether something was written is not known: send the same event again."},
    {"version-not-supported", 505, "The HTTP version is not supported",
     "HTTP/1.1 and HTTP/1.0 are understood."},
};

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "" : ",";
  json::append_string(out, name);
  out += ':';
  json::append_string(out, value);
}

void append_number(std::string& out, std::string_view name, int value) {
  out += out.back() == '{' ? "" : ",";
  json::append_string(out, name);
  out += ':';
  out += std::to_string(value);
}

}  // namespace

std::span<const ProblemKind> problem_kinds() { return kKinds; }

std::string type_of(const ProblemKind& kind) {
  const std::string_view base =
      kind.is_registered ? "https://iana.org/assignments/http-problem-types#" : "/problems/";
  return std::string(base) + std::string(kind.name);
}

const ProblemKind* find_problem_kind(std::string_view name) {
  const auto* const at = std::ranges::find(kKinds, name, &ProblemKind::name);
  return at == std::end(kKinds) ? nullptr : at;
}

int Problem::status() const {
  const ProblemKind* kind = find_problem_kind(name);
  if (kind == nullptr) std::abort();  // Every name in the source is in the list; a test holds that.
  return kind->status;
}

void append_json(std::string& out, const ProblemCause& cause) {
  out += '{';
  if (cause.has_pointer) append_member(out, "pointer", cause.pointer);
  if (cause.line > 0) append_number(out, "line", cause.line);
  if (cause.column > 0) append_number(out, "column", cause.column);
  if (!cause.path.empty()) append_member(out, "path", cause.path);
  if (!cause.rule.empty()) append_member(out, "rule", cause.rule);
  append_member(out, "code", cause.code);
  append_member(out, "detail", cause.detail);
  out += '}';
}

void append_json(std::string& out, const Problem& problem) {
  const ProblemKind* kind = find_problem_kind(problem.name);
  if (kind == nullptr) std::abort();
  out += '{';
  append_member(out, "type", type_of(*kind));
  append_member(out, "title", kind->title);
  append_number(out, "status", kind->status);
  if (!problem.detail.empty()) append_member(out, "detail", problem.detail);
  if (!problem.violated_policy.empty()) {
    out += ",\"violated-policies\":[";
    json::append_string(out, problem.violated_policy);
    out += ']';
  }
  if (!problem.causes.empty()) {
    out += ",\"errors\":[";
    for (std::size_t i = 0; i < std::min(problem.causes.size(), kMaxCauses); ++i) {
      if (i > 0) out += ',';
      append_json(out, problem.causes[i]);
    }
    out += ']';
  }
  out += '}';
}

}  // namespace flora
