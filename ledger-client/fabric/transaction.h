// An endorsed transaction of a foreign peer, taken apart and held against itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace flora::fabric {

/// Each value in its own bytes.
struct EndorsedTransaction {
  std::string channel;
  std::string transaction;  ///< Its id.
  std::string chaincode;
  std::vector<std::string> arguments;  ///< The function's name first.
  std::string answer;                  ///< Of the chaincode; its status is 200.
  std::int64_t seconds = 0;            ///< Since the epoch, as its creator says.
  std::string creator;
  std::string response;  ///< Signed by each endorser, together with its own identity.
  struct Endorsement {
    std::string identity;
    std::string signature;
  };
  std::vector<Endorsement> endorsements;
};

/// From the payload of an envelope, of at most 4 MiB. Holds of what is given back: the id is that
/// of nonce and creator; all places name one channel header, one creator and one chaincode; the
/// response is to this proposal (by its hash). No signature is looked at. Errors: invalid.
Result<EndorsedTransaction> parse_transaction(std::string_view payload);

/// Msp id and certificate (PEM) of a serialised identity. Errors: invalid.
struct ParsedIdentity {
  std::string msp_id;
  std::string certificate;
};
Result<ParsedIdentity> parse_identity(std::string_view bytes);

}  // namespace flora::fabric
