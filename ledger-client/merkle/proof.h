// Receipts: the text form c2sp.org/tlog-proof@v1 of an inclusion proof with its checkpoint, and the
// check that a third party makes. It needs the receipt and the log's public key, nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger-client/merkle/note.h"

namespace flora::ledger {

/// What a tlog-proof holds.
struct ProofText {
  std::uint64_t index = 0;
  std::vector<Digest> hashes;  ///< From the leaf's sibling to the root's child.
  std::string checkpoint;      ///< The signed note, verbatim.
  std::string extra;           ///< Opaque and not authenticated; empty: absent.
};

std::string to_text(const ProofText& proof);

/// Strict. The checkpoint is not looked at. Errors: invalid.
Result<ProofText> parse_proof(std::string_view text);

/// The checkpoint under which `body` is entry number `index` of the log that `verifier` names.
/// Errors: invalid (malformed, wrong signature, wrong proof).
struct VerifiedReceipt {
  std::uint64_t index = 0;
  Checkpoint checkpoint;
};
Result<VerifiedReceipt> verify_receipt(std::string_view body, std::string_view proof,
                                       const NoteVerifier& verifier);

/// The same for a verifier key in its text form.
Result<VerifiedReceipt> verify_receipt(std::string_view body, std::string_view proof,
                                       std::string_view vkey);

}  // namespace flora::ledger
