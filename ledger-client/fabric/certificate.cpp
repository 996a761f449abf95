#include "ledger-client/fabric/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <ctime>

#include "ledger-client/fabric/ecdsa.h"
#include "ledger-client/fabric/openssl_owned.h"

namespace flora::fabric {
namespace {

constexpr std::size_t kMostPem = 16'384;
constexpr std::size_t kMostAuthorities = std::size_t{1} << 20;

using X509Owner = Owned<X509, X509_free>;

Error invalid(std::string_view message) {
  ERR_clear_error();
  return {Errc::invalid, std::string(message)};
}

// All certificates of a PEM text; empty if one of them is none.
std::vector<X509Owner> read_all(std::string_view pem) {
  std::vector<X509Owner> all;
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (bio && BIO_pending(bio.get()) > 0) {
    X509Owner one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!one) {
      const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      if (!is_end) all.clear();
      break;
    }
    all.push_back(std::move(one));
  }
  ERR_clear_error();
  return all;
}

bool is_p256(const EVP_PKEY* key) {
  char group[16] = {};
  std::size_t length = 0;
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof(group), &length) == 1 &&
         std::strcmp(group, SN_X9_62_prime256v1) == 0;
}

std::string text_of(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (length < 0) return {};
  std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  return out;
}

std::vector<std::string> values_of(const X509* certificate, int kind) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  std::vector<std::string> values;
  for (int at = X509_NAME_get_index_by_NID(subject, kind, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, kind, at)) {
    values.push_back(text_of(X509_NAME_get_entry(subject, at)));
  }
  return values;
}

}  // namespace

void Certificate::Free::operator()(x509_st* certificate) const { X509_free(certificate); }
void Authorities::Free::operator()(x509_store_st* store) const { X509_STORE_free(store); }

Certificate::Certificate(Owner certificate)
    : certificate_(std::move(certificate)),
      units_(values_of(certificate_.get(), NID_organizationalUnitName)) {
  const std::vector<std::string> names = values_of(certificate_.get(), NID_commonName);
  if (!names.empty()) common_name_ = names.front();
}

Result<Certificate> Certificate::parse(std::string_view pem) {
  if (pem.size() > kMostPem) return invalid("a certificate is too long");
  std::vector<X509Owner> all = read_all(pem);
  if (all.size() != 1) return invalid("it is not one certificate in PEM");
  if (!is_p256(X509_get0_pubkey(all.front().get()))) {
    return invalid("the certificate's key is not on P-256");
  }
  if (X509_check_ca(all.front().get()) != 0) return invalid("the certificate is a CA's");
  ERR_clear_error();
  return Certificate(Owner(all.front().release()));
}

bool Certificate::verifies(std::string_view message, std::string_view signature) const {
  const std::optional<std::string> low = with_low_s(signature);
  if (!low || *low != signature) return false;
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const bool valid =
      context &&
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                           X509_get0_pubkey(certificate_.get())) == 1 &&
      EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) == 1;
  ERR_clear_error();
  return valid;
}

bool Certificate::is_from(const Authorities& authorities, std::int64_t seconds) const {
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), authorities.store_.get(), certificate_.get(),
                                      nullptr) != 1) {
    return false;
  }
  X509_STORE_CTX_set_time(context.get(), 0, static_cast<std::time_t>(seconds));
  const bool valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return valid;
}

bool Certificate::belongs_to(const evp_pkey_st* key) const {
  const bool equal = EVP_PKEY_eq(X509_get0_pubkey(certificate_.get()), key) == 1;
  ERR_clear_error();
  return equal;
}

Result<Authorities> Authorities::parse(std::string_view pem) {
  if (pem.size() > kMostAuthorities) return invalid("the CA certificates are too long");
  const std::vector<X509Owner> all = read_all(pem);
  if (all.empty()) return invalid("they are not CA certificates in PEM");
  Owner store(X509_STORE_new());
  if (!store) return invalid("there is no memory");
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT);
  for (const X509Owner& one : all) {
    if (X509_check_ca(one.get()) == 0) return invalid("a certificate is no CA's");
    if (X509_STORE_add_cert(store.get(), one.get()) != 1) return invalid("there is no memory");
  }
  return Authorities(std::move(store));
}

}  // namespace flora::fabric
