// How a worker takes in connections, and how it refuses them.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/http/connection.h"
#include "gateway/http/serialise.h"
#include "gateway/http/worker.h"

namespace flora::http {
namespace {

constexpr int kBatch = 64;
constexpr std::int64_t kPauseNs = 100'000'000;
constexpr std::int64_t kQuietNs = 60'000'000'000;

bool is_exhaustion(int cause) {
  return cause == EMFILE || cause == ENFILE || cause == ENOBUFS || cause == ENOMEM;
}

}  // namespace

void Worker::accept_from(std::size_t index) {
  Endpoint& endpoint = *shared_.endpoints[index];
  const int batch = draining_ ? kBatch * kBatch : kBatch;
  for (int i = 0; i < batch && endpoint.fd(index_) >= 0; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = ::accept4(endpoint.fd(index_), reinterpret_cast<sockaddr*>(&address), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (is_exhaustion(errno)) return pause_accepting();
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    WorkerCounters::add(counters_.accepted);
    if (admit(endpoint, fd, address)) continue;
    WorkerCounters::add(counters_.refused);
    refuse(endpoint, fd);
  }
}

bool Worker::admit(Endpoint& endpoint, int fd, const sockaddr_storage& address) {
  auto key = endpoint.enter(address);
  if (!key) return false;
  const bool room =
      make_room(endpoint);  // After the address: who is at its limit displaces nobody.
  const int on = 1;
  if (address.ss_family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::unique_ptr<TlsSession> tls;
  if (endpoint.is_tls()) tls = TlsSession::accept(endpoint.tls(), fd);
  const std::uint64_t id = next_id_++;
  if (!room || (endpoint.is_tls() && !tls) || !watch(fd, id, true, false)) {
    endpoint.leave(*key);
    return false;
  }
  shared_.open.fetch_add(1, std::memory_order_relaxed);
  auto connection = std::make_unique<Connection>(*this, id, Stream(fd, std::move(tls)),
                                                 describe(address), std::move(*key), endpoint);
  connection->start();
  connections_.emplace(id, std::move(connection));
  return true;
}

// Among the idle connections of this listener the longest idle one goes. Those of other listeners
// that stand before it are few: the other one, for operators, is small.
bool Worker::make_room(const Endpoint& endpoint) {
  if (!endpoint.is_over()) return true;
  for (DeadlineNode* node = deadlines_.earliest(Deadline::idle); node; node = node->next) {
    auto* const idle = static_cast<Connection*>(node);
    if (&idle->endpoint() != &endpoint) continue;
    idle->close(false);
    return true;
  }
  return false;
}

void Worker::refuse(Endpoint& endpoint, int fd) {
  if (!endpoint.is_tls()) {
    const Response page = error_page(503, "overloaded", "There are too many connections.");
    std::string bytes;
    append_head(bytes, page.status, page.headers, {Length::known, page.body.size(), false, false},
                common_fields_);
    bytes += page.body;
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(fd, SHUT_WR);
    ::recv(fd, scratch(), kScratch, MSG_DONTWAIT);
  }
  ::close(fd);
}

void Worker::pause_accepting() {
  if (resume_ns_ != 0) return;
  WorkerCounters::add(counters_.pauses);
  if (now_ns_ >= quiet_ns_) {
    quiet_ns_ = now_ns_ + kQuietNs;
    log::write(log::Level::warning, "no descriptors left, accepting pauses");
  }
  resume_ns_ = now_ns_ + kPauseNs;
  for (std::size_t i = 0; i < shared_.endpoints.size(); ++i) {
    const int fd = shared_.endpoints[i]->fd(index_);
    if (fd >= 0) change_watch(fd, kListenerTag + i, false, false);
  }
}

void Worker::resume_accepting() {
  resume_ns_ = 0;
  for (std::size_t i = 0; i < shared_.endpoints.size(); ++i) {
    const int fd = shared_.endpoints[i]->fd(index_);
    if (fd >= 0) change_watch(fd, kListenerTag + i, true, false);
  }
}

}  // namespace flora::http
