// Signed notes (c2sp.org/signed-note) with Ed25519, and the checkpoints of a transparency log
// (c2sp.org/tlog-checkpoint) that are written as such notes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/result.h"

namespace flora::ledger {

/// The public half of a note key: what a third party needs.
struct NoteVerifier {
  std::string name;
  std::array<std::byte, 32> public_key{};
  bool operator==(const NoteVerifier&) const = default;
};

/// The verifier key's text, `<name>+<key id>+<base64>`. The name must be valid (valid_key_name).
std::string to_text(const NoteVerifier& verifier);

/// Errors: invalid (not such a text, another algorithm than Ed25519, a wrong key id).
Result<NoteVerifier> parse_note_verifier(std::string_view text);

/// True unless the name is empty, not UTF-8, or holds a plus, a Unicode space or a control
/// character.
bool valid_key_name(std::string_view name);

/// The signed note of `text`, which must end in a line feed, under one key.
std::string sign_note(std::string_view text, std::string_view key_name,
                      const crypto::Ed25519Key& key);

/// The text of a note that carries a good signature of `verifier`. Signatures of other keys are
/// ignored. Errors: invalid (malformed, not signed by this key, or the signature is wrong).
Result<std::string> open_note(std::string_view note, const NoteVerifier& verifier);

/// A tree head.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  bool operator==(const Checkpoint&) const = default;
};

/// The note text of a checkpoint: three lines.
std::string to_text(const Checkpoint& checkpoint);

/// Extension lines are allowed and ignored. Errors: invalid.
Result<Checkpoint> parse_checkpoint(std::string_view text);

/// The checkpoint as a note, signed by the log under its origin as key name.
std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::Ed25519Key& key);

/// The checkpoint in a note that `verifier` signed, whose name must be the origin. Errors: invalid.
Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& verifier);

}  // namespace flora::ledger
