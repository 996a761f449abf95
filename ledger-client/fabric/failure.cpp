#include "ledger-client/fabric/failure.h"

#include <grpcpp/support/status.h>
#include <wire.pb.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace flora::fabric {
namespace {

using outbox::Outcome;

constexpr int kMostDetails = 64;

// The message of a status, and those of the peers behind it.
std::vector<std::string> texts_of(const grpc::Status& status) {
  std::vector<std::string> texts = {status.error_message()};
  gateway::RpcStatus details;
  if (!details.ParseFromString(status.error_details())) return texts;
  for (int i = 0; i < std::min(details.details_size(), kMostDetails); ++i) {
    gateway::ErrorDetail detail;
    if (detail.ParseFromString(details.details(i).value())) texts.push_back(detail.message());
  }
  return texts;
}

bool any_says(const std::vector<std::string>& texts, std::string_view words) {
  return std::ranges::any_of(
      texts, [words](const std::string& text) { return text.find(words) != std::string::npos; });
}

// What the chaincode itself has said stands behind "chaincode response", its status and a comma.
std::string_view chaincode_words(std::string_view text) {
  constexpr std::string_view kBefore = "chaincode response ";
  const std::size_t at = text.find(kBefore);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + kBefore.size());
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0 && text.starts_with(", ") ? text.substr(2) : std::string_view();
}

std::string_view refusal_in(const std::vector<std::string>& texts) {
  constexpr std::array<std::string_view, 3> kWords = {"invalid", "conflict", "not-entitled"};
  for (const std::string& text : texts) {
    const std::string_view said = chaincode_words(text);
    for (const std::string_view word : kWords) {
      if (said.starts_with(word) && said.substr(word.size()).starts_with(":")) return word;
    }
  }
  return {};
}

struct KnownText {
  std::string_view words;
  Failure::Kind kind;
  std::string_view reason;
};
constexpr std::array kKnown = {
    KnownText{"no such transaction ID", Failure::Kind::absent, "no-such-transaction"},
    KnownText{"too many requests", Failure::Kind::other, "too-many-requests"},
    KnownText{"no combination of peers can be derived", Failure::Kind::other, "no-endorsers"},
    KnownText{"ProposalResponsePayloads do not match", Failure::Kind::other, "endorsements-differ"},
    KnownText{"access denied", Failure::Kind::other, "access-denied"},
    KnownText{"no orderer", Failure::Kind::other, "orderer-unavailable"},
    KnownText{"status=FORBIDDEN", Failure::Kind::other, "orderer-refuses"},
    KnownText{"chaincode response ", Failure::Kind::other, "chaincode-fails"}};

struct NamedCode {
  grpc::StatusCode code;
  Failure::Kind kind;
  std::string_view reason;
};
constexpr std::array kCodes = {
    NamedCode{grpc::UNAVAILABLE, Failure::Kind::endpoint, "endpoint-unavailable"},
    NamedCode{grpc::DEADLINE_EXCEEDED, Failure::Kind::late, "deadline-exceeded"},
    NamedCode{grpc::CANCELLED, Failure::Kind::other, "broken-off"},
    NamedCode{grpc::FAILED_PRECONDITION, Failure::Kind::other, "not-ready"},
    NamedCode{grpc::PERMISSION_DENIED, Failure::Kind::other, "access-denied"},
    NamedCode{grpc::ABORTED, Failure::Kind::other, "endorsement-fails"}};

constexpr std::int32_t kValid = 0;
constexpr std::int32_t kDuplicateId = 9;
constexpr std::int32_t kNotValidated = 254;
constexpr std::int32_t kOtherReason = 255;
// From 1 on, in the order of Fabric's transaction.proto.
constexpr std::array<std::string_view, 25> kValidations = {"nil-envelope",
                                                           "bad-payload",
                                                           "bad-common-header",
                                                           "bad-creator-signature",
                                                           "invalid-endorser-transaction",
                                                           "invalid-config-transaction",
                                                           "unsupported-tx-payload",
                                                           "bad-proposal-txid",
                                                           "duplicate-txid",
                                                           "endorsement-policy-failure",
                                                           "mvcc-read-conflict",
                                                           "phantom-read-conflict",
                                                           "unknown-tx-type",
                                                           "target-chain-not-found",
                                                           "marshal-tx-error",
                                                           "nil-txaction",
                                                           "expired-chaincode",
                                                           "chaincode-version-conflict",
                                                           "bad-header-extension",
                                                           "bad-channel-header",
                                                           "bad-response-payload",
                                                           "bad-rwset",
                                                           "illegal-writeset",
                                                           "invalid-writeset",
                                                           "invalid-chaincode"};

std::string name_of(std::int32_t validation_code) {
  if (validation_code == kNotValidated) return "not-validated";
  if (validation_code == kOtherReason) return "invalid-other-reason";
  const auto index = static_cast<std::size_t>(validation_code) - 1;
  if (index < kValidations.size()) return std::string(kValidations[index]);
  return "validation-code-" + std::to_string(validation_code);
}

}  // namespace

Failure failure_of(const grpc::Status& status) {
  const std::vector<std::string> texts = texts_of(status);
  // Of two peers one may know the transaction already while the other executes it.
  if (any_says(texts, "duplicate transaction found")) {
    return {Failure::Kind::duplicate, "duplicate-transaction"};
  }
  if (const std::string_view word = refusal_in(texts); !word.empty()) {
    return {Failure::Kind::refused, std::string(word)};
  }
  for (const KnownText& one : kKnown) {
    if (any_says(texts, one.words)) return {one.kind, std::string(one.reason)};
  }
  for (const NamedCode& one : kCodes) {
    if (one.code == status.error_code()) return {one.kind, std::string(one.reason)};
  }
  return {Failure::Kind::other, "code-" + std::to_string(status.error_code())};
}

Outcome outcome_of(std::int32_t validation_code, const std::string& transaction) {
  if (validation_code == kValid) return {Outcome::Kind::committed, {}, transaction};
  const bool is_open = validation_code == kDuplicateId || validation_code == kNotValidated;
  return {is_open ? Outcome::Kind::unknown : Outcome::Kind::spent, name_of(validation_code), {}};
}

}  // namespace flora::fabric
