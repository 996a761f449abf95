#include "ledger-client/merkle/proof.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ledger-client/merkle/lines.h"
#include "ledger-client/merkle/tree.h"

namespace flora::ledger {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMaxHashes = 64;

std::optional<std::uint64_t> parse_index(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Digest> parse_hash(std::string_view text) {
  const auto bytes = from_base64(text);
  Digest hash;
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  const auto view = as_bytes(*bytes);
  std::copy(view.begin(), view.end(), hash.begin());
  return hash;
}

}  // namespace

std::string to_text(const ProofText& proof) {
  std::string text(kFirstLine);
  text.reserve(128 + proof.hashes.size() * 45 + proof.checkpoint.size());
  text += '\n';
  if (!proof.extra.empty()) {
    text += kExtra;
    text += to_base64(as_bytes(proof.extra));
    text += '\n';
  }
  text += kIndex;
  text += std::to_string(proof.index);
  text += '\n';
  for (const Digest& hash : proof.hashes) {
    text += to_base64(hash);
    text += '\n';
  }
  text += '\n';
  text += proof.checkpoint;
  return text;
}

Result<ProofText> parse_proof(std::string_view text) {
  const Error error{Errc::invalid, "not a tlog-proof of version 1"};
  if (next_line(text) != kFirstLine) return error;
  auto line = next_line(text);
  ProofText proof;
  if (line && line->starts_with(kExtra)) {
    const auto extra = from_base64(line->substr(kExtra.size()));
    if (!extra || extra->empty()) return error;
    proof.extra = *extra;
    line = next_line(text);
  }
  if (!line || !line->starts_with(kIndex)) return error;
  const auto index = parse_index(line->substr(kIndex.size()));
  if (!index) return error;
  proof.index = *index;
  for (line = next_line(text); line && !line->empty(); line = next_line(text)) {
    const auto hash = parse_hash(*line);
    if (!hash || proof.hashes.size() == kMaxHashes) return error;
    proof.hashes.push_back(*hash);
  }
  if (!line || text.empty()) return error;
  proof.checkpoint = text;
  return proof;
}

Result<VerifiedReceipt> verify_receipt(std::string_view body, std::string_view proof,
                                       const NoteVerifier& verifier) {
  FLORA_ASSIGN(const ProofText parsed, parse_proof(proof));
  FLORA_ASSIGN(Checkpoint checkpoint, open_checkpoint(parsed.checkpoint, verifier));
  if (!verify_inclusion(leaf_hash(body), parsed.index, checkpoint.size, parsed.hashes,
                        checkpoint.root)) {
    return Error{Errc::invalid, "the proof does not show that the log holds this text"};
  }
  return VerifiedReceipt{parsed.index, std::move(checkpoint)};
}

Result<VerifiedReceipt> verify_receipt(std::string_view body, std::string_view proof,
                                       std::string_view vkey) {
  FLORA_ASSIGN(const NoteVerifier verifier, parse_note_verifier(vkey));
  return verify_receipt(body, proof, verifier);
}

}  // namespace flora::ledger
