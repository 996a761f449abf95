#include "ledger-client/fabric/requests.h"

#include <algorithm>
#include <utility>

#include "gateway/base/json.h"

namespace flora::fabric {
namespace {

constexpr std::int32_t kOk = 200;
constexpr const char* kNotSigned = "signer-unavailable";
constexpr std::size_t kMostBody = std::size_t{1} << 20;

using EvaluateRound = Round<gateway::EvaluateRequest, gateway::EvaluateResponse>;
using StatusRound = Round<gateway::SignedRequest, gateway::CommitStatusResponse>;

template <typename Response>
Answer<Response> not_signed() {
  return {.failure = {Failure::Kind::other, kNotSigned}};
}

void send_evaluate(Core& core, gateway::EvaluateRequest request, EvaluateDone done) {
  EvaluateRound::start(
      core,
      {.method = &gateway::Gateway::Stub::AsyncEvaluate,
       .deadline = core.options.deadlines.evaluate,
       .is_right =
           [](const gateway::EvaluateResponse& response) {
             return response.result().status() == kOk;
           }},
      std::move(request), [done = std::move(done)](Answer<gateway::EvaluateResponse> answer) {
        Answer<std::string> out{.failure = std::move(answer.failure), .endpoint = answer.endpoint};
        if (answer.response) out.response = answer.response->result().payload();
        done(std::move(out));
      });
}

void send_status(Core& core, gateway::SignedRequest request, std::optional<std::size_t> first,
                 StatusDone done) {
  StatusRound::start(core,
                     {.method = &gateway::Gateway::Stub::AsyncCommitStatus,
                      .deadline = core.options.deadlines.commit_status,
                      .first = first,
                      .waits_for_commit = true},
                     std::move(request), std::move(done));
}

}  // namespace

void evaluate(Core& core, const Call& call, EvaluateDone done) {
  outbox::Nonce nonce;
  core.env.random(nonce);
  const Member& member = core.reader();
  Proposal proposal = make_proposal(call, member.creator, nonce, core.env.now_ms());
  gateway::EvaluateRequest request;
  request.set_transaction_id(proposal.transaction);
  request.set_channel_id(call.channel);
  request.mutable_proposed_transaction()->set_proposal_bytes(proposal.bytes);
  member.signer->sign(std::move(proposal.bytes),
                      [&core, request = std::move(request),
                       done = std::move(done)](Result<std::string> signature) mutable {
                        if (!signature) return done(not_signed<std::string>());
                        request.mutable_proposed_transaction()->set_signature(*signature);
                        send_evaluate(core, std::move(request), std::move(done));
                      });
}

void ask_status(Core& core, const Member& member, const std::string& transaction,
                std::optional<std::size_t> first, StatusDone done) {
  gateway::CommitStatusRequest asked;
  asked.set_transaction_id(transaction);
  asked.set_channel_id(core.options.channel);
  asked.set_identity(member.creator);
  gateway::SignedRequest request;
  request.set_request(asked.SerializeAsString());
  std::string bytes = request.request();
  member.signer->sign(std::move(bytes),
                      [&core, first, request = std::move(request),
                       done = std::move(done)](Result<std::string> signature) mutable {
                        if (!signature) return done(not_signed<gateway::CommitStatusResponse>());
                        request.set_signature(*signature);
                        send_status(core, std::move(request), first, std::move(done));
                      });
}

namespace {

std::optional<std::string_view> text_member(const json::Value& object, std::string_view name) {
  const std::optional<json::Value> member = object.find(name);
  if (!member || !member->is(json::Kind::string)) return std::nullopt;
  return member->string();
}

bool has_id(std::string_view body, const Uuid& id) {
  json::Document document;
  if (!document.parse(body, {.bytes = kMostBody}) || !document.root().is(json::Kind::object)) {
    return false;
  }
  return text_member(document.root(), "id") == to_string(id);
}

}  // namespace

Result<std::optional<Found>> parse_found(std::string_view payload, const Uuid& id) {
  if (payload.empty()) return std::optional<Found>();
  json::Document document;
  if (document.parse(payload, {.bytes = 2 * kMostBody}) && document.root().is(json::Kind::object)) {
    const auto body = text_member(document.root(), "body");
    const auto transaction = text_member(document.root(), "tx");
    if (body && transaction && is_transaction_id(*transaction) && has_id(*body, id)) {
      return std::optional<Found>({std::string(*transaction), std::string(*body)});
    }
  }
  return Error{Errc::corrupt, "the chaincode's answer is not the entry that was asked for"};
}

void get(Core& core, const Uuid& id, FoundDone done) {
  const Call call = {
      core.options.channel, core.options.chaincode, {std::string(kGet), to_string(id)}};
  evaluate(core, call, [id, done = std::move(done)](Answer<std::string> answer) {
    if (!answer.response) {
      return done(Error{Errc::unavailable, std::move(answer.failure.reason)});
    }
    done(parse_found(*answer.response, id));
  });
}

}  // namespace flora::fabric
