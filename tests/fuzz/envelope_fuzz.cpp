// What a foreign peer sends or a receipt holds: envelopes, identities, certificates, signatures.
// The corpus has one envelope of a real network; nothing else verifies.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>

#include "ledger-client/fabric/certificate.h"
#include "ledger-client/fabric/ecdsa.h"
#include "ledger-client/fabric/endorsement.h"
#include "ledger-client/fabric/transaction.h"
#include "tests/fuzz/expectations.h"

using namespace flora;
using namespace flora::fabric;

namespace {

std::string read(const std::string& file) {
  std::ifstream in(std::string(FLORA_SOURCE_DIR) + "/tests/" + file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::vector<Organisation>& organisations() {
  static const std::vector<Organisation> both = {
      {.msp_id = "BundMSP", .ca_certificates = read("ledger-client/fabric/golden/bund-ca.pem")},
      {.msp_id = "LaenderMSP",
       .ca_certificates = read("ledger-client/fabric/golden/laender-ca.pem")}};
  return both;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  static const std::string real = read("fuzz/envelope_corpus/real");
  static const EndorsementPolicy policy = {2, {"BundMSP", "LaenderMSP"}};
  static const EndorsedCall only =
      fuzz::required(verify_endorsement(real, organisations(), policy));
  if (const auto call = verify_endorsement(text, organisations(), policy)) {
    fuzz::require(call->transaction == only.transaction && call->arguments == only.arguments);
    fuzz::require(call->channel == only.channel && call->chaincode == only.chaincode);
    fuzz::require(call->answer == only.answer && call->endorsers.size() >= 2);
  }
  if (const auto transaction = parse_transaction(text)) {
    fuzz::require(transaction->arguments.size() <= 16 && transaction->endorsements.size() <= 64);
  }
  if (const auto identity = parse_identity(text)) {
    if (const auto certificate = Certificate::parse(identity->certificate)) {
      fuzz::require(!certificate->verifies("nothing was signed", text));
    }
  }
  if (const auto low = with_low_s(text)) fuzz::require(with_low_s(*low) == low);
  if (const auto low = low_s_from_raw(text)) fuzz::require(with_low_s(*low) == low);
  return 0;
}
