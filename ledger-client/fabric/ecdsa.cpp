#include "ledger-client/fabric/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "ledger-client/fabric/openssl_owned.h"

namespace flora::fabric {
namespace {

using Number = Owned<BIGNUM, BN_free>;
using Signature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

constexpr std::size_t kCoordinate = 32;  // Bytes of r and of s.
constexpr std::size_t kMostDer = 72;
// FIPS 186-4 §D.1.2.3: n.
constexpr const char* kOrder = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number order() {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, kOrder);
  return Number(number);
}

Number half_of(const BIGNUM* n) {
  Number half(BN_new());
  if (half && BN_rshift1(half.get(), n) != 1) half.reset();
  return half;
}

bool is_below(const BIGNUM* value, const BIGNUM* n) {
  return !BN_is_zero(value) && !BN_is_negative(value) && BN_cmp(value, n) < 0;
}

std::string to_der(const ECDSA_SIG* signature) {
  const int size = i2d_ECDSA_SIG(signature, nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(signature, &out);
  return der;
}

// Takes the place of s if it is high. False: r or s is out of bounds.
bool lower(ECDSA_SIG* signature) {
  const Number n = order();
  const Number half = n ? half_of(n.get()) : nullptr;
  const BIGNUM* r = ECDSA_SIG_get0_r(signature);
  const BIGNUM* s = ECDSA_SIG_get0_s(signature);
  if (!half || !is_below(r, n.get()) || !is_below(s, n.get())) return false;
  if (BN_cmp(s, half.get()) <= 0) return true;
  Number same(BN_dup(r));
  Number low(BN_new());
  if (!same || !low || BN_sub(low.get(), n.get(), s) != 1) return false;
  return ECDSA_SIG_set0(signature, same.release(), low.release()) == 1;
}

}  // namespace

std::optional<std::string> with_low_s(std::string_view der) {
  if (der.size() > kMostDer) return std::nullopt;
  const unsigned char* at = raw(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!signature || to_der(signature.get()) != der || !lower(signature.get())) return std::nullopt;
  return to_der(signature.get());
}

std::optional<std::string> low_s_from_raw(std::string_view both) {
  if (both.size() != 2 * kCoordinate) return std::nullopt;
  Number r(BN_bin2bn(raw(both), kCoordinate, nullptr));
  Number s(BN_bin2bn(raw(both) + kCoordinate, kCoordinate, nullptr));
  const Signature signature(ECDSA_SIG_new());
  if (!r || !s || !signature) return std::nullopt;
  ECDSA_SIG_set0(signature.get(), r.release(), s.release());
  if (!lower(signature.get())) return std::nullopt;
  return to_der(signature.get());
}

}  // namespace flora::fabric
