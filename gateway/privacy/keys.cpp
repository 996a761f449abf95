#include "gateway/privacy/keys.h"

#include <algorithm>
#include <cstdlib>

#include "gateway/base/crypto.h"

namespace flora::privacy {
namespace {

constexpr std::size_t kMaxFile = 1024;
constexpr std::size_t kIdDigits = 8;

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

std::string identity_text(std::string_view authority, const SenderIdentity& identity) {
  return delimited(authority) + delimited(identity.source) + delimited(identity.id);
}

Digest hmac(const Digest& key, const Digest& plain) {
  return crypto::hmac_sha256(key, {as_text(plain)});
}

std::optional<Digest> hmac(const Digest& key, const std::optional<Digest>& plain) {
  return plain ? std::optional(hmac(key, *plain)) : std::nullopt;
}

std::optional<Digest> digest_at(std::string_view text, std::size_t index) {
  constexpr std::size_t kBytes = sizeof(Digest);
  if (text.size() < (index + 1) * kBytes) return std::nullopt;
  Digest digest;
  std::ranges::copy(as_bytes(text.substr(index * kBytes, kBytes)), digest.begin());
  return digest;
}

// Base 64 in one line. False: it is not as many bytes.
bool decode(std::string_view text, crypto::SecretKey& secret) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  auto bytes = from_base64(text);
  if (!bytes) return false;
  const bool good = bytes->size() == secret.bytes.size();
  if (good) std::ranges::copy(as_bytes(*bytes), secret.bytes.begin());
  crypto::erase(std::as_writable_bytes(std::span(*bytes)));
  return good;
}

}  // namespace

Digest identity_digest(std::string_view authority, const SenderIdentity& identity) {
  return crypto::sha256(identity_text(authority, identity));
}

Digest content_digest(std::string_view content) { return crypto::sha256(content); }

Digest answer_key_digest(std::string_view client, std::string_view key) {
  return crypto::sha256(delimited(client) + std::string(key));
}

Result<crypto::SecretKey> read_secret(const SecretSource& source, Env& env) {
  const char* const variable =
      source.variable.empty() ? nullptr : std::getenv(source.variable.c_str());
  const std::string place =
      variable != nullptr || source.file.empty() ? "the variable " + source.variable : source.file;
  std::string text;
  if (variable != nullptr) {
    text = variable;
  } else if (source.file.empty()) {
    return Error{Errc::not_found, place + " is not set"};
  } else {
    FLORA_ASSIGN(text, env.read_file(source.file, kMaxFile));
  }
  crypto::SecretKey secret;
  const bool good = decode(text, secret);
  crypto::erase(std::as_writable_bytes(std::span(text)));
  if (good) return secret;
  return Error{Errc::invalid, place + " must hold 32 bytes, in Base 64"};
}

struct Keys::Derived {
  Digest lookup;
  Digest identity;
  Digest content;
  Digest native;
  Digest answer_key;
  Digest answer_request;
  Digest fingerprint;
  Digest wrapping;
  Digest first_value;
  Digest first_identity;
  Digest first_content;
  Digest first_answer;
};

Keys::Keys(const crypto::SecretKey& secret, std::string_view environment) {
  const auto derive = [&](std::string_view purpose) {
    return crypto::derive_key(secret.bytes,
                              "flora/1/" + std::string(environment) + "/" + std::string(purpose));
  };
  derived_id_ = "mapping-" + to_hex(derive("key-id")).substr(0, kIdDigits);
  check_ = derive("key-check");
  auto derived = std::static_pointer_cast<Derived>(crypto::guarded_memory(sizeof(Derived)));
  const auto keep = [&derive](std::string_view purpose, Digest& key) {
    Digest made = derive(purpose);
    key = made;
    crypto::erase(made);
  };
  keep("identifier-lookup", derived->lookup);
  keep("event-identity-digest", derived->identity);
  keep("event-content-digest", derived->content);
  keep("native-record-digest", derived->native);
  keep("idempotency-key-digest", derived->answer_key);
  keep("request-digest", derived->answer_request);
  keep("fingerprint-value", derived->fingerprint);
  keep("key-wrapping", derived->wrapping);
  keep("identifier-value", derived->first_value);
  keep("event-identity", derived->first_identity);
  keep("event-content", derived->first_content);
  keep("idempotency-key", derived->first_answer);
  derived_ = std::move(derived);
}

Digest Keys::identifier_hash(const Identifier& identifier) const {
  return crypto::hmac_sha256(derived_->lookup, {to_string(identifier.type), "=", identifier.value});
}

Fingerprint Keys::keyed(const Fingerprint& plain) const {
  return {hmac(derived_->identity, plain.identity), hmac(derived_->content, plain.content),
          hmac(derived_->native, plain.native)};
}

AnswerDigests Keys::keyed(const AnswerDigests& plain) const {
  return {hmac(derived_->answer_key, plain.key), hmac(derived_->answer_request, plain.request)};
}

std::string Keys::seal(const Fingerprint& plain, const Uuid& transaction, Env& env) const {
  std::string text(as_text(plain.identity));
  if (plain.content) text += as_text(*plain.content);
  if (plain.content && plain.native) text += as_text(*plain.native);
  return crypto::seal(derived_->fingerprint, text, as_text(transaction.bytes), env);
}

std::optional<Fingerprint> Keys::open(std::string_view sealed, const Uuid& transaction) const {
  const auto text = crypto::open(derived_->fingerprint, sealed, as_text(transaction.bytes));
  const auto identity = text ? digest_at(*text, 0) : std::nullopt;
  if (!identity) return std::nullopt;
  return Fingerprint{*identity, digest_at(*text, 1), digest_at(*text, 2)};
}

std::string Keys::wrap(const crypto::SecretKey& key, std::string_view context, Env& env) const {
  return crypto::seal(derived_->wrapping, as_text(key.bytes), context, env);
}

std::optional<crypto::SecretKey> Keys::unwrap(std::string_view wrapped,
                                              std::string_view context) const {
  auto text = crypto::open(derived_->wrapping, wrapped, context);
  if (!text) return std::nullopt;
  crypto::SecretKey key;
  const bool good = text->size() == key.bytes.size();
  if (good) std::ranges::copy(as_bytes(*text), key.bytes.begin());
  crypto::erase(std::as_writable_bytes(std::span(*text)));
  return good ? std::optional(key) : std::nullopt;
}

Digest Keys::first_identity_hash(std::string_view authority, const SenderIdentity& identity) const {
  return crypto::hmac_sha256(derived_->first_identity, {identity_text(authority, identity)});
}

Digest Keys::first_content_hash(std::string_view content) const {
  return crypto::hmac_sha256(derived_->first_content, {content});
}

Digest Keys::first_answer_hash(std::string_view client, std::string_view key) const {
  return crypto::hmac_sha256(derived_->first_answer, {delimited(client), key});
}

std::optional<std::string> Keys::open_first_value(IdentifierType type, const Uuid& procedure,
                                                  std::string_view sealed) const {
  return crypto::open(derived_->first_value, sealed, associated_data(type, procedure));
}

std::string seal_value(const crypto::SecretKey& key, const Identifier& identifier,
                       const Uuid& procedure, Env& env) {
  return crypto::seal(key.bytes, identifier.value, associated_data(identifier.type, procedure),
                      env);
}

std::optional<std::string> open_value(const crypto::SecretKey& key, IdentifierType type,
                                      const Uuid& procedure, std::string_view sealed) {
  return crypto::open(key.bytes, sealed, associated_data(type, procedure));
}

}  // namespace flora::privacy
