#include "gateway/base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/mman.h>

#include <cstdlib>

namespace flora::crypto {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

// OpenSSL's own failures here mean that memory is exhausted or the library is broken.
void require(bool ok) {
  if (!ok) std::abort();
}

unsigned char* raw_out(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}
const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
const unsigned char* raw(std::string_view text) { return raw(as_bytes(text)); }

// Fetching an algorithm by name takes a global lock in OpenSSL 3; these are fetched once.
const EVP_MD* sha256_method() {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(method != nullptr);
  return method;
}
const EVP_MD* sha1_method() {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  require(method != nullptr);
  return method;
}
const EVP_CIPHER* gcm_method() {
  static EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  require(method != nullptr);
  return method;
}

struct Free {
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

EVP_MD_CTX* thread_digest() {
  thread_local const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  require(context != nullptr);
  return context.get();
}

// The thread's context for one use: it has the key until it goes.
class Cipher {
 public:
  Cipher() : context_(context()) {}
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  ~Cipher() { EVP_CIPHER_CTX_reset(context_); }

  operator EVP_CIPHER_CTX*() const { return context_; }

 private:
  static EVP_CIPHER_CTX* context() {
    thread_local const Owned<EVP_CIPHER_CTX> only(EVP_CIPHER_CTX_new());
    require(only != nullptr);
    return only.get();
  }

  EVP_CIPHER_CTX* const context_;
};

// `out` is as long as the method's values.
void hash(const EVP_MD* method, std::initializer_list<std::span<const std::byte>> parts,
          std::span<std::byte> out) {
  EVP_MD_CTX* context = thread_digest();
  require(EVP_DigestInit_ex2(context, method, nullptr) == 1);
  for (const auto part : parts) {
    require(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  }
  require(EVP_DigestFinal_ex(context, raw_out(out), nullptr) == 1);
}

}  // namespace

Digest sha256(std::string_view bytes) { return sha256({as_bytes(bytes)}); }

Digest sha256(std::initializer_list<std::span<const std::byte>> parts) {
  Digest out;
  hash(sha256_method(), parts, out);
  return out;
}

std::array<std::byte, 20> sha1(std::initializer_list<std::span<const std::byte>> parts) {
  std::array<std::byte, 20> out;
  hash(sha1_method(), parts, out);
  return out;
}

Digest hmac_sha256(std::span<const std::byte> key, std::initializer_list<std::string_view> parts) {
  constexpr std::size_t kBlock = 64;  // RFC 2104 §2: B of SHA-256.
  std::array<std::byte, kBlock> inner{};
  if (key.size() > kBlock) {
    const Digest hashed = sha256({key});
    std::copy(hashed.begin(), hashed.end(), inner.begin());
  } else {
    std::copy(key.begin(), key.end(), inner.begin());
  }
  std::array<std::byte, kBlock> outer = inner;
  for (std::byte& b : inner) b ^= std::byte{0x36};
  for (std::byte& b : outer) b ^= std::byte{0x5C};

  EVP_MD_CTX* context = thread_digest();
  require(EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1);
  require(EVP_DigestUpdate(context, inner.data(), inner.size()) == 1);
  for (const std::string_view part : parts) {
    require(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  }
  Digest digest;
  require(EVP_DigestFinal_ex(context, raw_out(std::span(digest)), nullptr) == 1);
  digest = sha256({std::span<const std::byte>(outer), std::span<const std::byte>(digest)});
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return digest;
}

Digest derive_key(std::span<const std::byte> secret, std::string_view info) {
  EVP_KDF* method = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  require(method != nullptr);
  const Owned<EVP_KDF_CTX> context(EVP_KDF_CTX_new(method));
  EVP_KDF_free(method);
  require(context != nullptr);
  std::string digest = "SHA256";
  std::string key(as_text(secret));
  std::string label(info);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label.data(), label.size()),
      OSSL_PARAM_construct_end()};
  Digest out;
  require(EVP_KDF_derive(context.get(), raw_out(std::span(out)), out.size(), parameters) == 1);
  OPENSSL_cleanse(key.data(), key.size());
  return out;
}

bool equal_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void erase(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

std::shared_ptr<void> guarded_memory(std::size_t bytes) {
  void* const at =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(at != MAP_FAILED);
  ::madvise(at, bytes, MADV_DONTDUMP);
  ::mlock(at, bytes);
  return {at, [bytes](void* memory) {
            OPENSSL_cleanse(memory, bytes);
            ::munmap(memory, bytes);
          }};
}

std::string seal(const Digest& key, std::string_view plaintext, std::string_view associated,
                 Env& env) {
  std::string out(kNonceBytes + plaintext.size() + kTagBytes, '\0');
  const auto bytes = std::as_writable_bytes(std::span(out.data(), out.size()));
  env.random(bytes.first(kNonceBytes));
  unsigned char* const body = raw_out(bytes.subspan(kNonceBytes));
  const Cipher context;
  int n = 0;
  require(EVP_EncryptInit_ex2(context, gcm_method(), raw(std::span(key)), raw_out(bytes),
                              nullptr) == 1);
  require(EVP_EncryptUpdate(context, nullptr, &n, raw(associated),
                            static_cast<int>(associated.size())) == 1);
  require(EVP_EncryptUpdate(context, body, &n, raw(plaintext),
                            static_cast<int>(plaintext.size())) == 1);
  require(EVP_EncryptFinal_ex(context, body + n, &n) == 1);
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, kTagBytes, body + plaintext.size()) ==
          1);
  return out;
}

