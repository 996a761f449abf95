// The offline check of a transaction's endorsements: who has executed it and agreed, by the
// certificates of the organisations' CAs alone. It says that the organisations endorsed it, not
// that it was committed: that stands in blocks.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace flora::fabric {

struct Organisation {
  std::string msp_id;
  std::string ca_certificates;  ///< PEM, one or several.
  /// The organisational unit that its endorsers' certificates name (Fabric's NodeOUs): without it,
  /// who holds a client's key could endorse. Empty: any.
  std::string endorser_unit = "peer";
};

/// At least `least` different ones of `organisations` (MSP ids).
struct EndorsementPolicy {
  std::size_t least = 1;
  std::vector<std::string> organisations;
};

struct Signatory {
  std::string msp_id;
  std::string common_name;  ///< Of the subject of its certificate.
};

/// What the organisations have endorsed.
struct EndorsedCall {
  std::string channel;
  std::string transaction;  ///< The network's id.
  std::string chaincode;
  std::vector<std::string> arguments;  ///< The function's name, then the body.
  std::string answer;                  ///< Of the chaincode.
  Signatory creator;
  std::vector<Signatory> endorsers;
};

/// `envelope` is an Envelope (payload and signature) as it stands in a block. Every signature in it
/// must be good, low s, by a certificate that its own organisation's CA has issued and that was
/// valid at the time that the transaction states; one of an organisation that is not listed is a
/// failure, too. Revocations are not looked at. Thread-safe. Errors: invalid (what does not hold).
Result<EndorsedCall> verify_endorsement(std::string_view envelope,
                                        std::span<const Organisation> organisations,
                                        const EndorsementPolicy& policy);

}  // namespace flora::fabric
