#include "ledger-client/fabric/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <span>

#include "gateway/base/crypto.h"
#include "ledger-client/fabric/ecdsa.h"
#include "ledger-client/fabric/openssl_owned.h"

namespace flora::fabric {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;

constexpr std::size_t kMostKeyFile = 16'384;
constexpr std::size_t kMostSignature = 72;

// Nobody is asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

class FileSigner final : public Signer {
 public:
  explicit FileSigner(Key key) : key_(std::move(key)) {}

  void sign(std::string message, Done done) override { done(sign_now(message)); }

 private:
  Result<std::string> sign_now(const std::string& message) const {
    const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::string der(kMostSignature, '\0');
    std::size_t length = der.size();
    const bool is_signed =
        context &&
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &length,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
    ERR_clear_error();
    der.resize(length);
    const std::optional<std::string> low = is_signed ? with_low_s(der) : std::nullopt;
    if (!low) return Error{Errc::unavailable, "OpenSSL does not sign"};
    return *low;
  }

  const Key key_;
};

}  // namespace

Result<std::unique_ptr<Signer>> file_signer(const std::string& key_file,
                                            const Certificate& certificate, Env& env) {
  FLORA_ASSIGN(std::string pem, env.read_file(key_file, kMostKeyFile));
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr) : nullptr);
  ERR_clear_error();
  crypto::erase(std::as_writable_bytes(std::span(pem)));
  if (!key) return Error{Errc::invalid, key_file + ": no private key in PEM without a passphrase"};
  if (!certificate.belongs_to(key.get())) {
    return Error{Errc::invalid, key_file + ": the key is not that of the certificate"};
  }
  return std::unique_ptr<Signer>(std::make_unique<FileSigner>(std::move(key)));
}

}  // namespace flora::fabric
