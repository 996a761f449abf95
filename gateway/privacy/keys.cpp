#include "gateway/privacy/keys.h"

#include <cstdlib>

#include "gateway/base/crypto.h"

namespace flora::privacy {
namespace {

constexpr std::size_t kSecretBytes = 32;

// The length in front makes the concatenation unambiguous.
std::string delimited(std::string_view text) {
  std::string out = std::to_string(text.size());
  out += ':';
  out += text;
  return out;
}

std::string associated_data(IdentifierType type, const Uuid& procedure) {
  std::string out(to_string(type));
  out += as_text(procedure.bytes);
  return out;
}

}  // namespace

Result<Keys> Keys::from_secret(std::string_view secret, std::string_view environment) {
  if (secret.size() != kSecretBytes) {
    return Error{Errc::invalid, "the mapping secret must be 32 bytes, in Base 64"};
  }
  const auto derive = [&](std::string_view purpose) {
    return crypto::derive_key(as_bytes(secret),
                              "flora/1/" + std::string(environment) + "/" + std::string(purpose));
  };
  Keys keys;
  keys.lookup_ = derive("identifier-lookup");
  keys.value_ = derive("identifier-value");
  keys.identity_ = derive("event-identity");
  keys.content_ = derive("event-content");
  keys.idempotency_ = derive("idempotency-key");
  return keys;
}

Result<Keys> Keys::load(const std::string& file, std::string_view environment, Env& env) {
  std::string text;
  if (const char* variable = std::getenv("FLORA_MAPPING_SECRET")) {
    text = variable;
  } else {
    FLORA_ASSIGN(text, env.read_file(file, 1024));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto secret = from_base64(text);
  if (!secret) return Error{Errc::invalid, "the mapping secret must be 32 bytes, in Base 64"};
  return from_secret(*secret, environment);
}

Digest Keys::identifier_hash(const Identifier& identifier) const {
  return crypto::hmac_sha256(lookup_, {to_string(identifier.type), "=", identifier.value});
}

Digest Keys::identity_hash(std::string_view authority, const SenderIdentity& identity) const {
  return crypto::hmac_sha256(
      identity_, {delimited(authority), delimited(identity.source), delimited(identity.id)});
}

Digest Keys::content_hash(std::string_view content) const {
  return crypto::hmac_sha256(content_, {content});
}

Digest Keys::idempotency_hash(std::string_view client, std::string_view key) const {
  return crypto::hmac_sha256(idempotency_, {delimited(client), key});
}

std::string Keys::seal(const Identifier& identifier, const Uuid& procedure, Env& env) const {
  return crypto::seal(value_, identifier.value, associated_data(identifier.type, procedure), env);
}

std::optional<std::string> Keys::open(IdentifierType type, const Uuid& procedure,
                                      std::string_view sealed) const {
  return crypto::open(value_, sealed, associated_data(type, procedure));
}

}  // namespace flora::privacy
