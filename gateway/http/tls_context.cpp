// The profile, the files of a listener, and whom it trusts.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>
#include <string>
#include <utility>

#include "gateway/base/bytes.h"
#include "gateway/base/log.h"
#include "gateway/http/openssl_owned.h"
#include "gateway/http/tls.h"

namespace flora::http {
namespace {

// The profile: what BSI TR-02102-2 recommends beyond 2025, as the BSI's own test suite states it
// (BSI-Bund/TaSK, TR-02102-2-*.xml, section and table numbers of the edition 2023-01), less what
// nobody needs: CBC, CCM, DHE, PSK. What the guideline does not list is not offered, good or not:
// ChaCha20, X25519, Ed25519.
constexpr int kOldest = TLS1_2_VERSION;  // §3.2

// §3.3.1.1, table 1; in 1.3 §3.4.4, table 12.
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* kSuites13 = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";

// §3.3.2, table 5, and §3.4.2, table 9. OpenSSL 3.0 has the brainpool curves in TLS 1.2 only.
constexpr const char* kGroups = "P-256:P-384:P-521:brainpoolP256r1:brainpoolP384r1:brainpoolP512r1";

// §3.3.3, table 6, and §3.4.3, table 10. RSA PKCS #1 v1.5 is recommended until 2025. In TLS 1.2 an
// ECDSA entry stands for its hash with any of the groups.
constexpr const char* kSignatures =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512";

// §3.6.2, as OpenSSL calls them.
constexpr std::array<std::string_view, 6> kKeyCurves = {"prime256v1",      "secp384r1",
                                                        "secp521r1",       "brainpoolP256r1",
                                                        "brainpoolP384r1", "brainpoolP512r1"};

// §3.6.1, table 13: EC from 250 bits, RSA from 3000. OpenSSL's level 3 asks of every certificate of
// a chain for 128 bits of security: EC from 256 bits, RSA from 3072, signatures with SHA-256 or
// better.
constexpr int kSecurityLevel = 3;
constexpr int kSecurityBits = 128;
constexpr int kLeastHash = 32;  // Bytes of SHA-256.

// §3.3.4.1 and §3.3.4.3: no renegotiation by the client, no compression. Tickets sealed with a key
// that lives as long as the process would end the forward secrecy of TLS 1.2: sessions stay in
// memory instead, for a short time.
constexpr std::uint64_t kOptions = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET;
constexpr long kSessionSeconds = 300;
constexpr long kSessionCache = 4096;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kRefusalPauseNs =
    1'000'000'000;  // A flood of refusals is no flood of lines.

using Bio = Owned<BIO, BIO_free_all>;
using Certificate = Owned<X509, X509_free>;

Error invalid(std::string message) {
  ERR_clear_error();
  return {Errc::invalid, std::move(message)};
}

// A file under a password is refused: without this OpenSSL asks for it at the terminal.
int no_password(char*, int, int, void*) { return -1; }

// Why OpenSSL refuses what it could read; empty if it could not read it.
std::string_view breach_of_profile() {
  switch (ERR_GET_REASON(ERR_peek_last_error())) {
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
      return "a key is shorter than EC 256 or RSA 3072 bits";
    case SSL_R_CA_MD_TOO_WEAK:
      return "a signature is made with a hash weaker than SHA-256";
    default:
      return {};
  }
}

// All objects of one kind in a PEM file; none if it cannot be read to its end.
template <auto read, auto free, typename T>
std::vector<Owned<T, free>> read_all(const std::string& file) {
  std::vector<Owned<T, free>> objects;
  ERR_clear_error();
  const Bio in(BIO_new_file(file.c_str(), "r"));
  while (in) {
    Owned<T, free> object(read(in.get(), nullptr, no_password, nullptr));
    if (!object) break;
    objects.push_back(std::move(object));
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) objects.clear();
  ERR_clear_error();
  return objects;
}

std::optional<std::int64_t> seconds_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &fields) != 1) return std::nullopt;
  return timegm(&fields);
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs, offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

Result<void> set_profile(SSL_CTX* ctx) {
  SSL_CTX_set_security_level(ctx, kSecurityLevel);
  SSL_CTX_set_options(ctx, kOptions);
  const bool set = SSL_CTX_set_min_proto_version(ctx, kOldest) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(ctx, kSuites12) == 1 &&
                   SSL_CTX_set_ciphersuites(ctx, kSuites13) == 1 &&
                   SSL_CTX_set1_groups_list(ctx, kGroups) == 1 &&
                   SSL_CTX_set1_sigalgs_list(ctx, kSignatures) == 1 &&
                   SSL_CTX_set_max_early_data(ctx, 0) == 1;
  if (!set) return invalid("this OpenSSL cannot do the TLS profile");
  // What is sent is the chain of the file, not what could be found among the CAs of clients.
  SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(ctx, no_password);
  return {};
}

