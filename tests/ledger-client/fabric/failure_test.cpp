// What a peer's refusals and validation codes mean: a case for each that a real peer was seen to
// give.
#include "ledger-client/fabric/failure.h"

#include <doctest/doctest.h>
#include <grpcpp/support/status.h>

#include "tests/ledger-client/fabric/wire_bytes.h"

using namespace flora;
using namespace flora::fabric;
using outbox::Outcome;
using test::field;
using Kind = Failure::Kind;

namespace {

// As `grpc-status-details-bin` brings them.
std::string details_of(const std::vector<std::string>& messages) {
  std::string out = test::number_field(1, 10) + field(2, "see attached details");
  for (const std::string& one : messages) {
    const std::string detail = field(1, "127.0.0.1:7051") + field(2, "BundMSP") + field(3, one);
    out += field(3, field(1, "type.googleapis.com/gateway.ErrorDetail") + field(2, detail));
  }
  return out;
}

grpc::Status aborted(const std::vector<std::string>& details) {
  return {grpc::ABORTED, "failed to endorse transaction, see attached details for more info",
          details_of(details)};
}

struct Row {
  const char* what;
  grpc::Status status;
  Kind kind;
  std::string reason;
};

}  // namespace

TEST_CASE("each refusal of a real peer is told apart") {
  const std::vector<Row> rows = {
      {"wrong signature",
       {grpc::ABORTED, "failed to evaluate",
        details_of({"error validating proposal: access "
                    "denied: channel [default] creator"})},
       Kind::other,
       "access-denied"},
      {"orderer refuses the envelope",
       {grpc::ABORTED, "received unsuccessful response from orderer: status=FORBIDDEN, info=x"},
       Kind::other,
       "orderer-refuses"},
      {"not ready",
       {grpc::FAILED_PRECONDITION,
        "no combination of peers can be derived which satisfy the endorsement policy"},
       Kind::other,
       "no-endorsers"},
      {"another precondition", {grpc::FAILED_PRECONDITION, "x"}, Kind::other, "not-ready"},
      {"chaincode: invalid", aborted({"chaincode response 500, invalid: $.status"}), Kind::refused,
       "invalid"},
      {"chaincode: conflict", aborted({"chaincode response 500, conflict: another"}), Kind::refused,
       "conflict"},
      {"chaincode: not entitled", aborted({"chaincode response 500, not-entitled: x"}),
       Kind::refused, "not-entitled"},
      {"the same from the second peer",
       aborted({"rpc error: code = Unavailable", "chaincode response 500, invalid: x"}),
       Kind::refused, "invalid"},
      {"evaluated",
       {grpc::UNKNOWN,
        "evaluate call to endorser returned error: chaincode response 500, invalid: x"},
       Kind::refused,
       "invalid"},
      {"a word that is none of ours", aborted({"chaincode response 500, unavailable: x"}),
       Kind::other, "chaincode-fails"},
      {"a word that only begins so", aborted({"chaincode response 500, invalidated: x"}),
       Kind::other, "chaincode-fails"},
      {"a word that stands elsewhere", aborted({"chaincode response 500, x invalid: y"}),
       Kind::other, "chaincode-fails"},
      {"a word that no chaincode says", aborted({"invalid: x"}), Kind::other, "endorsement-fails"},
      {"endorsements differ", aborted({"ProposalResponsePayloads do not match (base64): a vs b"}),
       Kind::other, "endorsements-differ"},
      {"endorsed again", aborted({"duplicate transaction found [ab]. Creator [cd]"}),
       Kind::duplicate, "duplicate-transaction"},
      {"endorsed again at one peer of two",
       aborted({"chaincode response 500, invalid: x", "duplicate transaction found [ab]"}),
       Kind::duplicate, "duplicate-transaction"},
      {"too many calls",
       {grpc::UNKNOWN, "too many requests for /gateway.Gateway, exceeding concurrency limit (500)"},
       Kind::other,
       "too-many-requests"},
      {"orderer dead",
       {grpc::UNAVAILABLE, "no orderers could successfully process transaction"},
       Kind::other,
       "orderer-unavailable"},
      {"no orderer known",
       {grpc::UNAVAILABLE, "no orderer nodes available"},
       Kind::other,
       "orderer-unavailable"},
      {"peer killed", {grpc::UNAVAILABLE, "Socket closed"}, Kind::endpoint, "endpoint-unavailable"},
      {"deadline", {grpc::DEADLINE_EXCEEDED, "Deadline Exceeded"}, Kind::late, "deadline-exceeded"},
      {"broken off", {grpc::CANCELLED, "CANCELLED"}, Kind::other, "broken-off"},
      {"no right to ask",
       {grpc::PERMISSION_DENIED, "implicit policy evaluation failed"},
       Kind::other,
       "access-denied"},
      {"no such transaction",
       {grpc::UNKNOWN,
        "evaluate call to endorser returned error: chaincode response 500, Failed "
        "to get transaction with id ab, error no such transaction ID [ab] in index"},
       Kind::absent,
       "no-such-transaction"},
      {"another code", {grpc::INTERNAL, "x"}, Kind::other, "code-13"},
      {"details that are none", {grpc::ABORTED, "x", "\xff\xff"}, Kind::other, "endorsement-fails"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Failure failure = failure_of(row.status);
    CHECK(failure.kind == row.kind);
    CHECK(failure.reason == row.reason);
  }
}

TEST_CASE("each validation code is committed, spent or open") {
  const auto check = [](std::int32_t code, Outcome::Kind kind, const std::string& reason) {
    const Outcome outcome = outcome_of(code, "ab");
    CAPTURE(code);
    CHECK(outcome.kind == kind);
    CHECK(outcome.reason == reason);
    CHECK(outcome.transaction == (kind == Outcome::Kind::committed ? "ab" : ""));
  };
  check(0, Outcome::Kind::committed, "");
  check(1, Outcome::Kind::spent, "nil-envelope");
  check(9, Outcome::Kind::unknown, "duplicate-txid");
  check(10, Outcome::Kind::spent, "endorsement-policy-failure");
  check(11, Outcome::Kind::spent, "mvcc-read-conflict");
  check(12, Outcome::Kind::spent, "phantom-read-conflict");
  check(25, Outcome::Kind::spent, "invalid-chaincode");
  check(26, Outcome::Kind::spent, "validation-code-26");
  check(-1, Outcome::Kind::spent, "validation-code--1");
  check(254, Outcome::Kind::unknown, "not-validated");
  check(255, Outcome::Kind::spent, "invalid-other-reason");
}
