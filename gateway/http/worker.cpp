#include "gateway/http/worker.h"

#include <pistache/reactor.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/http/connection.h"
#include "gateway/http/serialise.h"

namespace flora::http {
namespace {

namespace aio = Pistache::Aio;
using Pistache::Polling::NotifyOn;

// Tags of what is not a connection. Pistache's own shutdown descriptor is tagged with its number,
// so they begin above any descriptor.
constexpr std::uint64_t kMailboxTag = 1ULL << 40;
constexpr std::uint64_t kTimerTag = kMailboxTag + 1;
constexpr std::uint64_t kFirstConnection = 1ULL << 41;

constexpr int kRounds = 64;  // Of pump(), before events are looked at again.

NotifyOn interest(bool read, bool write) {
  if (read && write) return NotifyOn::Read | NotifyOn::Write;
  if (read) return NotifyOn::Read;
  return write ? NotifyOn::Write : NotifyOn::None;
}

}  // namespace

// The seam to Pistache: its reactor calls onReady with what is ready.
struct Worker::Loop {
  struct Handler final : aio::Handler {
    explicit Handler(Worker& w) : worker(w) {}
    void registerPoller(Pistache::Polling::Epoll&) override {}
    std::shared_ptr<aio::Handler> clone() const override { return nullptr; }
    void onReady(const aio::FdSet& fds) override {
      worker.begin_round();
      for (const auto& entry : const_cast<aio::FdSet&>(fds)) {
        worker.on_tag(entry.getTag().value(), entry.isReadable(), entry.isWritable(),
                      entry.isHangup());
        worker.pump();
      }
      worker.end_round();
    }
    Worker& worker;
  };

  explicit Loop(Worker& worker) {
    reactor->init();
    key = reactor->addHandler(std::make_shared<Handler>(worker));
  }

  std::shared_ptr<aio::Reactor> reactor = aio::Reactor::create();
  aio::Reactor::Key key;
};

Worker::Worker(Shared& shared, std::size_t index)
    : shared_(shared),
      index_(index),
      deadlines_(shared.options.deadlines),
      next_id_(kFirstConnection) {}

Worker::~Worker() {
  if (timer_fd_ >= 0) ::close(timer_fd_);
}

Result<std::unique_ptr<Worker>> Worker::open(Shared& shared, std::size_t index) {
  std::unique_ptr<Worker> worker(new Worker(shared, index));
  FLORA_TRY(worker->set_up());
  return worker;
}

Result<void> Worker::set_up() {
  const Error error{Errc::unavailable, "the system gives no descriptors for a worker"};
  try {
    loop_ = std::make_unique<Loop>(*this);
  } catch (const std::exception&) {
    return error;
  }
  timer_fd_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer_fd_ < 0 || mailbox_->event_fd() < 0) return error;
  bool watched = watch(timer_fd_, kTimerTag, true, false) &&
                 watch(mailbox_->event_fd(), kMailboxTag, true, false);
  for (std::size_t i = 0; i < shared_.endpoints.size(); ++i) {
    watched = watched && watch(shared_.endpoints[i]->fd(index_), kListenerTag + i, true, false);
  }
  if (!watched) return error;
  return {};
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  mailbox_->adopt();
  loop_->reactor->run();
  mailbox_->close();
}

