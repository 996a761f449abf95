#include "gateway/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/http/openssl_owned.h"

namespace flora::http {
namespace {

constexpr std::size_t kRecord = 16u << 10;

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

std::unique_ptr<TlsSession> TlsSession::accept(std::shared_ptr<const TlsContext> context, int fd) {
  context->warn_of_ends();
  SSL* ssl = SSL_new(context->handle());
  if (!ssl) return nullptr;
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context), ssl));
  if (SSL_set_fd(ssl, fd) != 1) return nullptr;
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), session->context_->now_s());
  SSL_set_accept_state(ssl);
  return session;
}

TlsSession::~TlsSession() { SSL_free(handle_); }

TlsSession::Handshake TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(handle_);
  wants_write_ = false;
  return result == 1 ? finish() : fail(result);
}

// OpenSSL resumes a session without looking at its certificate again, and gives it a new lifetime:
// without this a client could go on for ever with a certificate that has expired.
TlsSession::Handshake TlsSession::finish() {
  if (!resumed() || is_trusted_by(*context_)) return Handshake::done;
  SSL_CTX_remove_session(context_->handle(), SSL_get_session(handle_));
  return Handshake::untrusted;
}

TlsSession::Handshake TlsSession::fail(int result) {
  const unsigned long cause = ERR_peek_error();
  if (classify(result).state == Io::State::again) return Handshake::again;
  if (SSL_get_verify_result(handle_) != X509_V_OK) return Handshake::untrusted;
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
                           sans_of(certificate.get()), end_of(certificate.get())};
}

void TlsSession::close_notify() {
  if (broken_ || !SSL_is_init_finished(handle_)) return;
  ERR_clear_error();
  SSL_shutdown(handle_);
  ERR_clear_error();
}

}  // namespace flora::http
