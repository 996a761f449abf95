#include "ledger-client/merkle/note.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ledger-client/merkle/lines.h"

namespace flora::ledger {
namespace {

constexpr char kEd25519 = 0x01;  // The signature type of signed-note.
constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // Em dash, space.
constexpr std::size_t kMaxNoteBytes = 100'000;
constexpr std::size_t kKeyIdBytes = 4;

std::string_view text_of(const std::array<std::byte, 32>& key) { return as_text(key); }

std::string key_id(const NoteVerifier& verifier) {
  std::string input = verifier.name;
  input += '\n';
  input += kEd25519;
  input += text_of(verifier.public_key);
  const Digest hash = crypto::sha256(input);
  return std::string(as_text(hash).substr(0, kKeyIdBytes));
}

/// True if the text holds one of the characters of Unicode's White_Space property.
bool has_space(std::string_view text) {
  static constexpr std::string_view kSpaces[] = {" ",
                                                 "\t",
                                                 "\n",
                                                 "\v",
                                                 "\f",
                                                 "\r",
                                                 "\xC2\x85",
                                                 "\xC2\xA0",
                                                 "\xE1\x9A\x80",
                                                 "\xE2\x80\x80",
                                                 "\xE2\x80\x81",
                                                 "\xE2\x80\x82",
                                                 "\xE2\x80\x83",
                                                 "\xE2\x80\x84",
                                                 "\xE2\x80\x85",
                                                 "\xE2\x80\x86",
                                                 "\xE2\x80\x87",
                                                 "\xE2\x80\x88",
                                                 "\xE2\x80\x89",
                                                 "\xE2\x80\x8A",
                                                 "\xE2\x80\xA8",
                                                 "\xE2\x80\xA9",
                                                 "\xE2\x80\xAF",
                                                 "\xE2\x81\x9F",
                                                 "\xE3\x80\x80"};
  return std::any_of(std::begin(kSpaces), std::end(kSpaces), [&](std::string_view space) {
    return text.find(space) != std::string_view::npos;
  });
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

struct Signature {
  std::string name;
  std::string key_id;
  std::string bytes;
};

std::optional<Signature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix)) return std::nullopt;
  line.remove_prefix(kSignaturePrefix.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view name = line.substr(0, space);
  const auto bytes = from_base64(line.substr(space + 1));
  if (!valid_key_name(name) || !bytes || bytes->size() <= kKeyIdBytes) return std::nullopt;
  return Signature{std::string(name), bytes->substr(0, kKeyIdBytes), bytes->substr(kKeyIdBytes)};
}

Error malformed() { return {Errc::invalid, "not a signed note"}; }

bool verifies(const Signature& signature, const NoteVerifier& verifier, std::string_view text) {
  return crypto::verify_ed25519(verifier.public_key, text, as_bytes(signature.bytes));
}

}  // namespace

bool valid_key_name(std::string_view name) {
  return !name.empty() && is_utf8(name) && !has_space(name) &&
         name.find('+') == std::string_view::npos &&
         std::none_of(name.begin(), name.end(), is_control);
}

std::string to_text(const NoteVerifier& verifier) {
  std::string key(1, kEd25519);
  key += text_of(verifier.public_key);
  return verifier.name + "+" + to_hex(as_bytes(key_id(verifier))) + "+" + to_base64(as_bytes(key));
}

Result<NoteVerifier> parse_note_verifier(std::string_view text) {
  const Error error{Errc::invalid, "not the text of an Ed25519 verifier key"};
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return error;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return error;
  NoteVerifier verifier;
  verifier.name = text.substr(0, first);
  const auto key = from_base64(text.substr(second + 1));
  if (!key || key->size() != 1 + verifier.public_key.size() || key->front() != kEd25519) {
    return error;
  }
  const auto bytes = as_bytes(*key).subspan(1);
  std::copy(bytes.begin(), bytes.end(), verifier.public_key.begin());
  if (!valid_key_name(verifier.name) || to_text(verifier) != text) return error;
  return verifier;
}

std::string sign_note(std::string_view text, std::string_view key_name,
                      const crypto::Ed25519Key& key) {
  std::string signature = key_id({std::string(key_name), key.public_key()});
  signature += as_text(key.sign(text));
  std::string note(text);
  note += '\n';
  note += kSignaturePrefix;
  note += key_name;
  note += ' ';
  note += to_base64(as_bytes(signature));
  note += '\n';
  return note;
}

Result<std::string> open_note(std::string_view note, const NoteVerifier& verifier) {
  if (note.size() > kMaxNoteBytes || !is_utf8(note)) return malformed();
  if (std::any_of(note.begin(), note.end(), [](char c) { return is_control(c) && c != '\n'; })) {
    return malformed();
  }
  const std::size_t gap = note.rfind("\n\n");
  if (gap == std::string_view::npos || !note.ends_with('\n')) return malformed();
  const std::string_view text = note.substr(0, gap + 1);
  std::string_view lines = note.substr(gap + 2);
  if (lines.empty()) return malformed();

  bool signed_by_key = false;
  while (!lines.empty()) {
    const auto signature = parse_signature(*next_line(lines));
    if (!signature) return malformed();
    if (signature->name != verifier.name || signature->key_id != key_id(verifier)) continue;
    if (!verifies(*signature, verifier, text)) {
      return Error{Errc::invalid, "the signature of " + verifier.name + " is wrong"};
    }
    signed_by_key = true;
  }
  if (!signed_by_key) return Error{Errc::invalid, "the note is not signed by " + verifier.name};
  return std::string(text);
}

std::string to_text(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         to_base64(checkpoint.root) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  const Error error{Errc::invalid, "not a checkpoint"};
  const auto origin = next_line(text);
  const auto size = next_line(text);
  const auto root = next_line(text);
  if (!origin || !size || !root || origin->empty() || size->empty()) return error;

  Checkpoint checkpoint;
  checkpoint.origin = *origin;
  const auto [end, status] =
      std::from_chars(size->data(), size->data() + size->size(), checkpoint.size);
  const bool whole = status == std::errc{} && end == size->data() + size->size();
  if (!whole || (size->size() > 1 && size->front() == '0')) return error;

  const auto hash = from_base64(*root);
  if (!hash || hash->size() != checkpoint.root.size()) return error;
  const auto bytes = as_bytes(*hash);
  std::copy(bytes.begin(), bytes.end(), checkpoint.root.begin());
  while (!text.empty()) {
    const auto extension = next_line(text);
    if (!extension || extension->empty()) return error;
  }
  return checkpoint;
}

std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::Ed25519Key& key) {
  return sign_note(to_text(checkpoint), checkpoint.origin, key);
}

Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& verifier) {
  FLORA_ASSIGN(const std::string text, open_note(note, verifier));
  FLORA_ASSIGN(Checkpoint checkpoint, parse_checkpoint(text));
  if (checkpoint.origin != verifier.name) {
    return Error{Errc::invalid, "the checkpoint is of another log"};
  }
  return checkpoint;
}

}  // namespace flora::ledger
