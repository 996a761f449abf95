// What a peer's refusal of a call means: the one place that reads gRPC codes, Fabric's texts and
// its validation codes. Texts are looked at for words that are known, and go no further.
#pragma once

#include <cstdint>
#include <string>

#include "ledger-client/outbox/remote_network.h"

namespace grpc {
class Status;
}

namespace flora::fabric {

struct Failure {
  enum class Kind : std::uint8_t {
    refused,    ///< By the chaincode, in one of its closed words: another try changes nothing.
    duplicate,  ///< A transaction of this id is committed already, validly or not.
    absent,     ///< There is no such transaction.
    endpoint,   ///< The endpoint does not answer.
    late,       ///< It did not within the deadline.
    other,      ///< Neither: it may go at another endpoint, or at another time.
  };
  Kind kind = Kind::other;
  std::string reason;  ///< As Outcome::reason.
};

/// Of a call that did not succeed.
Failure failure_of(const grpc::Status& status);

/// What a validation code (Fabric's TxValidationCode) of `transaction` means. `unknown` for the
/// codes that say nothing about the first transaction of that id.
outbox::Outcome outcome_of(std::int32_t validation_code, const std::string& transaction);

}  // namespace flora::fabric
