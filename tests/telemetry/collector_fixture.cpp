#include "tests/telemetry/collector_fixture.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace flora::test {

ReservedPort::ReservedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  // The server's sockets have the same options: they may share the port.
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
  REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  number_ = ::ntohs(address.sin_port);
}

ReservedPort::~ReservedPort() { ::close(fd_); }

class TestCollector::Handler final : public http::Handler {
 public:
  http::Admission admit(const http::RequestHead&) override {
    return http::Admission::whole(64u << 20);
  }

  void handle(http::Request request, http::Responder responder) override {
    const std::lock_guard lock(mutex_);
    heads_.push_back(request.head);
    bodies_.push_back(std::move(request.body));
    changed_.notify_all();
    if (silent_) return unanswered_.push_back(std::move(responder));
    http::Response response{200, {{"content-type", "application/json"}}, "{}"};
    if (!answers_.empty()) {
      response = std::move(answers_.front());
      answers_.pop_front();
    }
    responder.respond(std::move(response));
  }

  void handle_stream(http::RequestHead, http::BodyReader, http::Responder) override {}

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<http::RequestHead> heads_;
  std::vector<std::string> bodies_;
  std::deque<http::Response> answers_;
  std::vector<http::Responder> unanswered_;
  bool silent_ = false;
};

TestCollector::TestCollector(std::uint16_t port) : handler_(std::make_unique<Handler>()) {
  http::ListenerOptions options;
  options.port = port;
  auto server = http::Server::start({}, {{options, handler_.get()}});
  REQUIRE(server.has_value());
  server_ = std::move(*server);
}

TestCollector::~TestCollector() = default;

std::string TestCollector::endpoint() const {
  return "http://127.0.0.1:" + std::to_string(server_->ports().front()) + "/v1/traces";
}

void TestCollector::answer_with(std::vector<http::Response> answers) {
  const std::lock_guard lock(handler_->mutex_);
  for (http::Response& answer : answers) handler_->answers_.push_back(std::move(answer));
}

void TestCollector::fall_silent() {
  const std::lock_guard lock(handler_->mutex_);
  handler_->silent_ = true;
}

void TestCollector::speak() {
  const std::lock_guard lock(handler_->mutex_);
  handler_->silent_ = false;
}

std::vector<std::string> TestCollector::wait_for_requests(std::size_t count) {
  std::unique_lock lock(handler_->mutex_);
  REQUIRE(handler_->changed_.wait_for(lock, std::chrono::seconds(60),
                                      [this, count] { return handler_->bodies_.size() >= count; }));
  return handler_->bodies_;
}

std::vector<http::RequestHead> TestCollector::heads() {
  const std::lock_guard lock(handler_->mutex_);
  return handler_->heads_;
}

}  // namespace flora::test
