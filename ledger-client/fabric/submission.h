// One try to record one transaction: endorse, check what is to be signed, submit, wait for the
// commit; and what becomes of it when one of these fails.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ledger-client/fabric/core.h"
#include "ledger-client/fabric/proposal.h"
#include "ledger-client/fabric/round.h"
#include "ledger-client/fabric/transaction.h"

namespace flora::fabric {

/// What the chaincode's `Record` has answered.
struct Recorded {
  bool repeated = false;    ///< It was recorded before,
  std::string transaction;  ///< by this transaction of the network.
};
/// Errors: invalid.
Result<Recorded> parse_recorded(std::string_view answer);

/// Alive until it has called `done`, on a thread of the reactor or of the signer.
class Submission final : public std::enable_shared_from_this<Submission> {
 public:
  using Done = std::function<void(outbox::Outcome)>;
  static void start(Core& core, outbox::Attempt attempt, Done done);

 private:
  using Endorsed = Answer<gateway::EndorseResponse>;
  using Submitted = Answer<gateway::SubmitResponse>;

  Submission(Core& core, const Member& member, outbox::Attempt attempt, Done done);

  void sign_proposal();
  void endorse(const std::string& signature);
  bool is_right(const gateway::EndorseResponse& response) const;
  void on_endorsed(Endorsed answer);
  void sign_envelope(gateway::Envelope envelope);
  void submit(gateway::Envelope envelope);
  void on_submitted(Submitted answer);
  void ask_status();
  void on_status(Answer<gateway::CommitStatusResponse> answer);
  void look_for_it(std::string reason);
  void end(outbox::Outcome::Kind kind, std::string reason);

  Core& core_;
  const Member& member_;
  const outbox::Attempt attempt_;
  Done done_;
  Call call_;
  Proposal proposal_;
  std::optional<std::size_t> endpoint_;  // That has answered last.
};

}  // namespace flora::fabric
