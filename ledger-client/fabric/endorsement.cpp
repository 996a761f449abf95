#include "ledger-client/fabric/endorsement.h"

#include <wire.pb.h>

#include <algorithm>
#include <set>

#include "ledger-client/fabric/certificate.h"
#include "ledger-client/fabric/transaction.h"

namespace flora::fabric {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20;

Error no_proof(std::string_view what) { return {Errc::invalid, std::string(what)}; }

// Of one signature within the envelope.
struct Claim {
  std::string_view identity;
  std::string_view message;
  std::string_view signature;
  bool is_endorser = false;
};

// Who made the claim, if it holds.
Result<Signatory> check(const Claim& claim, std::span<const Organisation> organisations,
                        std::int64_t seconds) {
  FLORA_ASSIGN(ParsedIdentity identity, parse_identity(claim.identity));
  const auto organisation =
      std::ranges::find(organisations, identity.msp_id, &Organisation::msp_id);
  if (organisation == organisations.end()) return no_proof("the organisation is not known");
  FLORA_ASSIGN(const Authorities authorities, Authorities::parse(organisation->ca_certificates));
  FLORA_ASSIGN(const Certificate certificate, Certificate::parse(identity.certificate));
  if (!certificate.is_from(authorities, seconds)) {
    return no_proof("a certificate is not of its organisation");
  }
  const std::string& unit = organisation->endorser_unit;
  if (claim.is_endorser && !unit.empty() &&
      std::ranges::find(certificate.units(), unit) == certificate.units().end()) {
    return no_proof("an endorser's certificate is not for that");
  }
  if (!certificate.verifies(claim.message, claim.signature))
    return no_proof("a signature is wrong");
  return Signatory{std::move(identity.msp_id), certificate.common_name()};
}

bool holds(const EndorsementPolicy& policy, const std::vector<Signatory>& endorsers) {
  std::set<std::string_view> distinct;
  for (const Signatory& one : endorsers) {
    if (std::ranges::find(policy.organisations, one.msp_id) != policy.organisations.end()) {
      distinct.insert(one.msp_id);
    }
  }
  return policy.least > 0 && distinct.size() >= policy.least;
}

}  // namespace

Result<EndorsedCall> verify_endorsement(std::string_view bytes,
                                        std::span<const Organisation> organisations,
                                        const EndorsementPolicy& policy) {
  gateway::Envelope envelope;
  if (bytes.size() > kMostBytes ||
      !envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return no_proof("it is no envelope");
  }
  FLORA_ASSIGN(EndorsedTransaction transaction, parse_transaction(envelope.payload()));
  EndorsedCall call;
  FLORA_ASSIGN(call.creator,
               check({transaction.creator, envelope.payload(), envelope.signature(), false},
                     organisations, transaction.seconds));
  for (const EndorsedTransaction::Endorsement& one : transaction.endorsements) {
    const std::string message = transaction.response + one.identity;
    FLORA_ASSIGN(Signatory endorser, check({one.identity, message, one.signature, true},
                                           organisations, transaction.seconds));
    call.endorsers.push_back(std::move(endorser));
  }
  if (!holds(policy, call.endorsers)) return no_proof("too few organisations have endorsed it");
  call.channel = std::move(transaction.channel);
  call.transaction = std::move(transaction.transaction);
  call.chaincode = std::move(transaction.chaincode);
  call.arguments = std::move(transaction.arguments);
  call.answer = std::move(transaction.answer);
  return call;
}

}  // namespace flora::fabric
