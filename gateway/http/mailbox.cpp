#include "gateway/http/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <iterator>
#include <utility>

namespace flora::http {
namespace {

thread_local const Mailbox* adopted = nullptr;

}  // namespace

void discard(Message& message) {
  if (message.ready) message.ready(false);
  if (message.done) message.done({{}, BodyChunk::State::aborted});
}

Mailbox::Mailbox() : event_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Mailbox::~Mailbox() {
  if (event_fd_ >= 0) ::close(event_fd_);
}

void Mailbox::post(Message message) {
  if (adopted == this) {
    // What other threads posted before comes first, so that the order of events is kept.
    if (has_mail_.load(std::memory_order_acquire)) fetch();
    local_.push_back(std::move(message));
    return;
  }
  std::unique_lock lock(mutex_);
  if (closed_) {
    lock.unlock();
    return discard(message);
  }
  const bool was_empty = shared_.empty();
  shared_.push_back(std::move(message));
  has_mail_.store(true, std::memory_order_release);
  if (was_empty) wake();
}

void Mailbox::adopt() { adopted = this; }

void Mailbox::fetch() {
  const std::lock_guard lock(mutex_);
  has_mail_.store(false, std::memory_order_relaxed);
  local_.insert(local_.end(), std::make_move_iterator(shared_.begin()),
                std::make_move_iterator(shared_.end()));
  shared_.clear();
}

bool Mailbox::take(Message& out) {
  if (next_ == local_.size()) {
    local_.clear();
    next_ = 0;
    if (has_mail_.load(std::memory_order_acquire)) fetch();
    if (local_.empty()) return false;
  }
  out = std::move(local_[next_++]);
  return true;
}

void Mailbox::wake() { ::eventfd_write(event_fd_, 1); }

void Mailbox::acknowledge() {
  eventfd_t count = 0;
  ::eventfd_read(event_fd_, &count);
}

void Mailbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  Message message;
  while (take(message)) discard(message);
  adopted = nullptr;
}

Message RemoteExchange::message(Message::Kind kind) const {
  Message message;
  message.kind = kind;
  message.connection = connection_;
  message.request = request_;
  return message;
}

void RemoteExchange::respond(Response response) {
  Message m = message(Message::Kind::respond);
  m.response = std::move(response);
  mailbox_->post(std::move(m));
}

void RemoteExchange::begin(int status, std::vector<Header> headers) {
  Message m = message(Message::Kind::begin);
  m.response.status = status;
  m.response.headers = std::move(headers);
  mailbox_->post(std::move(m));
}

void RemoteExchange::write(std::string bytes, std::function<void(bool)> ready) {
  Message m = message(Message::Kind::write);
  m.response.body = std::move(bytes);
  m.ready = std::move(ready);
  mailbox_->post(std::move(m));
}

void RemoteExchange::read(std::function<void(BodyChunk)> done) {
  Message m = message(Message::Kind::read);
  m.done = std::move(done);
  mailbox_->post(std::move(m));
}

}  // namespace flora::http
