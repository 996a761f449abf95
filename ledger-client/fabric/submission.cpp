#include "ledger-client/fabric/submission.h"

#include <utility>

#include "gateway/base/json.h"
#include "ledger-client/fabric/requests.h"

namespace flora::fabric {
namespace {

using outbox::Outcome;

constexpr const char* kNoSignature = "signer-unavailable";

using EndorseRound = Round<gateway::EndorseRequest, gateway::EndorseResponse>;
using SubmitRound = Round<gateway::SubmitRequest, gateway::SubmitResponse>;

}  // namespace

Result<Recorded> parse_recorded(std::string_view answer) {
  const Error none = {Errc::invalid, "the chaincode's answer is none"};
  json::Document document;
  if (!document.parse(answer) || !document.root().is(json::Kind::object)) return none;
  const auto repeated = document.root().find("repeated");
  const auto transaction = document.root().find("tx");
  if (!repeated || !repeated->is(json::Kind::boolean)) return none;
  if (!transaction || !transaction->is(json::Kind::string)) return none;
  if (!is_transaction_id(transaction->string())) return none;
  return Recorded{repeated->boolean(), std::string(transaction->string())};
}

void Submission::start(Core& core, outbox::Attempt attempt, Done done) {
  const Member* const member = core.signer_for(attempt.authority);
  if (member == nullptr) return done({Outcome::Kind::refused, "no-identity", {}});
  const std::shared_ptr<Submission> submission(
      new Submission(core, *member, std::move(attempt), std::move(done)));
  submission->sign_proposal();
}

Submission::Submission(Core& core, const Member& member, outbox::Attempt attempt, Done done)
    : core_(core),
      member_(member),
      attempt_(std::move(attempt)),
      done_(std::move(done)),
      call_{core.options.channel, core.options.chaincode, {std::string(kRecord), attempt_.body}},
      proposal_(make_proposal(call_, member.creator, attempt_.nonce, core.env.now_ms())) {}

void Submission::sign_proposal() {
  member_.signer->sign(proposal_.bytes, [self = shared_from_this()](Result<std::string> signature) {
    if (!signature) return self->end(Outcome::Kind::unavailable, kNoSignature);
    self->endorse(*signature);
  });
}

void Submission::endorse(const std::string& signature) {
  gateway::EndorseRequest request;
  request.set_transaction_id(proposal_.transaction);
  request.set_channel_id(call_.channel);
  request.mutable_proposed_transaction()->set_proposal_bytes(proposal_.bytes);
  request.mutable_proposed_transaction()->set_signature(signature);
  EndorseRound::start(core_,
                      {.method = &gateway::Gateway::Stub::AsyncEndorse,
                       .deadline = core_.options.deadlines.endorse,
                       .is_right = [self = shared_from_this()](
                                       const auto& response) { return self->is_right(response); },
                       .time_left = attempt_.time_left},
                      std::move(request), [self = shared_from_this()](Endorsed answer) {
                        self->on_endorsed(std::move(answer));
                      });
}

// What is signed must be what was asked for, whoever the peer is.
bool Submission::is_right(const gateway::EndorseResponse& response) const {
  const auto transaction = parse_transaction(response.prepared_transaction().payload());
  if (!transaction) return false;
  const auto recorded = parse_recorded(transaction->answer);
  if (!recorded) return false;
  return transaction->transaction == proposal_.transaction &&
         transaction->creator == member_.creator && transaction->channel == call_.channel &&
         transaction->chaincode == call_.chaincode && transaction->arguments == call_.arguments &&
         (recorded->repeated || recorded->transaction == proposal_.transaction);
}

void Submission::on_endorsed(Endorsed answer) {
  endpoint_ = answer.endpoint;
  if (!answer.response) {
    Failure& failure = answer.failure;
    if (failure.kind == Failure::Kind::duplicate) return ask_status();
    const bool is_refused = failure.kind == Failure::Kind::refused;
    return end(is_refused ? Outcome::Kind::refused : Outcome::Kind::unavailable,
               std::move(failure.reason));
  }
  gateway::Envelope& envelope = *answer.response->mutable_prepared_transaction();
  const auto transaction = parse_transaction(envelope.payload());
  Recorded recorded = parse_recorded(transaction.value().answer).value();
  if (recorded.repeated) {
    const bool repeated = recorded.transaction != proposal_.transaction;
    return done_({Outcome::Kind::committed, {}, std::move(recorded.transaction), repeated});
  }
  sign_envelope(std::move(envelope));
}

void Submission::sign_envelope(gateway::Envelope envelope) {
  std::string payload = envelope.payload();
  member_.signer->sign(std::move(payload),
                       [self = shared_from_this(),
                        envelope = std::move(envelope)](Result<std::string> signature) mutable {
                         if (!signature) return self->end(Outcome::Kind::unavailable, kNoSignature);
                         envelope.set_signature(*signature);
                         self->submit(std::move(envelope));
                       });
}

// The same envelope at another endpoint is counted once.
void Submission::submit(gateway::Envelope envelope) {
  gateway::SubmitRequest request;
  request.set_transaction_id(proposal_.transaction);
  request.set_channel_id(call_.channel);
  *request.mutable_prepared_transaction() = std::move(envelope);
  SubmitRound::start(core_,
                     {.method = &gateway::Gateway::Stub::AsyncSubmit,
                      .deadline = core_.options.deadlines.submit,
                      .first = endpoint_,
                      .time_left = attempt_.time_left},
                     std::move(request), [self = shared_from_this()](Submitted answer) {
                       self->on_submitted(std::move(answer));
                     });
}

void Submission::on_submitted(Submitted answer) {
  endpoint_ = answer.endpoint;
  if (answer.response) return ask_status();
  // Without an endpoint nobody was asked: it was not permitted any more.
  end(answer.endpoint ? Outcome::Kind::unknown : Outcome::Kind::unavailable,
      std::move(answer.failure.reason));
}

void Submission::ask_status() {
  fabric::ask_status(core_, member_, proposal_.transaction, endpoint_,
                     [self = shared_from_this()](auto answer) { self->on_status(answer); });
}

void Submission::on_status(Answer<gateway::CommitStatusResponse> answer) {
  if (!answer.response) return look_for_it(std::move(answer.failure.reason));
  Outcome outcome = outcome_of(answer.response->result(), proposal_.transaction);
  if (outcome.kind == Outcome::Kind::unknown) return look_for_it(std::move(outcome.reason));
  done_(std::move(outcome));
}

void Submission::look_for_it(std::string reason) {
  get(core_, attempt_.id,
      [self = shared_from_this(), reason = std::move(reason)](auto found) mutable {
        if (!found || !*found) return self->end(Outcome::Kind::unknown, std::move(reason));
        const bool repeated = (*found)->transaction != self->proposal_.transaction;
        self->done_({Outcome::Kind::committed, {}, std::move((*found)->transaction), repeated});
      });
}

void Submission::end(Outcome::Kind kind, std::string reason) {
  done_({kind, std::move(reason), {}});
}

}  // namespace flora::fabric
