#include "ledger-client/fabric/proposal.h"

#include <wire.pb.h>

#include "gateway/base/crypto.h"

namespace flora::fabric {
namespace {

constexpr int kEndorserTransaction = 3;  // Fabric's HeaderType.
constexpr int kGolang = 1;               // The type of a chaincode; a peer asks nobody else's.

std::string channel_header(const Call& call, const std::string& transaction, std::int64_t now_ms) {
  gateway::ChaincodeHeaderExtension extension;
  extension.mutable_chaincode_id()->set_name(call.chaincode);
  gateway::ChannelHeader header;
  header.set_type(kEndorserTransaction);
  header.mutable_timestamp()->set_seconds(now_ms / 1000);
  header.mutable_timestamp()->set_nanos(static_cast<std::int32_t>(now_ms % 1000 * 1'000'000));
  header.set_channel_id(call.channel);
  header.set_tx_id(transaction);
  header.set_extension(extension.SerializeAsString());
  return header.SerializeAsString();
}

std::string payload(const Call& call) {
  gateway::ChaincodeInvocationSpec invocation;
  gateway::ChaincodeSpec& spec = *invocation.mutable_chaincode_spec();
  spec.set_type(kGolang);
  spec.mutable_chaincode_id()->set_name(call.chaincode);
  for (const std::string& one : call.arguments) spec.mutable_input()->add_args(one);
  gateway::ChaincodeProposalPayload out;
  out.set_input(invocation.SerializeAsString());
  return out.SerializeAsString();
}

}  // namespace

std::string identity_bytes(std::string_view msp_id, std::string_view certificate) {
  gateway::SerializedIdentity identity;
  identity.set_mspid(std::string(msp_id));
  identity.set_id_bytes(std::string(certificate));
  return identity.SerializeAsString();
}

std::string transaction_id(std::span<const std::byte> nonce, std::string_view creator) {
  return to_hex(crypto::sha256({nonce, as_bytes(creator)}));
}

bool is_transaction_id(std::string_view text) {
  constexpr std::size_t kDigits = 2 * sizeof(Digest);
  return text.size() == kDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Proposal make_proposal(const Call& call, const std::string& creator, const outbox::Nonce& nonce,
                       std::int64_t now_ms) {
  Proposal proposal;
  proposal.transaction = transaction_id(nonce, creator);
  gateway::SignatureHeader signature_header;
  signature_header.set_creator(creator);
  signature_header.set_nonce(std::string(as_text(nonce)));
  gateway::Header header;
  header.set_channel_header(channel_header(call, proposal.transaction, now_ms));
  header.set_signature_header(signature_header.SerializeAsString());
  gateway::Proposal out;
  out.set_header(header.SerializeAsString());
  out.set_payload(payload(call));
  proposal.bytes = out.SerializeAsString();
  return proposal;
}

}  // namespace flora::fabric
