// What a client says to a chaincode, as bytes: identity, transaction id, proposal.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger-client/outbox/remote_network.h"

namespace flora::fabric {

/// The chaincode's functions, and the event that it emits with each recorded body.
inline constexpr std::string_view kRecord = "Record";    ///< (body)
inline constexpr std::string_view kGet = "Get";          ///< (id of our transaction)
inline constexpr std::string_view kHistory = "History";  ///< (procedure)
inline constexpr std::string_view kRecorded = "recorded";

/// The serialised identity ("creator") of a certificate in PEM.
std::string identity_bytes(std::string_view msp_id, std::string_view certificate);

/// Hexadecimal SHA-256 of nonce and creator, in lower case.
std::string transaction_id(std::span<const std::byte> nonce, std::string_view creator);

/// True for 64 hexadecimal digits in lower case.
bool is_transaction_id(std::string_view text);

/// One call of a chaincode's function.
struct Call {
  std::string channel;
  std::string chaincode;
  std::vector<std::string> arguments;  ///< The function's name first.
};

struct Proposal {
  std::string transaction;  ///< Its id.
  std::string bytes;        ///< What is signed.
};

/// `now_ms` since the epoch, UTC, stands in it.
Proposal make_proposal(const Call& call, const std::string& creator, const outbox::Nonce& nonce,
                       std::int64_t now_ms);

}  // namespace flora::fabric
