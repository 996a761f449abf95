#include "gateway/http/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "gateway/base/bytes.h"

namespace flora::http {
namespace {

constexpr long kSessionSeconds = 300;
constexpr long kSessionCache = 4096;
constexpr std::size_t kRecord = 16u << 10;

template <auto free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
template <typename T, auto free>
using Owned = std::unique_ptr<T, Deleter<free>>;

Error invalid(std::string message) {
  ERR_clear_error();
  return {Errc::invalid, std::move(message)};
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

void set_protocol(SSL_CTX* ctx) {
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
}

// Without a session id context, OpenSSL refuses to resume sessions with client certificates.
void set_sessions(SSL_CTX* ctx) {
  static constexpr unsigned char kContext[] = "flora";
  SSL_CTX_set_session_id_context(ctx, kContext, sizeof kContext - 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(ctx, kSessionCache);
  SSL_CTX_set_timeout(ctx, kSessionSeconds);
}

Result<void> set_trust(SSL_CTX* ctx, const TlsOptions& options) {
  if (options.client_certificates == ClientCertificates::none) {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  const char* file = options.client_ca_file.c_str();
  if (SSL_CTX_load_verify_locations(ctx, file, nullptr) != 1) {
    return invalid("cannot read the client CA " + options.client_ca_file);
  }
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file);
  if (!names) return invalid("cannot read the client CA " + options.client_ca_file);
  SSL_CTX_set_client_CA_list(ctx, names);
  const bool required = options.client_certificates == ClientCertificates::required;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return {};
}

Result<void> set_key(SSL_CTX* ctx, const TlsOptions& options) {
  if (SSL_CTX_use_certificate_chain_file(ctx, options.certificate_file.c_str()) != 1) {
    return invalid("cannot read the certificate " + options.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return invalid("cannot read the key " + options.key_file);
  }
  if (SSL_CTX_check_private_key(ctx) != 1) {
    return invalid("key " + options.key_file + " does not belong to the certificate");
  }
  return {};
}

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return to_hex(std::as_bytes(std::span(digest).first(size)));
}

std::string subject_of(const X509* certificate) {
  const Owned<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  if (!bio) return {};
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string name_of(const GENERAL_NAME& name) {
  const ASN1_IA5STRING* text = nullptr;
  std::string result;
  if (name.type == GEN_DNS) {
    result = "DNS:";
    text = name.d.dNSName;
  } else if (name.type == GEN_URI) {
    result = "URI:";
    text = name.d.uniformResourceIdentifier;
  } else if (name.type == GEN_EMAIL) {
    result = "email:";
    text = name.d.rfc822Name;
  } else {
    return {};
  }
  result.append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                static_cast<std::size_t>(ASN1_STRING_length(text)));
  const bool clean = std::all_of(result.begin(), result.end(), [](char c) { return c > ' '; });
  return clean ? result : std::string();
}

std::vector<std::string> sans_of(const X509* certificate) {
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> result;
  if (!names) return result;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    std::string name = name_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty()) result.push_back(std::move(name));
  }
  return result;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsOptions& options) {
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  if (!ctx) return Error{Errc::unavailable, "OpenSSL gives no context"};
  std::shared_ptr<const TlsContext> context(new TlsContext(ctx));
  set_protocol(ctx);
  set_sessions(ctx);
  FLORA_TRY(set_key(ctx, options));
  FLORA_TRY(set_trust(ctx, options));
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(handle_); }

std::unique_ptr<TlsSession> TlsSession::accept(std::shared_ptr<const TlsContext> context, int fd) {
  SSL* ssl = SSL_new(context->handle());
  if (!ssl) return nullptr;
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context), ssl));
  if (SSL_set_fd(ssl, fd) != 1) return nullptr;
  SSL_set_accept_state(ssl);
  return session;
}

TlsSession::~TlsSession() { SSL_free(handle_); }

TlsSession::Handshake TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(handle_);
  if (result == 1) {
    wants_write_ = false;
    return Handshake::done;
  }
  const unsigned long cause = ERR_peek_error();
  if (classify(result).state == Io::State::again) return Handshake::again;
  return ERR_GET_REASON(cause) == SSL_R_HTTP_REQUEST ? Handshake::plain_http : Handshake::failed;
}

Io TlsSession::read(char* buffer, std::size_t size) {
  std::size_t total = 0;
  do {
    ERR_clear_error();
    std::size_t n = 0;
    const int result = SSL_read_ex(handle_, buffer + total, size - total, &n);
    if (result != 1) {
      const Io io = classify(result);
      return total > 0 ? Io{Io::State::done, total} : io;
    }
    wants_write_ = false;
    total += n;
  } while (total < size && has_pending());
  return {Io::State::done, total};
}

Io TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t n = 0;
  const int result = SSL_write_ex(handle_, bytes.data(), std::min(bytes.size(), kRecord), &n);
  if (result != 1) return classify(result);
  wants_write_ = false;
  return {Io::State::done, n};
}

Io TlsSession::classify(int result) {
  wants_write_ = false;
  switch (SSL_get_error(handle_, result)) {
    case SSL_ERROR_WANT_READ:
      return {Io::State::again, 0};
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return {Io::State::again, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::State::eof, 0};
    default:
      broken_ = true;
      ERR_clear_error();
      return {Io::State::failed, 0};
  }
}

bool TlsSession::has_pending() const { return SSL_pending(handle_) > 0; }

bool TlsSession::resumed() const { return SSL_session_reused(handle_) == 1; }

std::optional<ClientCertificate> TlsSession::certificate() const {
  const Owned<X509, X509_free> certificate(SSL_get1_peer_certificate(handle_));
  if (!certificate || SSL_get_verify_result(handle_) != X509_V_OK) return std::nullopt;
  return ClientCertificate{fingerprint(certificate.get()), subject_of(certificate.get()),
                           sans_of(certificate.get())};
}

void TlsSession::close_notify() {
  if (broken_ || !SSL_is_init_finished(handle_)) return;
  ERR_clear_error();
  SSL_shutdown(handle_);
  ERR_clear_error();
}

}  // namespace flora::http
