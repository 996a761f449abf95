// A connected socket with or without TLS.
#pragma once

#include <cstddef>
#include <memory>

#include "gateway/http/output.h"
#include "gateway/http/tls.h"

namespace flora::http {

/// Owns the socket. No call blocks. Not thread-safe.
class Stream {
 public:
  /// `tls` may be null.
  Stream(int fd, std::unique_ptr<TlsSession> tls) : fd_(fd), tls_(std::move(tls)) {}
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&&) = delete;
  ~Stream();

  int fd() const { return fd_; }
  TlsSession* tls() { return tls_.get(); }
  bool wants_write() const { return tls_ && tls_->wants_write(); }
  bool is_outdated() const { return tls_ && tls_->is_outdated(); }
  bool has_pending() const { return tls_ && tls_->has_pending(); }

  Io read(char* buffer, std::size_t size);

  /// Sends as much as the socket takes and removes it from `output`. `bytes` says how much.
  Io write(Output& output);

  void drop_tls() { tls_.reset(); }               ///< Goes on in plain text.
  void end_output();                              ///< The client reads the end of the stream.
  Io skip_input(char* buffer, std::size_t size);  ///< Reads raw bytes, to drop them.

  /// Closes the socket. With `reset` the client learns that bytes are missing.
  void close(bool reset);

 private:
  Io write_plain(const Output& output);

  int fd_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace flora::http
