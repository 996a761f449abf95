// The signed requests of the gateway service, and their rounds.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ledger-client/fabric/core.h"
#include "ledger-client/fabric/proposal.h"
#include "ledger-client/fabric/round.h"

namespace flora::fabric {

/// Evaluates a chaincode's function, signed by the reader: the payload of its answer. A failure to
/// sign is one of kind `other`. `done` comes once, on a thread of the reactor or of the signer.
using EvaluateDone = std::function<void(Answer<std::string>)>;
void evaluate(Core& core, const Call& call, EvaluateDone done);

/// Asks for the commit of a transaction until the deadline, signed by `member`, at the endpoint
/// `first` first.
using StatusDone = std::function<void(Answer<gateway::CommitStatusResponse>)>;
void ask_status(Core& core, const Member& member, const std::string& transaction,
                std::optional<std::size_t> first, StatusDone done);

/// What the chaincode's `Get` has answered.
struct Found {
  std::string transaction;  ///< The network's id.
  std::string body;
};

/// Nothing: there is no such transaction of ours. Errors: corrupt (it is not what was asked for).
Result<std::optional<Found>> parse_found(std::string_view payload, const Uuid& id);

/// The entry of a transaction of ours. Errors: unavailable (with the reason), corrupt.
using FoundDone = std::function<void(Result<std::optional<Found>>)>;
void get(Core& core, const Uuid& id, FoundDone done);

}  // namespace flora::fabric
