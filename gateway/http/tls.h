// TLS on a non-blocking socket, by OpenSSL. OpenSSL's headers stay in tls.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/http/message.h"
#include "gateway/http/server.h"

struct ssl_ctx_st;
struct ssl_st;

namespace flora::http {

/// What came of one attempt to move bytes.
struct Io {
  enum class State : std::uint8_t { done, again, eof, failed };
  State state = State::again;
  std::size_t bytes = 0;
};

/// Certificate, key, trust and session tickets of a listener. Immutable, thread-safe.
class TlsContext {
 public:
  /// Errors: invalid, naming the file.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* handle() const { return handle_; }

 private:
  explicit TlsContext(ssl_ctx_st* handle) : handle_(handle) {}
  ssl_ctx_st* handle_;
};

/// The server's side of one connection. Does not own the socket. Not thread-safe.
class TlsSession {
 public:
  enum class Handshake : std::uint8_t {
    done,
    again,
    failed,
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

 private:
  TlsSession(std::shared_ptr<const TlsContext> context, ssl_st* handle)
      : context_(std::move(context)), handle_(handle) {}
  Io classify(int result);

  std::shared_ptr<const TlsContext> context_;
  ssl_st* handle_;
  bool wants_write_ = false;
  bool broken_ = false;  // After a fatal error nothing may be sent any more.
};

}  // namespace flora::http
