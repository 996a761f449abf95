#include "gateway/auth/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string>

namespace flora::auth {
namespace {

constexpr std::size_t kCoordinate = 32;  // Bytes, of P-256; also of r and s, and of Ed25519.
constexpr int kLeastRsaBits = 3000;
constexpr int kMostRsaBits = 8192;
constexpr int kMostExponentBits = 64;
constexpr const char* kDigest = "SHA256";

template <auto free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
template <typename T, auto free>
using Owned = std::unique_ptr<T, Deleter<free>>;

using Number = Owned<BIGNUM, BN_free>;

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr));
}

// What failed here stays here: TLS on the same thread looks at the queue of errors.
Error no_key(std::string message) {
  ERR_clear_error();
  return {Errc::invalid, std::move(message)};
}

// A public key of a type from its parameters; null if OpenSSL does not take it.
EVP_PKEY* make(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return key;
}

bool is_sound(EVP_PKEY* key) {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

// JWS has r and s side by side (RFC 7518 §3.4), OpenSSL wants them in DER. Empty: they are none.
std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * kCoordinate) return {};
  Number r = number_of(signature.substr(0, kCoordinate));
  Number s = number_of(signature.substr(kCoordinate));
  const Owned<ECDSA_SIG, ECDSA_SIG_free> both(ECDSA_SIG_new());
  if (!r || !s || !both) return {};
  ECDSA_SIG_set0(both.get(), r.release(), s.release());
  const int size = i2d_ECDSA_SIG(both.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(both.get(), &out);
  return der;
}

// RFC 7518 §3.5: the salt is as long as the digest, which is also that of MGF1.
bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

void PublicKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Result<PublicKey> PublicKey::es256(std::string_view x, std::string_view y) {
  if (x.size() != kCoordinate || y.size() != kCoordinate) {
    return no_key("a coordinate of P-256 has 32 bytes");
  }
  std::string point = "\x04";  // SEC 1 §2.3.3: uncompressed.
  point += x;
  point += y;
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  const bool built =
      builder &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 1;
  Key key(built ? make("EC", builder.get()) : nullptr);
  if (!key || !is_sound(key.get())) return no_key("the point is not on P-256");
  return PublicKey(Scheme::es256, std::move(key));
}

Result<PublicKey> PublicKey::ps256(std::string_view modulus, std::string_view exponent) {
  return rsa(Scheme::ps256, modulus, exponent);
}

Result<PublicKey> PublicKey::rs256(std::string_view modulus, std::string_view exponent) {
  return rsa(Scheme::rs256, modulus, exponent);
}

Result<PublicKey> PublicKey::rsa(Scheme scheme, std::string_view modulus,
                                 std::string_view exponent) {
  if (modulus.size() > kMostRsaBits / 8) return no_key("an RSA key has at most 8192 bits");
  const Number n = number_of(modulus);
  const Number e = number_of(exponent.substr(0, kMostRsaBits / 8));
  if (!n || !e) return no_key("there is no memory");
  if (BN_num_bits(n.get()) < kLeastRsaBits) return no_key("an RSA key has at least 3000 bits");
  const bool usual = BN_is_odd(n.get()) && BN_is_odd(e.get()) && BN_num_bits(e.get()) > 16 &&
                     BN_num_bits(e.get()) <= kMostExponentBits;
  if (!usual) return no_key("the RSA key is none, or its exponent is not between 2^16 and 2^64");
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  const bool built = builder &&
                     OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                     OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1;
  Key key(built ? make("RSA", builder.get()) : nullptr);
  if (!key) return no_key("the RSA key is none");
  return PublicKey(scheme, std::move(key));
}

Result<PublicKey> PublicKey::ed25519(std::string_view x) {
  Key key(x.size() == kCoordinate
              ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(x), x.size())
              : nullptr);
  if (!key) return no_key("a key of Ed25519 has 32 bytes");
  return PublicKey(Scheme::ed25519, std::move(key));
}

bool PublicKey::verify(std::string_view message, std::string_view signature) const {
  std::string der;
  if (scheme_ == Scheme::es256) {
    der = der_of(signature);
    signature = der;
  } else if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()))) {
    return false;
  }
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // Belongs to the context.
  const char* const digest = scheme_ == Scheme::ed25519 ? nullptr : kDigest;
  const bool valid = context && !signature.empty() &&
                     EVP_DigestVerifyInit_ex(context.get(), &options, digest, nullptr, nullptr,
                                             key_.get(), nullptr) == 1 &&
                     (scheme_ != Scheme::ps256 || use_pss(options)) &&
                     EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                                      message.size()) == 1;
  ERR_clear_error();
  return valid;
}

}  // namespace flora::auth
