#include "gateway/http/endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace flora::http {
namespace {

constexpr int kBacklog = 4096;     // At most net.core.somaxconn, which is as much on Linux.
constexpr int kUnsent = 64 << 10;  // Bytes of one connection in the kernel that are not sent yet.
constexpr mode_t kUnixMode = 0660;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Error unavailable(const std::string& what) {
  return {Errc::unavailable, what + ": " + std::strerror(errno)};
}

Result<SocketAddress> parse_address(const std::string& text, std::uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  } else {
    return Error{Errc::invalid, "not a numeric address: " + text};
  }
  return address;
}

// The socket, or -1 with errno.
int bind_socket(const SocketAddress& address, bool share_port) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  const int off = 0;
  // Inherited by what is accepted: what a client does not take waits here, under our bounds and
  // deadlines, and not in some megabytes of the kernel.
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsent, sizeof kUnsent);
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (share_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(fd, address.get(), address.size) == 0) return fd;
  const int cause = errno;
  ::close(fd);
  errno = cause;
  return -1;
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  return storage.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

// A second server would share our port silently (SO_REUSEPORT): refuse while someone listens there.
Result<void> check_free(const SocketAddress& address, const std::string& text) {
  const int probe = bind_socket(address, false);
  if (probe < 0) return unavailable("cannot listen on " + text);
  const bool free = ::listen(probe, 1) == 0;
  ::close(probe);
  if (!free) return unavailable("cannot listen on " + text);
  return {};
}

// True if somebody answers at this Unix domain socket.
bool is_served(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool served = result == 0 || errno == EAGAIN;
  ::close(probe);
  return served;
}

std::string numeric(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

const unsigned char* bytes_of(const in6_addr& address) { return address.s6_addr; }

}  // namespace

Endpoint::Endpoint(const Listener& listener, const ServerOptions& options)
    : listener_(listener),
      env_(*options.env),
      connections_(listener.options.connections != 0 ? listener.options.connections
                                                     : options.limits.connections),
      addresses_(options.limits.connections_per_address) {}

Result<std::unique_ptr<Endpoint>> Endpoint::open(const Listener& listener, std::size_t workers,
                                                 const ServerOptions& options) {
  if (!listener.handler) return Error{Errc::invalid, "a listener has no handler"};
  std::unique_ptr<Endpoint> endpoint(new Endpoint(listener, options));
  if (endpoint->is_tls()) {
    FLORA_ASSIGN(endpoint->tls_, endpoint->load_tls());
  }
  FLORA_TRY(endpoint->open_sockets(workers));
  return endpoint;
}

Endpoint::~Endpoint() {
  for (std::size_t i = 0; i < fds_.size(); ++i) close(i);
  const std::string& path = listener_.options.unix_path;
  if (!fds_.empty() && !path.empty()) ::unlink(path.c_str());
}

Result<void> Endpoint::open_sockets(std::size_t workers) {
  FLORA_TRY(listener_.options.unix_path.empty() ? open_inet(workers) : open_unix(workers));
  for (const int fd : fds_) {
    if (::listen(fd, kBacklog) != 0) return unavailable("cannot listen");
  }
  return {};
}

Result<void> Endpoint::open_inet(std::size_t workers) {
  const ListenerOptions& options = listener_.options;
  const std::string text = options.address + " port " + std::to_string(options.port);
  port_ = options.port;
  for (std::size_t i = 0; i < workers; ++i) {
    FLORA_ASSIGN(const SocketAddress address, parse_address(options.address, port_));
    if (i == 0 && port_ != 0) FLORA_TRY(check_free(address, text));
    const int fd = bind_socket(address, true);
    if (fd < 0) return unavailable("cannot listen on " + text);
    fds_.push_back(fd);
    if (port_ == 0) port_ = bound_port(fd);
  }
  return {};
}

Result<void> Endpoint::open_unix(std::size_t workers) {
  const std::string& path = listener_.options.unix_path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{Errc::invalid, "path too long: " + path};
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return Error{Errc::invalid, "exists and is not a socket: " + path};
  }
  if (is_served(address)) return Error{Errc::unavailable, "somebody listens on " + path};
  ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return unavailable("cannot open a socket");
  fds_.push_back(fd);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), kUnixMode) != 0) {
    return unavailable("cannot listen on " + path);
  }
  while (fds_.size() < workers) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return unavailable("cannot open a socket");
    fds_.push_back(copy);
  }
  return {};
}

void Endpoint::close(std::size_t worker) {
  if (fds_[worker] >= 0) ::close(std::exchange(fds_[worker], -1));
}

std::shared_ptr<const TlsContext> Endpoint::tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

Result<std::shared_ptr<const TlsContext>> Endpoint::load_tls() const {
  return TlsContext::load(*listener_.options.tls, env_);
}

void Endpoint::replace_tls(std::shared_ptr<const TlsContext> context) {
  const std::lock_guard lock(mutex_);
  tls_->retire();
  tls_ = std::move(context);
}

std::optional<std::string> Endpoint::enter(const sockaddr_storage& address) {
  auto key = addresses_.enter(address);
  if (key) open_.fetch_add(1, std::memory_order_relaxed);
  return key;
}

void Endpoint::leave(const std::string& key) {
  open_.fetch_sub(1, std::memory_order_relaxed);
  addresses_.leave(key);
}

Peer describe(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    const bool loopback = (ntohl(v4.s_addr) >> 24) == 127;
    return {numeric(AF_INET, &v4), loopback, {}};
  }
  if (address.ss_family != AF_INET6) return {"unix", true, {}};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    const unsigned char* v4 = bytes_of(v6) + 12;
    return {numeric(AF_INET, v4), v4[0] == 127, {}};
  }
  return {numeric(AF_INET6, &v6), IN6_IS_ADDR_LOOPBACK(&v6) != 0, {}};
}

std::optional<std::string> AddressTable::enter(const sockaddr_storage& address) {
  if (limit_ == 0) return std::string();
  std::string key;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    key.assign(reinterpret_cast<const char*>(&v4), 4);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6) != 0;
    key.assign(reinterpret_cast<const char*>(bytes_of(v6)) + (mapped ? 12 : 0), mapped ? 4 : 8);
  } else {
    return key;
  }
  const std::lock_guard lock(mutex_);
  std::size_t& count = counts_[key];
  if (count >= limit_) return std::nullopt;
  ++count;
  return key;
}

void AddressTable::leave(const std::string& key) {
  if (key.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto entry = counts_.find(key);
  if (entry != counts_.end() && --entry->second == 0) counts_.erase(entry);
}

}  // namespace flora::http