void Worker::order(Message::Kind kind, std::uint64_t number) {
  Message message;
  message.kind = kind;
  message.request = number;
  mailbox_->post(std::move(message));
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

Response Worker::error_page(int status, std::string_view problem, std::string_view detail) const {
  const auto& page = options().error_page;
  return page ? page(status, problem, detail) : plain_error_page(status, problem, detail);
}

bool Worker::watch(int fd, std::uint64_t tag, bool read, bool write) {
  try {
    loop_->reactor->registerFd(loop_->key, fd, interest(read, write), Pistache::Polling::Tag(tag));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool Worker::change_watch(int fd, std::uint64_t tag, bool read, bool write) {
  try {
    loop_->reactor->modifyFd(loop_->key, fd, interest(read, write), Pistache::Polling::Tag(tag));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void Worker::touch(Connection& connection) {
  if (connection.set_touched(true)) touched_.push_back(&connection);
}

void Worker::cut_slow_readers() {
  while (shared_.answers.load(std::memory_order_relaxed) > options().limits.buffered_answers) {
    DeadlineNode* const slowest = deadlines_.earliest(Deadline::write);
    if (!slowest) return;
    WorkerCounters::add(counters_.slow_readers);
    static_cast<Connection*>(slowest)->close(true);
  }
}

void Worker::bury(Connection& connection) { buried_.push_back(connection.id()); }

void Worker::begin_round() {
  now_ns_ = options().env->steady_ns();
  const std::int64_t now_ms = options().env->now_ms();
  if (now_ms / 1000 == date_second_) return;
  date_second_ = now_ms / 1000;
  common_fields_ = "date: " + http_date(now_ms) + "\r\n" + lines_of(options().fields);
}

void Worker::end_round() {
  if (draining_ && connections_.empty()) report_drained();
  arm_timer();
}

void Worker::on_tag(std::uint64_t tag, bool read, bool write, bool hangup) {
  if (tag >= kFirstConnection) {
    const auto found = connections_.find(tag);
    if (found != connections_.end()) found->second->on_event(read, write, hangup);
  } else if (tag == kMailboxTag) {
    mailbox_->acknowledge();
  } else if (tag == kTimerTag) {
    on_timer();
  } else if (tag >= kListenerTag && tag < kListenerTag + shared_.endpoints.size()) {
    accept_from(tag - kListenerTag);
  }
}

void Worker::pump() {
  Message message;
  std::vector<Connection*> batch;
  for (int round = 0; round < kRounds; ++round) {
    while (mailbox_->take(message)) handle(message);
    if (touched_.empty()) return reap();
    batch.clear();
    batch.swap(touched_);
    for (Connection* connection : batch) {
      connection->set_touched(false);
      connection->cycle();
    }
  }
  mailbox_->wake();
  reap();
}

void Worker::handle(Message& message) {
  if (message.kind == Message::Kind::drain) return drain();
  if (message.kind == Message::Kind::kill) return kill();
  if (message.kind == Message::Kind::probe) {
    probed_ = message.request;
    return;
  }
  const auto found = connections_.find(message.connection);
  if (found != connections_.end() && !found->second->is_closed()) {
    found->second->deliver(message);
  } else {
    if (message.kind == Message::Kind::respond) WorkerCounters::add(counters_.late_answers);
    discard(message);
  }
  message = {};  // Whatever a callback holds is released now.
}

void Worker::reap() {
  // A connection that is still listed as touched is buried later.
  for (std::size_t i = 0; i < buried_.size();) {
    const auto found = connections_.find(buried_[i]);
    if (found != connections_.end() && found->second->is_touched()) {
      ++i;
      continue;
    }
    if (found != connections_.end()) connections_.erase(found);
    buried_[i] = buried_.back();
    buried_.pop_back();
  }
}

void Worker::on_timer() {
  std::uint64_t expirations = 0;
  const ssize_t n = ::read(timer_fd_, &expirations, sizeof expirations);
  if (n < 0 && errno != EAGAIN) log::write(log::Level::error, "timer cannot be read");
  armed_ns_ = 0;
  if (resume_ns_ != 0 && now_ns_ >= resume_ns_) resume_accepting();
  while (DeadlineNode* node = deadlines_.earliest()) {
    if (node->due_ns > now_ns_) break;
    const Deadline kind = node->kind;
    deadlines_.set(*node, Deadline::none, now_ns_);
    static_cast<Connection*>(node)->on_deadline(kind);
  }
}

void Worker::arm_timer() {
  const DeadlineNode* node = deadlines_.earliest();
  std::int64_t due = node ? node->due_ns : 0;
  if (resume_ns_ != 0 && (due == 0 || resume_ns_ < due)) due = resume_ns_;
  if (due == 0 || (armed_ns_ != 0 && armed_ns_ <= due)) return;
  armed_ns_ = due;
  const std::int64_t wait = std::max<std::int64_t>(due - now_ns_, 1);
  itimerspec spec{};
  spec.it_value.tv_sec = wait / 1'000'000'000;
  spec.it_value.tv_nsec = wait % 1'000'000'000;
  ::timerfd_settime(timer_fd_, 0, &spec, nullptr);
}

void Worker::drain() {
  if (std::exchange(draining_, true)) return;
  for (std::size_t i = 0; i < shared_.endpoints.size(); ++i) {
    accept_from(i);
    shared_.endpoints[i]->close(index_);
  }
  for (const auto& [id, connection] : connections_) connection->on_drain();
}

void Worker::kill() {
  drain();
  for (const auto& [id, connection] : connections_) connection->on_kill();
  report_drained();
  loop_->reactor->shutdown();
}

void Worker::report_drained() {
  if (std::exchange(reported_, true)) return;
  const std::lock_guard lock(shared_.mutex);
  ++shared_.drained;
  shared_.changed.notify_all();
}

}  // namespace flora::http
