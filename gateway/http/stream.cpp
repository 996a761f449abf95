#include "gateway/http/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace flora::http {
namespace {

Io classify_errno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {Io::State::again, 0};
  return {Io::State::failed, 0};
}

}  // namespace

Stream::Stream(Stream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)) {}

Stream::~Stream() { close(false); }

Io Stream::read(char* buffer, std::size_t size) {
  return tls_ ? tls_->read(buffer, size) : skip_input(buffer, size);
}

Io Stream::skip_input(char* buffer, std::size_t size) {
  const ssize_t n = ::recv(fd_, buffer, size, 0);
  if (n > 0) return {Io::State::done, static_cast<std::size_t>(n)};
  return n == 0 ? Io{Io::State::eof, 0} : classify_errno();
}

Io Stream::write(Output& output) {
  std::size_t total = 0;
  while (!output.empty()) {
    const Io io = tls_ ? tls_->write(output.front()) : write_plain(output);
    if (io.state != Io::State::done) return {io.state, total};
    output.consume(io.bytes);
    total += io.bytes;
  }
  return {Io::State::done, total};
}

Io Stream::write_plain(const Output& output) {
  std::array<iovec, Output::kBlocks> blocks;
  msghdr message{};
  message.msg_iov = blocks.data();
  message.msg_iovlen = output.blocks(blocks);
  const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
  return n >= 0 ? Io{Io::State::done, static_cast<std::size_t>(n)} : classify_errno();
}

void Stream::end_output() {
  if (tls_) tls_->close_notify();
  ::shutdown(fd_, SHUT_WR);
}

void Stream::close(bool reset) {
  if (fd_ < 0) return;
  if (reset) {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else if (tls_) {
    tls_->close_notify();
  }
  tls_.reset();
  ::close(std::exchange(fd_, -1));
}

}  // namespace flora::http
