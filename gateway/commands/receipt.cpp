// `flora-gateway receipt verify`: offline, with keys from a source that one trusts.
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "gateway/base/bytes.h"
#include "gateway/commands/commands.h"
#include "ledger-client/fabric/endorsement.h"
#include "ledger-client/merkle/proof.h"

namespace flora::commands {
namespace {

constexpr std::size_t kMaxReceipt = 2 << 20;
constexpr std::size_t kMaxCertificates = 1 << 20;

std::string member(const nlohmann::json& json, const char* name) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_string()) return {};
  return json[name].get<std::string>();
}

Result<std::string> verify_log(const nlohmann::json& receipt, const std::string& key) {
  if (key.empty()) {
    return Error{Errc::invalid,
                 "--key is needed: the ledger's verifier key, from a source you "
                 "trust; the one within the receipt proves nothing"};
  }
  auto verified = ledger::verify_receipt(member(receipt, "entry"), member(receipt, "proof"), key);
  if (!verified) {
    return Error{Errc::corrupt, "the receipt does not verify: " + verified.error().message};
  }
  return "verified: entry " + std::to_string(verified->index) + " of the log " +
         verified->checkpoint.origin + " at size " + std::to_string(verified->checkpoint.size);
}

#if FLORA_WITH_FABRIC
// `BundMSP=bund-ca.pem,LaenderMSP=laender-ca.pem`
Result<std::vector<fabric::Organisation>> read_organisations(const std::string& text, Env& env) {
  std::vector<fabric::Organisation> organisations;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, end - at);
    const std::size_t equals = one.find('=');
    if (equals == one.npos || equals == 0) {
      return Error{Errc::invalid, "--organisations is a list of <MSP id>=<CA certificates>"};
    }
    FLORA_ASSIGN(std::string certificates, env.read_file(one.substr(equals + 1), kMaxCertificates));
    organisations.push_back({one.substr(0, equals), std::move(certificates)});
    at = end + 1;
  }
  return organisations;
}

// All that are listed must have endorsed it, and it must be the recording of this very entry.
Result<std::string> verify_network(const nlohmann::json& receipt, const std::string& organisations,
                                   Env& env) {
  if (organisations.empty()) {
    return Error{Errc::invalid,
                 "--organisations is needed: the CA certificates of the channel's members, from a "
                 "source you trust"};
  }
  FLORA_ASSIGN(const auto known, read_organisations(organisations, env));
  fabric::EndorsementPolicy policy;
  for (const fabric::Organisation& one : known) policy.organisations.push_back(one.msp_id);
  policy.least = known.size();
  const nlohmann::json& endorsement = receipt["endorsement"];
  const auto envelope = from_base64(member(endorsement, "envelope"));
  if (!envelope) return Error{Errc::corrupt, "the envelope is not Base64"};
  auto call = fabric::verify_endorsement(*envelope, known, policy);
  if (!call) return Error{Errc::corrupt, "the receipt does not verify: " + call.error().message};
  const std::vector<std::string> expected = {"Record", member(receipt, "entry")};
  if (call->arguments != expected || call->channel != member(endorsement, "channel") ||
      call->transaction != member(endorsement, "networkTransactionId")) {
    return Error{Errc::corrupt, "the receipt does not verify: it is endorsed for something else"};
  }
  std::string text = "verified: endorsed by";
  std::set<std::string> names;
  for (const fabric::Signatory& one : call->endorsers) names.insert(one.msp_id);
  for (const std::string& name : names) text += ' ' + name;
  text += " on channel " + call->channel;
  const nlohmann::json& commit = receipt.contains("commit") ? receipt["commit"] : endorsement;
  return text + "; that it is committed is the statement of " + member(commit, "statedBy");
}
#else
Result<std::string> verify_network(const nlohmann::json&, const std::string&, Env&) {
  return Error{Errc::invalid, "this program was built without Hyperledger Fabric"};
}
#endif

}  // namespace

int verify_receipt(const std::string& file, const CommandLine& line, Env& env) {
  const auto text = env.read_file(file, kMaxReceipt);
  if (!text) return fail(text.error());
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  // A receipt by itself, or the answer that holds it.
  const bool is_within = json.is_object() && json.contains("receipt");
  const nlohmann::json& receipt = is_within ? json["receipt"] : json;
  const bool is_of_network = receipt.is_object() && receipt.contains("endorsement");
  const Result<std::string> verified =
      is_of_network ? verify_network(receipt, line.option("--organisations").value_or(""), env)
                    : verify_log(receipt, line.option("--key").value_or(""));
  if (!verified) return fail(verified.error());
  std::cout << *verified << '\n';
  return 0;
}

}  // namespace flora::commands
