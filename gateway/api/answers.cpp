#include "gateway/api/answers.h"

namespace flora::api {
namespace {

// The key of the origin that signed the proof's checkpoint (c2sp.org/tlog-proof: it follows the
// first empty line). A ledger that was restored with a loss goes on under another origin.
std::string_view key_of(std::string_view proof, const std::vector<std::string>& keys) {
  const std::size_t blank = proof.find("\n\n");
  if (blank == proof.npos) return keys.back();
  std::string_view origin = proof.substr(blank + 2);
  origin = origin.substr(0, origin.find('\n'));
  for (const std::string& key : keys) {
    if (key.starts_with(origin) && key.substr(origin.size()).starts_with('+')) return key;
  }
  return keys.back();
}

}  // namespace

void write_receipt(JsonWriter& json, const Uuid& transaction_id, const Receipt& receipt,
                   const std::vector<std::string>& verifier_keys) {
  json.begin_object().member("transactionId", to_string(transaction_id));
  json.name("logIndex").number(receipt.index);
  json.member("entry", receipt.body);
  if (receipt.network) {
    const NetworkProof& proof = *receipt.network;
    json.name("endorsement").begin_object().member("verification", "OFFLINE");
    json.member("channel", proof.channel).member("networkTransactionId", proof.transaction);
    json.member("envelope", to_base64(as_bytes(proof.envelope))).end_object();
    json.name("commit").begin_object().member("verification", "STATEMENT");
    json.member("statedBy", proof.witness).name("block").number(proof.block).end_object();
    json.end_object();
    return;
  }
  json.member("proof", receipt.proof);
  json.member("verifierKey", key_of(receipt.proof, verifier_keys)).end_object();
}

Problem refused_by_ledger(std::string_view reason) {
  Problem problem{"refused-by-ledger", {}, {}};
  ProblemCause cause;
  cause.code = reason;
  cause.detail = "The ledger network does not take this transaction; the code says why.";
  problem.causes.push_back(std::move(cause));
  return problem;
}

void write_submission(JsonWriter& json, const intake::Answer& answer,
                      const std::vector<std::string>& verifier_keys) {
  if (answer.kind == intake::Answer::Kind::test) {
    json.begin_object().name("committed").boolean(false).end_object();
    return;
  }
  const bool committed = answer.kind == intake::Answer::Kind::committed;
  json.begin_object().member("transactionId", to_string(answer.transaction_id));
  json.member("procedureId", to_string(answer.procedure));
  const bool failed = !answer.refusal.empty();
  json.member("state", committed ? "COMMITTED" : failed ? "FAILED" : "ACCEPTED");
  if (committed) json.name("logIndex").number(answer.index);
  if (answer.receipt) {
    json.name("receipt");
    write_receipt(json, answer.transaction_id, *answer.receipt, verifier_keys);
  }
  if (failed) {
    std::string problem;
    append_json(problem, refused_by_ledger(answer.refusal));
    json.name("problem").raw(problem);
  }
  json.end_object();
}

void write_item(JsonWriter& json, std::size_t item, const intake::Answer& answer,
                const std::vector<std::string>& verifier_keys) {
  json.begin_object().name("item").number(item).name("status").number(answer.status());
  if (answer.kind == intake::Answer::Kind::refused) {
    std::string problem;
    append_json(problem, answer.problem);
    json.name("problem").raw(problem);
  } else {
    json.name("submission");
    write_submission(json, answer, verifier_keys);
  }
  json.end_object();
}

std::function<void(intake::Stage)> stages_of(const Reply& reply) {
  if (!reply->observation().is_recorded()) return {};
  return [reply, begun = reply->observation().now_ns()](intake::Stage stage) mutable {
    Observation& observation = reply->observation();
    const std::int64_t now = observation.now_ns();
    observation.add_phase(stage == intake::Stage::durable ? "accept" : "append to the ledger",
                          begun, now);
    begun = now;
  };
}

ProblemCause cause_of(const adapter::Issue& issue) {
  ProblemCause cause;
  cause.code = issue.code;
  cause.detail = issue.detail;
  cause.line = issue.at.line;
  cause.column = issue.at.column;
  cause.path = issue.at.path;
  cause.rule = issue.rule;
  return cause;
}

}  // namespace flora::api
