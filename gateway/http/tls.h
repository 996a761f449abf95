// TLS on a non-blocking socket, by OpenSSL. Two source files: tls_context.cpp (the profile, files
// and whom to trust) and tls.cpp (one connection). OpenSSL's headers stay in them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/http/message.h"
#include "gateway/http/server.h"

struct ssl_ctx_st;
struct ssl_st;
struct x509_st;
struct x509_store_ctx_st;

namespace flora::http {

/// What came of one attempt to move bytes.
struct Io {
  enum class State : std::uint8_t { done, again, eof, failed };
  State state = State::again;
  std::size_t bytes = 0;
};

/// Certificate, key, trust and sessions of a listener, by the profile of README.md. Thread-safe;
/// what was read never changes.
class TlsContext {
 public:
  /// Certificates and CRLs are judged by the clock of `env`, which must outlive the context.
  /// Errors: invalid, naming the file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsOptions& options, Env& env);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* handle() const { return handle_; }
  std::int64_t now_s() const { return env_.now_ms() / 1000; }

  /// Of the certificate chain, and of the CRLs, what ends first, in seconds since the Unix epoch;
  /// nothing if there are none.
  std::optional<std::int64_t> certificate_end() const { return certificate_end_; }
  std::optional<std::int64_t> crl_end() const { return crl_end_; }

  /// Whether the client certificate of this connection, which may belong to another context, would
  /// be taken now. True if the client has shown none.
  bool trusts_client_of(ssl_st* connection) const;

  /// Another context has taken this one's place.
  void retire() const { retired_.store(true, std::memory_order_release); }
  bool is_retired() const { return retired_.load(std::memory_order_acquire); }

  /// Warns in the log of files that end soon, once a day each.
  void warn_of_ends() const;

 private:
  /// A file that is good until `end` only.
  struct Ending {
    Ending(std::string file_name, std::int64_t begin_s, std::int64_t end_s);
    const std::string file;
    const std::int64_t end;
    std::atomic<std::int64_t> warn_at;
  };

  TlsContext(ssl_ctx_st* handle, Env& env);
  static int on_verified(int good, x509_store_ctx_st* verification);
  Result<void> read_key(const TlsOptions& options);
  Result<void> check_dates(const x509_st* certificate, const std::string& file);
  Result<void> read_trust(const TlsOptions& options);
  Result<void> read_crls(const std::string& file);
  void log_refusal(x509_store_ctx_st* verification) const;

  ssl_ctx_st* const handle_;
  Env& env_;
  std::optional<std::int64_t> certificate_end_;
  std::optional<std::int64_t> crl_end_;
  std::vector<std::unique_ptr<Ending>> endings_;
  mutable std::atomic<bool> retired_{false};
  mutable std::atomic<std::int64_t> next_refusal_ns_{0};  // When a refusal is logged again.
};

/// The end of a certificate, in seconds since the Unix epoch; 0 if it cannot be read.
std::int64_t end_of(const x509_st* certificate);

/// The SHA-256 fingerprint of a certificate in hex digits; empty if there is no memory.
std::string fingerprint(const x509_st* certificate);

/// The server's side of one connection. Does not own the socket. Not thread-safe.
class TlsSession {
 public:
  enum class Handshake : std::uint8_t {
    done,
    again,
    failed,
    untrusted,  ///< The client's certificate is refused; the log says why.
    plain_http  ///< The client speaks HTTP without TLS; nothing was sent.
  };

  /// Nothing if there is no memory.
  static std::unique_ptr<TlsSession> accept(std::shared_ptr<const TlsContext> context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Handshake handshake();
  Io read(char* buffer, std::size_t size);

  /// After `again`, the next call must begin with the same bytes.
  Io write(std::string_view bytes);

  bool wants_write() const {
    return wants_write_;
  }                          ///< The last call waits for the socket to take bytes.
  bool has_pending() const;  ///< Decrypted bytes wait that epoll does not show.
  bool resumed() const;
  std::optional<ClientCertificate> certificate() const;  ///< After the handshake.
  void close_notify();                                   ///< Best effort, never waits.

  std::int64_t now_s() const { return context_->now_s(); }

  /// The listener's files were read again since the handshake began.
  bool is_outdated() const { return context_->is_retired(); }

  /// Whether `present` takes the client's certificate.
  bool is_trusted_by(const TlsContext& present) const { return present.trusts_client_of(handle_); }

 private:
  TlsSession(std::shared_ptr<const TlsContext> context, ssl_st* handle)
      : context_(std::move(context)), handle_(handle) {}
  Handshake finish();
  Handshake fail(int result);
  Io classify(int result);

  std::shared_ptr<const TlsContext> context_;
  ssl_st* handle_;
  bool wants_write_ = false;
  bool broken_ = false;  // After a fatal error nothing may be sent any more.
};

}  // namespace flora::http
