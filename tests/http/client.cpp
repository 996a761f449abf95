#include "tests/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "gateway/http/syntax.h"

namespace flora::http::test {
namespace {

constexpr int kTlsSeconds = 10;

int open_socket(const sockaddr* address, socklen_t size) {
  const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  if (address->sa_family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, address, size) == 0) return fd;
  ::close(fd);
  return -1;
}

int on_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<ClientTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->keep(session);
  return 1;
}

}  // namespace

std::string_view Reply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

ClientTls::ClientTls(const std::string& ca_file, const std::string& certificate_file,
                     const std::string& key_file, int max_version)
    : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  if (max_version != 0) SSL_CTX_set_max_proto_version(context_, max_version);
  if (!certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context_, certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context_, key_file.c_str(), SSL_FILETYPE_PEM);
  }
  SSL_CTX_set_app_data(context_, this);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_, on_session);
}

ClientTls::~ClientTls() {
  SSL_SESSION_free(session_);
  SSL_CTX_free(context_);
}

void ClientTls::keep(ssl_session_st* session) {
  SSL_SESSION_free(std::exchange(session_, session));
}

Client::Client(std::uint16_t port, ClientTls* tls, const char* numeric)
    : wants_tls_(tls != nullptr) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, numeric, &address.sin_addr) != 1) return;
  fd_ = open_socket(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (tls && fd_ >= 0) connect_tls(*tls);
}

Client::Client(const std::string& unix_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, unix_path.data(),
              std::min(unix_path.size(), sizeof address.sun_path - 1));
  fd_ = open_socket(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Client Client::over_ipv6(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  Client client;
  client.fd_ = open_socket(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return client;
}

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      wants_tls_(other.wants_tls_),
      ssl_(std::exchange(other.ssl_, nullptr)),
      buffer_(std::move(other.buffer_)) {}

Client::~Client() { close(); }

void Client::connect_tls(ClientTls& tls) {
  const timeval limit{kTlsSeconds, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ssl_ = SSL_new(tls.context());
  SSL_set_fd(ssl_, fd_);
  if (tls.session()) SSL_set_session(ssl_, tls.session());
  ERR_clear_error();
  if (SSL_connect(ssl_) == 1) return;
  SSL_free(std::exchange(ssl_, nullptr));
}

bool Client::resumed() const { return ssl_ && SSL_session_reused(ssl_) == 1; }

bool Client::renegotiate() {
  ERR_clear_error();
  return SSL_renegotiate(ssl_) == 1 && SSL_do_handshake(ssl_) == 1;
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const ssize_t n = ssl_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Client::send_bytewise(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [this](char c) { return send(std::string_view(&c, 1)); });
}

bool Client::fill(int seconds) {
  if (!ssl_ || SSL_pending(ssl_) == 0) {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, seconds * 1000) <= 0) return false;
  }
  std::array<char, 16384> block;
  ERR_clear_error();
  const ssize_t n = ssl_ ? SSL_read(ssl_, block.data(), static_cast<int>(block.size()))
                         : ::recv(fd_, block.data(), block.size(), 0);
  if (n <= 0) return false;
  buffer_.append(block.data(), static_cast<std::size_t>(n));
  return true;
}

std::optional<std::string> Client::line(int seconds) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill(seconds)) return std::nullopt;
  }
  std::string result = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return result;
}

bool Client::take(std::string& out, std::size_t n, int seconds) {
  while (buffer_.size() < n) {
    if (!fill(seconds)) return false;
  }
  out.append(buffer_, 0, n);
  buffer_.erase(0, n);
  return true;
}

bool Client::read_chunked(std::string& out, int seconds) {
  while (true) {
    const auto size_line = line(seconds);
    if (!size_line) return false;
    const std::size_t size = std::strtoul(size_line->c_str(), nullptr, 16);
    if (!take(out, size, seconds)) return false;
    const auto end = line(seconds);
    if (!end || !end->empty()) return false;
    if (size == 0) return true;
  }
}

std::optional<Reply> Client::read(bool to_head, int seconds) {
  const auto first = line(seconds);
  if (!first || first->size() < 12 || first->compare(0, 9, "HTTP/1.1 ") != 0) return std::nullopt;
  Reply reply;
  reply.status = std::atoi(first->c_str() + 9);
  while (true) {
    const auto field = line(seconds);
    if (!field) return std::nullopt;
    if (field->empty()) break;
    const std::size_t colon = field->find(": ");
    if (colon == std::string::npos) return std::nullopt;
    reply.headers.emplace_back(field->substr(0, colon), field->substr(colon + 2));
  }
  reply.complete = true;
  if (to_head || reply.status < 200 || reply.status == 204 || reply.status == 304) return reply;
  if (reply.header("transfer-encoding") == "chunked") {
    reply.complete = read_chunked(reply.body, seconds);
  } else if (!reply.header("content-length").empty()) {
    const std::size_t n =
        std::strtoul(std::string(reply.header("content-length")).c_str(), nullptr, 10);
    reply.complete = take(reply.body, n, seconds);
  } else {
    while (fill(seconds)) {
    }
    reply.body = std::exchange(buffer_, {});
  }
  return reply;
}

bool Client::ends(int seconds) {
  if (!buffer_.empty()) return false;
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, seconds * 1000) <= 0) return false;
  char c = 0;
  ERR_clear_error();
  return (ssl_ ? SSL_read(ssl_, &c, 1) : ::recv(fd_, &c, 1, 0)) <= 0;
}

std::string Client::receive(std::size_t max, int seconds) {
  if (buffer_.empty()) fill(seconds);
  std::string result = buffer_.substr(0, max);
  buffer_.erase(0, result.size());
  return result;
}

void Client::shrink_receive_buffer() {
  const int size = 4096;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

void Client::half_close() {
  if (ssl_) SSL_shutdown(ssl_);
  ::shutdown(fd_, SHUT_WR);
}

void Client::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  SSL_free(std::exchange(ssl_, nullptr));
  close();
}

void Client::close() {
  if (ssl_) SSL_shutdown(ssl_);
  SSL_free(std::exchange(ssl_, nullptr));
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace flora::http::test