// Without a session id context, OpenSSL refuses to resume sessions with client certificates.
void set_sessions(SSL_CTX* ctx) {
  static constexpr unsigned char kContext[] = "flora";
  SSL_CTX_set_session_id_context(ctx, kContext, sizeof kContext - 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(ctx, kSessionCache);
  SSL_CTX_set_timeout(ctx, kSessionSeconds);
}

// A key that no signature of the profile can be made with would fail in every handshake.
bool fits_profile(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) return true;
  std::array<char, 64> curve{};
  if (EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) != 1) return false;
  return std::find(kKeyCurves.begin(), kKeyCurves.end(), curve.data()) != kKeyCurves.end();
}

bool has_weak_hash(const X509_CRL* crl) {
  int hash = NID_undef;
  if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &hash, nullptr) != 1) return true;
  const EVP_MD* md = EVP_get_digestbynid(hash);  // None: the scheme brings its own, as RSA-PSS.
  return md != nullptr && EVP_MD_get_size(md) < kLeastHash;
}

}  // namespace

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return to_hex(std::as_bytes(std::span(digest).first(size)));
}

std::int64_t end_of(const X509* certificate) {
  return seconds_of(X509_get0_notAfter(certificate)).value_or(0);
}

TlsContext::Ending::Ending(std::string file_name, std::int64_t begin_s, std::int64_t end_s)
    : file(std::move(file_name)),
      end(end_s),
      warn_at(end_s - std::min(30 * kDay, (end_s - begin_s) / 3)) {}

TlsContext::TlsContext(SSL_CTX* handle, Env& env) : handle_(handle), env_(env) {
  SSL_CTX_set_app_data(handle_, this);
}

TlsContext::~TlsContext() { SSL_CTX_free(handle_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsOptions& options, Env& env) {
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  if (!ctx) return Error{Errc::unavailable, "OpenSSL gives no context"};
  std::shared_ptr<TlsContext> context(new TlsContext(ctx, env));
  FLORA_TRY(set_profile(ctx));
  set_sessions(ctx);
  FLORA_TRY(context->read_key(options));
  FLORA_TRY(context->read_trust(options));
  context->warn_of_ends();
  return std::shared_ptr<const TlsContext>(std::move(context));
}

Result<void> TlsContext::read_key(const TlsOptions& options) {
  const std::string& file = options.certificate_file;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(handle_, file.c_str()) != 1) {
    const std::string_view breach = breach_of_profile();
    if (breach.empty()) return invalid("cannot read the certificate " + file);
    return invalid("the certificate " + file + " is refused: " + std::string(breach));
  }
  const X509* own = SSL_CTX_get0_certificate(handle_);
  if (!fits_profile(X509_get0_pubkey(own))) {
    return invalid("the certificate " + file +
                   " is refused: its key is neither RSA nor on a NIST or brainpool curve");
  }
  if (X509_check_purpose(const_cast<X509*>(own), X509_PURPOSE_SSL_SERVER, 0) != 1) {
    return invalid("the certificate " + file +
                   " is refused: its key usage is not that of a server");
  }
  FLORA_TRY(check_dates(own, file));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(handle_, &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    FLORA_TRY(check_dates(sk_X509_value(chain, i), file));
  }
  const bool read =
      SSL_CTX_use_PrivateKey_file(handle_, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!read && ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_X509) {
    return invalid("cannot read the key " + options.key_file + " (PEM, without a password)");
  }
  if (!read || SSL_CTX_check_private_key(handle_) != 1) {
    return invalid("the key " + options.key_file + " does not belong to the certificate");
  }
  return {};
}

// Every client refuses a server whose certificate has expired: it is better told at the start, or,
// when files are read again, before it takes the place of a good one.
Result<void> TlsContext::check_dates(const X509* certificate, const std::string& file) {
  const auto begin = seconds_of(X509_get0_notBefore(certificate));
  const auto end = seconds_of(X509_get0_notAfter(certificate));
  if (!begin || !end) return invalid("cannot read the dates of the certificate " + file);
  if (now_s() < *begin) return invalid("the certificate " + file + " is not valid yet");
  if (now_s() > *end) return invalid("the certificate " + file + " has expired");
  certificate_end_ = std::min(certificate_end_.value_or(*end), *end);
  endings_.push_back(std::make_unique<Ending>(file, *begin, *end));
  return {};
}

