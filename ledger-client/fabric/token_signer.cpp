#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "gateway/base/crypto.h"
#include "gateway/base/pkcs11.h"
#include "ledger-client/fabric/ecdsa.h"
#include "ledger-client/fabric/signer.h"

namespace flora::fabric {
namespace {

constexpr CK_ULONG kSignatureBytes = 64;  // r and s (PKCS #11 v2.40 §2.3.1).
// secp256r1 as an OBJECT IDENTIFIER in DER (RFC 5480 §2.1.1.1).
constexpr std::string_view kP256("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10);

class Session final : public pkcs11::Session {
 public:
  Session(const Pkcs11Source& source, Env& env)
      : pkcs11::Session(source, {CKO_PRIVATE_KEY, CKK_EC, "EC private key"}, env) {}

  Result<std::string> sign(const std::string& message) {
    const Digest digest = crypto::sha256(message);
    std::string both(kSignatureBytes, '\0');
    FLORA_TRY(run("C_Sign", [&] { return sign_digest(as_text(digest), both); }));
    std::optional<std::string> der = low_s_from_raw(both);
    if (!der) return Error{Errc::unavailable, place() + " makes no signatures of P-256"};
    return std::move(*der);
  }

 private:
  Result<void> check_key() override {
    std::string curve(64, '\0');
    CK_ATTRIBUTE wanted{CKA_EC_PARAMS, curve.data(), curve.size()};
    const CK_RV code = functions().C_GetAttributeValue(handle(), key_handle(), &wanted, 1);
    if (code != CKR_OK) return failed("C_GetAttributeValue", code);
    curve.resize(wanted.ulValueLen);
    if (curve == kP256) return {};
    return Error{Errc::invalid, place() + ": the key \"" + label() + "\" is not on P-256"};
  }

  CK_RV sign_digest(std::string_view digest, std::string& both) {
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    const CK_RV code = functions().C_SignInit(handle(), &mechanism, key_handle());
    if (code != CKR_OK) return code;
    CK_ULONG length = both.size();
    const CK_RV made = functions().C_Sign(handle(), pkcs11::raw(digest), digest.size(),
                                          pkcs11::raw(both), &length);
    return made == CKR_OK && length != kSignatureBytes ? CKR_GENERAL_ERROR : made;
  }
};

class TokenSigner final : public Signer {
 public:
  TokenSigner(const Pkcs11Source& source, Env& env)
      : session_(std::make_shared<Session>(source, env)), calls_(source.bound) {}

  ~TokenSigner() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  // Nothing is signed before.
  Result<void> open(const Certificate& certificate) {
    FLORA_TRY(call<void>([session = session_] { return session->open(); }));
    constexpr const char* kProbe = "Does the key belong to the certificate?";
    FLORA_ASSIGN(const std::string signature, sign_now(kProbe));
    if (!certificate.verifies(kProbe, signature)) {
      return Error{Errc::invalid, session_->place() + ": the key \"" + session_->label() +
                                      "\" is not that of the certificate"};
    }
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void sign(std::string message, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back({std::move(message), std::move(done)});
    }
    wake_.notify_all();
  }

 private:
  struct Wanted {
    std::string message;
    Done done;
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Wanted next = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      next.done(sign_now(std::move(next.message)));
      next = {};
      lock.lock();
    }
  }

  Result<std::string> sign_now(std::string message) {
    return call<std::string>(
        [session = session_, message = std::move(message)] { return session->sign(message); });
  }

  template <typename T>
  Result<T> call(std::function<Result<T>()> function) {
    auto result = calls_.run<T>(std::move(function));
    if (result) return std::move(*result);
    return Error{Errc::unavailable, session_->place() + " does not answer"};
  }

  const std::shared_ptr<Session> session_;
  pkcs11::BoundedThread calls_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Wanted> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Signer>> token_signer(const Pkcs11Source& source,
                                             const Certificate& certificate, Env& env) {
  auto signer = std::make_unique<TokenSigner>(source, env);
  FLORA_TRY(signer->open(certificate));
  return std::unique_ptr<Signer>(std::move(signer));
}

}  // namespace flora::fabric
