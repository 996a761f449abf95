// Listening sockets, and the addresses of those who connect.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/http/server.h"
#include "gateway/http/tls.h"

namespace flora::http {

/// How often each address is connected now. An IPv6 address counts by its first 64 bits.
/// Thread-safe.
class AddressTable {
 public:
  /// `limit` 0: no limit, and nothing is counted.
  explicit AddressTable(std::size_t limit) : limit_(limit) {}

  /// The key under which the address counts (empty: does not count), or nothing if it is at its
  /// limit.
  std::optional<std::string> enter(const sockaddr_storage& address);
  void leave(const std::string& key);

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;
};

/// One configured listener: a socket for each worker, its TLS context, and how many connections it
/// has. Thread-safe; fd() of one worker belongs to that worker.
class Endpoint {
 public:
  /// Errors: invalid, unavailable.
  static Result<std::unique_ptr<Endpoint>> open(const Listener& listener, std::size_t workers,
                                                const ServerOptions& options);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  int fd(std::size_t worker) const { return fds_[worker]; }
  void close(std::size_t worker);  ///< By its worker, or when no worker runs.
  std::uint16_t port() const { return port_; }
  Handler& handler() const { return *listener_.handler; }
  bool is_tls() const { return listener_.options.tls.has_value(); }

  /// The present context; null without TLS.
  std::shared_ptr<const TlsContext> tls() const;
  Result<std::shared_ptr<const TlsContext>> load_tls() const;
  void replace_tls(std::shared_ptr<const TlsContext> context);

  /// True if more have entered than may be connected at the same time.
  bool is_over() const { return open_.load(std::memory_order_relaxed) > connections_; }

  /// Counts a connection. Returns the key for leave(), or nothing if the address is at its limit.
  std::optional<std::string> enter(const sockaddr_storage& address);
  void leave(const std::string& key);

 private:
  Endpoint(const Listener& listener, const ServerOptions& options);
  Result<void> open_sockets(std::size_t workers);
  Result<void> open_unix(std::size_t workers);
  Result<void> open_inet(std::size_t workers);

  Listener listener_;
  Env& env_;
  const std::size_t connections_;
  std::atomic<std::size_t> open_{0};
  AddressTable addresses_;
  std::vector<int> fds_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> tls_;
};

/// The peer of an accepted socket, without certificate.
Peer describe(const sockaddr_storage& address);

}  // namespace flora::http
