// A blocking client for tests of the server, at the level of bytes. Every wait ends after a
// deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace flora::http::test {

struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // Names as received.
  std::string body;
  bool complete = false;  // The body ended as its framing says.

  std::string_view header(std::string_view name) const;  // Empty if there is none.
};

/// What a TLS client shows and trusts. Keeps the last session, to resume it.
class ClientTls {
 public:
  explicit ClientTls(const std::string& ca_file, const std::string& certificate_file = {},
                     const std::string& key_file = {}, int max_version = 0);
  ~ClientTls();
  ssl_ctx_st* context() const { return context_; }
  ssl_session_st* session() const { return session_; }
  void keep(ssl_session_st* session);

 private:
  ssl_ctx_st* context_;
  ssl_session_st* session_ = nullptr;
};

class Client {
 public:
  explicit Client(std::uint16_t port, ClientTls* tls = nullptr,
                  const char* address = "127.0.0.1");  // Numeric IPv4.
  explicit Client(const std::string& unix_path);
  static Client over_ipv6(std::uint16_t port);
  Client(Client&& other) noexcept;
  ~Client();

  bool is_connected() const { return fd_ >= 0 && (!wants_tls_ || ssl_); }
  bool resumed() const;

  /// Asks for a second handshake of TLS 1.2. False if the server does not agree.
  bool renegotiate();
  int fd() const { return fd_; }

  bool send(std::string_view bytes);
  bool send_bytewise(std::string_view bytes);

  /// The next answer, or nothing if the connection ends or nothing comes for `seconds`.
  std::optional<Reply> read(bool to_head = false, int seconds = 10);

  /// True if the server ends the connection (also by reset) without another byte.
  bool ends(int seconds = 10);

  /// Some raw bytes; empty at the end.
  std::string receive(std::size_t max, int seconds = 10);

  void shrink_receive_buffer();
  void half_close();
  void reset();
  void close();

 private:
  Client() = default;
  void connect_tls(ClientTls& tls);
  bool fill(int seconds);
  std::optional<std::string> line(int seconds);
  bool take(std::string& out, std::size_t n, int seconds);
  bool read_chunked(std::string& out, int seconds);

  int fd_ = -1;
  bool wants_tls_ = false;
  ssl_st* ssl_ = nullptr;
  std::string buffer_;
};

}  // namespace flora::http::test