Result<void> TlsContext::read_trust(const TlsOptions& options) {
  if (options.client_certificates == ClientCertificates::none) {
    SSL_CTX_set_verify(handle_, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  const std::string& file = options.client_ca_file;
  const auto authorities = read_all<PEM_read_bio_X509, X509_free, X509>(file);
  if (authorities.empty()) return invalid("cannot read the client CA " + file);
  for (const auto& authority : authorities) {
    if (EVP_PKEY_get_security_bits(X509_get0_pubkey(authority.get())) < kSecurityBits) {
      return invalid("the client CA " + file +
                     " is refused: a key is shorter than EC 256 or RSA 3072 bits");
    }
    // OpenSSL reads the extensions when somebody first asks: now, while there is one thread.
    if (X509_check_purpose(authority.get(), -1, 0) != 1) {
      return invalid("the client CA " + file + " is refused: its extensions cannot be read");
    }
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(handle_), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(handle_, authority.get()) != 1) {
      return invalid("cannot use the client CA " + file);
    }
  }
  const bool required = options.client_certificates == ClientCertificates::required;
  SSL_CTX_set_verify(handle_, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     on_verified);
  return options.crl_file.empty() ? Result<void>() : read_crls(options.crl_file);
}

// From here on a certificate is refused whose issuer has no CRL here that is in force. An expired
// CRL is taken: it refuses its clients, and the log says why; no start would be less.
Result<void> TlsContext::read_crls(const std::string& file) {
  const auto crls = read_all<PEM_read_bio_X509_CRL, X509_CRL_free, X509_CRL>(file);
  if (crls.empty()) return invalid("cannot read the CRL " + file);
  X509_STORE* store = SSL_CTX_get_cert_store(handle_);
  for (const auto& crl : crls) {
    const auto begin = seconds_of(X509_CRL_get0_lastUpdate(crl.get()));
    const auto end = seconds_of(X509_CRL_get0_nextUpdate(crl.get()));
    if (!begin || !end) return invalid("a CRL in " + file + " does not say when it ends");
    if (has_weak_hash(crl.get())) {
      return invalid("a CRL in " + file + " is signed with a hash weaker than SHA-256");
    }
    if (X509_STORE_add_crl(store, crl.get()) != 1) return invalid("cannot use the CRL " + file);
    crl_end_ = std::min(crl_end_.value_or(*end), *end);
    endings_.push_back(std::make_unique<Ending>(file, *begin, *end));
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

bool TlsContext::trusts_client_of(SSL* connection) const {
  const Certificate client(SSL_get1_peer_certificate(connection));
  if (!client) return true;
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> verification(X509_STORE_CTX_new());
  X509_STORE_CTX* v = verification.get();
  if (!v || X509_STORE_CTX_init(v, SSL_CTX_get_cert_store(handle_), client.get(),
                                SSL_get_peer_cert_chain(connection)) != 1) {
    return false;
  }
  X509_STORE_CTX_set_default(v, "ssl_client");
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(v), kSecurityLevel);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(v), now_s());
  X509_STORE_CTX_set_ex_data(v, SSL_get_ex_data_X509_STORE_CTX_idx(), connection);
  X509_STORE_CTX_set_verify_cb(v, on_verified);
  const bool trusted = X509_verify_cert(v) == 1;
  ERR_clear_error();
  return trusted;
}

int TlsContext::on_verified(int good, X509_STORE_CTX* verification) {
  if (good == 1) return 1;
  const auto* connection = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  static_cast<const TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)))
      ->log_refusal(verification);
  return 0;
}

// The fingerprint is how the policy knows clients; a subject may name a person.
void TlsContext::log_refusal(X509_STORE_CTX* verification) const {
  const std::int64_t now = env_.steady_ns();
  std::int64_t next = next_refusal_ns_.load();
  if (now < next || !next_refusal_ns_.compare_exchange_strong(next, now + kRefusalPauseNs)) return;
  const char* reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification));
  const std::string client = fingerprint(X509_STORE_CTX_get0_cert(verification));
  log::write(
      log::Level::warning, "a client certificate is refused",
      {{"reason", std::string_view(reason)}, {"certificate_sha256", std::string_view(client)}});
}

void TlsContext::warn_of_ends() const {
  const std::int64_t now = now_s();
  for (const auto& ending : endings_) {
    std::int64_t due = ending->warn_at.load();
    if (now < due || !ending->warn_at.compare_exchange_strong(due, now + kDay)) continue;
    log::write(
        log::Level::warning, now > ending->end ? "a TLS file has expired" : "a TLS file ends soon",
        {{"file", std::string_view(ending->file)}, {"days_left", (ending->end - now) / kDay}});
  }
}

}  // namespace flora::http
