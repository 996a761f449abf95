// A wrapping key within a PKCS#11 token.
#include "gateway/base/pkcs11.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "gateway/base/crypto.h"
#include "gateway/privacy/wrapping_key.h"

namespace flora::privacy {
namespace {

using pkcs11::raw;

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kKeyBytes = sizeof(Digest);
constexpr std::size_t kWrappedBytes = kNonceBytes + kKeyBytes + kTagBytes;
constexpr CK_ULONG kAesBytes = 32;

bool is_forged(CK_RV code) {
  return code == CKR_ENCRYPTED_DATA_INVALID || code == CKR_ENCRYPTED_DATA_LEN_RANGE;
}

// What modules without a code for a wrong tag say, and others when they fail.
bool may_be_forged(CK_RV code) { return code == CKR_GENERAL_ERROR || code == CKR_FUNCTION_FAILED; }

// Used by one thread.
class Session final : public pkcs11::Session {
 public:
  Session(const Pkcs11Source& source, Env& env)
      : pkcs11::Session(source, {CKO_SECRET_KEY, CKK_AES, "AES key"}, env) {}

  Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) {
    std::string out(kWrappedBytes, '\0');
    env().random(std::as_writable_bytes(std::span(out.data(), kNonceBytes)));
    FLORA_TRY(run("C_Encrypt", [&] { return encrypt(out, key, context); }));
    return out;
  }

  Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) {
    crypto::SecretKey key;
    if (wrapped.size() != kWrappedBytes) return forged();
    CK_RV code = CKR_OK;
    FLORA_TRY(run("C_Decrypt", [&] {
      code = decrypt(key, wrapped, context);
      return is_forged(code) || (may_be_forged(code) && works()) ? CKR_OK : code;
    }));
    if (code != CKR_OK) return forged();
    return key;
  }

 private:
  static Error forged() { return {Errc::corrupt, "a procedure's key does not open"}; }

  Result<void> check_key() override {
    CK_ULONG bytes = 0;
    CK_ATTRIBUTE length{CKA_VALUE_LEN, &bytes, sizeof(bytes)};
    const CK_RV code = functions().C_GetAttributeValue(handle(), key_handle(), &length, 1);
    if (code != CKR_OK) return failed("C_GetAttributeValue", code);
    if (bytes == kAesBytes) return {};
    return Error{Errc::invalid, place() + ": the key \"" + label() + "\" has not 256 bits"};
  }

  static CK_GCM_PARAMS parameters(std::string_view nonce, std::string_view context) {
    CK_GCM_PARAMS gcm{};
    gcm.pIv = raw(nonce);
    gcm.ulIvLen = kNonceBytes;
    gcm.ulIvBits = kNonceBytes * 8;
    gcm.pAAD = raw(context);
    gcm.ulAADLen = context.size();
    gcm.ulTagBits = kTagBytes * 8;
    return gcm;
  }

  // `out` begins with the nonce; the rest is written.
  CK_RV encrypt(std::string& out, const crypto::SecretKey& key, std::string_view context) {
    CK_GCM_PARAMS gcm = parameters(out, context);
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof(gcm)};
    CK_RV code = functions().C_EncryptInit(handle(), &mechanism, key_handle());
    if (code != CKR_OK) return code;
    CK_ULONG length = out.size() - kNonceBytes;
    code = functions().C_Encrypt(handle(), raw(as_text(key.bytes)), kKeyBytes,
                                 raw(out) + kNonceBytes, &length);
    return code == CKR_OK && length != out.size() - kNonceBytes ? CKR_GENERAL_ERROR : code;
  }

  CK_RV decrypt(crypto::SecretKey& key, std::string_view wrapped, std::string_view context) {
    CK_GCM_PARAMS gcm = parameters(wrapped, context);
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof(gcm)};
    CK_RV code = functions().C_DecryptInit(handle(), &mechanism, key_handle());
    if (code != CKR_OK) return code;
    // Some modules ask for room for the tag too.
    std::array<std::byte, kWrappedBytes> plain{};
    CK_ULONG length = plain.size();
    const std::string_view sealed = wrapped.substr(kNonceBytes);
    code = functions().C_Decrypt(handle(), raw(sealed), sealed.size(),
                                 reinterpret_cast<CK_BYTE_PTR>(plain.data()), &length);
    if (code == CKR_OK && length != kKeyBytes) code = CKR_ENCRYPTED_DATA_INVALID;
    if (code == CKR_OK) std::copy_n(plain.begin(), kKeyBytes, key.bytes.begin());
    crypto::erase(plain);
    return code;
  }

  // If the token opens what it has just made, it was the tag that was wrong. So SoftHSM.
  bool works() {
    const crypto::SecretKey probe;
    crypto::SecretKey opened;
    std::string wrapped(kWrappedBytes, '\0');
    env().random(std::as_writable_bytes(std::span(wrapped.data(), kNonceBytes)));
    return encrypt(wrapped, probe, {}) == CKR_OK && decrypt(opened, wrapped, {}) == CKR_OK &&
           opened.bytes == probe.bytes;
  }
};

class Pkcs11Key final : public WrappingKey {
 public:
  Pkcs11Key(const Pkcs11Source& source, Env& env)
      : session_(std::make_shared<Session>(source, env)), thread_(source.bound) {}

  Result<void> open() {
    return run<void>([session = session_] { return session->open(); });
  }

  Result<std::string> wrap(const crypto::SecretKey& key, std::string_view context) override {
    return run<std::string>([session = session_, key, context = std::string(context)] {
      return session->wrap(key, context);
    });
  }

  Result<crypto::SecretKey> unwrap(std::string_view wrapped, std::string_view context) override {
    return run<crypto::SecretKey>(
        [session = session_, wrapped = std::string(wrapped), context = std::string(context)] {
          return session->unwrap(wrapped, context);
        });
  }

 private:
  template <typename T>
  Result<T> run(std::function<Result<T>()> call) {
    auto result = thread_.run<T>(std::move(call));
    if (result) return std::move(*result);
    return Error{Errc::unavailable, session_->place() + " does not answer"};
  }

  const std::shared_ptr<Session> session_;
  pkcs11::BoundedThread thread_;
};

}  // namespace

Result<std::unique_ptr<WrappingKey>> wrapping_key(const Pkcs11Source& source, Env& env) {
  auto key = std::make_unique<Pkcs11Key>(source, env);
  FLORA_TRY(key->open());
  return std::unique_ptr<WrappingKey>(std::move(key));
}

}  // namespace flora::privacy
