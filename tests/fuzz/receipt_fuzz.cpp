// Readers of texts that third parties hold: receipts, notes, checkpoints, verifier keys, tile
// paths. What is read is written back the same; nothing that is not signed verifies.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ledger-client/merkle/proof.h"
#include "ledger-client/merkle/tiles.h"

using namespace flora;
using namespace flora::ledger;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A key that signs nothing in the corpus.
  static const NoteVerifier verifier = {
      "flora.example/test",
      crypto::Ed25519Key::from_seed(crypto::sha256("signs nothing")).value().public_key()};
  if (const auto proof = parse_proof(text)) expect(to_text(*proof) == text);
  if (const auto key = parse_note_verifier(text)) expect(to_text(*key) == text);
  if (const auto tile = parse_tile_path(text)) expect(tile_path(*tile) == text);
  if (const auto checkpoint = parse_checkpoint(text)) {
    expect(text.starts_with(to_text(*checkpoint)));
  }
  expect(!verify_receipt("body", text, verifier));
  expect(!open_note(text, verifier));
  return 0;
}