std::optional<std::string> open(const Digest& key, std::string_view sealed,
                                std::string_view associated) {
  if (sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::size_t length = sealed.size() - kNonceBytes - kTagBytes;
  const unsigned char* const nonce = raw(sealed);
  std::string tag(sealed.substr(kNonceBytes + length));
  std::string out(length, '\0');
  auto* const body = reinterpret_cast<unsigned char*>(out.data());
  const Cipher context;
  int n = 0;
  require(EVP_DecryptInit_ex2(context, gcm_method(), raw(std::span(key)), nonce, nullptr) == 1);
  require(EVP_DecryptUpdate(context, nullptr, &n, raw(associated),
                            static_cast<int>(associated.size())) == 1);
  require(EVP_DecryptUpdate(context, body, &n, nonce + kNonceBytes, static_cast<int>(length)) == 1);
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context, body + n, &n) != 1) return std::nullopt;
  return out;
}

struct Ed25519Key::Key {
  Owned<EVP_PKEY> pkey;
};

Ed25519Key::Ed25519Key(std::unique_ptr<Key> key) : key_(std::move(key)) {}
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;
Ed25519Key::~Ed25519Key() = default;

Result<Ed25519Key> Ed25519Key::from_seed(std::span<const std::byte> seed) {
  if (seed.size() != 32) return Error{Errc::invalid, "an Ed25519 seed has 32 bytes"};
  auto key = std::make_unique<Key>();
  key->pkey.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
  require(key->pkey != nullptr);
  return Ed25519Key(std::move(key));
}

std::array<std::byte, 32> Ed25519Key::public_key() const {
  std::array<std::byte, 32> out;
  std::size_t size = out.size();
  require(EVP_PKEY_get_raw_public_key(key_->pkey.get(), raw_out(std::span(out)), &size) == 1);
  return out;
}

std::array<std::byte, 64> Ed25519Key::sign(std::string_view message) const {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  require(context != nullptr);
  require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->pkey.get()) == 1);
  std::array<std::byte, 64> out;
  std::size_t size = out.size();
  require(EVP_DigestSign(context.get(), raw_out(std::span(out)), &size, raw(message),
                         message.size()) == 1);
  return out;
}

bool verify_ed25519(std::span<const std::byte> public_key, std::string_view message,
                    std::span<const std::byte> signature) {
  if (public_key.size() != 32) return false;
  const Owned<EVP_PKEY> key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(public_key), public_key.size()));
  if (key == nullptr) return false;
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  require(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                          message.size()) == 1;
}

}  // namespace flora::crypto
