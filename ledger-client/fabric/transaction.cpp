#include "ledger-client/fabric/transaction.h"

#include <wire.pb.h>

#include "gateway/base/crypto.h"
#include "ledger-client/fabric/proposal.h"

namespace flora::fabric {
namespace {

constexpr std::size_t kMostTransaction = std::size_t{4} << 20;
constexpr int kMostArguments = 16;
constexpr int kMostEndorsements = 64;
constexpr int kHeaderType = 3;
constexpr int kAgreed = 200;

Error no_transaction(std::string_view what) {
  return {Errc::invalid, "the transaction is none: " + std::string(what)};
}

// The library bounds nesting; sizes are bounded by that of the whole.
template <typename Message>
Result<Message> parse(std::string_view bytes, std::string_view name) {
  Message message;
  if (bytes.size() > kMostTransaction ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return no_transaction(name);
  }
  return message;
}

Result<void> read_headers(const gateway::Header& header, EndorsedTransaction& out) {
  FLORA_ASSIGN(const auto channel,
               parse<gateway::ChannelHeader>(header.channel_header(), "channel header"));
  FLORA_ASSIGN(const auto extension, parse<gateway::ChaincodeHeaderExtension>(
                                         channel.extension(), "channel header's extension"));
  FLORA_ASSIGN(const auto signature,
               parse<gateway::SignatureHeader>(header.signature_header(), "signature header"));
  if (channel.type() != kHeaderType) return no_transaction("it is of another type");
  if (channel.tx_id() != transaction_id(as_bytes(signature.nonce()), signature.creator())) {
    return no_transaction("its id is not that of its nonce and creator");
  }
  out.channel = channel.channel_id();
  out.transaction = channel.tx_id();
  out.chaincode = extension.chaincode_id().name();
  out.seconds = channel.timestamp().seconds();
  out.creator = signature.creator();
  return {};
}

Result<void> read_call(const std::string& proposal_payload, EndorsedTransaction& out) {
  FLORA_ASSIGN(const auto payload, parse<gateway::ChaincodeProposalPayload>(
                                       proposal_payload, "payload of the proposal"));
  FLORA_ASSIGN(const auto invocation,
               parse<gateway::ChaincodeInvocationSpec>(payload.input(), "invocation"));
  const gateway::ChaincodeSpec& spec = invocation.chaincode_spec();
  if (spec.chaincode_id().name() != out.chaincode)
    return no_transaction("two chaincodes are named");
  if (spec.input().args_size() > kMostArguments) return no_transaction("too many arguments");
  out.arguments.assign(spec.input().args().begin(), spec.input().args().end());
  return {};
}

Digest proposal_hash(const gateway::Header& header, const std::string& proposal_payload) {
  return crypto::sha256({as_bytes(header.channel_header()), as_bytes(header.signature_header()),
                         as_bytes(proposal_payload)});
}

Result<void> read_response(const gateway::Header& header,
                           const gateway::ChaincodeActionPayload& payload,
                           EndorsedTransaction& out) {
  const gateway::ChaincodeEndorsedAction& endorsed = payload.action();
  FLORA_ASSIGN(const auto response, parse<gateway::ProposalResponsePayload>(
                                        endorsed.proposal_response_payload(), "response"));
  if (response.proposal_hash() !=
      as_text(proposal_hash(header, payload.chaincode_proposal_payload()))) {
    return no_transaction("the response is to another proposal");
  }
  FLORA_ASSIGN(const auto action,
               parse<gateway::ChaincodeAction>(response.extension(), "the chaincode's action"));
  if (action.chaincode_id().name() != out.chaincode)
    return no_transaction("another chaincode answers");
  if (action.response().status() != kAgreed) return no_transaction("the chaincode did not agree");
  if (endorsed.endorsements_size() > kMostEndorsements)
    return no_transaction("too many endorsements");
  out.answer = action.response().payload();
  out.response = endorsed.proposal_response_payload();
  for (const gateway::Endorsement& one : endorsed.endorsements()) {
    out.endorsements.push_back({one.endorser(), one.signature()});
  }
  return {};
}

}  // namespace

Result<EndorsedTransaction> parse_transaction(std::string_view bytes) {
  FLORA_ASSIGN(const auto payload, parse<gateway::Payload>(bytes, "payload"));
  FLORA_ASSIGN(const auto transaction,
               parse<gateway::Transaction>(payload.data(), "list of actions"));
  if (transaction.actions_size() != 1) return no_transaction("it has not one action");
  const gateway::TransactionAction& action = transaction.actions(0);
  if (action.header() != payload.header().signature_header()) return no_transaction("two creators");
  FLORA_ASSIGN(const auto action_payload,
               parse<gateway::ChaincodeActionPayload>(action.payload(), "action"));
  EndorsedTransaction out;
  FLORA_TRY(read_headers(payload.header(), out));
  FLORA_TRY(read_call(action_payload.chaincode_proposal_payload(), out));
  FLORA_TRY(read_response(payload.header(), action_payload, out));
  return out;
}

Result<ParsedIdentity> parse_identity(std::string_view bytes) {
  FLORA_ASSIGN(const auto identity, parse<gateway::SerializedIdentity>(bytes, "identity"));
  return ParsedIdentity{identity.mspid(), identity.id_bytes()};
}

}  // namespace flora::fabric
