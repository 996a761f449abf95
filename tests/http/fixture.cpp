#include "tests/http/fixture.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace flora::http::test {
namespace {

constexpr std::size_t kBlock = 16u << 10;

Response text(std::string body) { return {200, {{"content-type", "text/plain"}}, std::move(body)}; }

Response problem(int status) {
  return {status, {{"content-type", "application/problem+json"}}, "{}"};
}

std::string echo(const Request& request) {
  return request.head.method + " " + request.head.query + " " + request.body;
}

}  // namespace

Later::Later()
    : thread_([this] {
        std::unique_lock lock(mutex_);
        while (!over_ || !work_.empty()) {
          changed_.wait(lock, [this] { return over_ || !work_.empty(); });
          auto work = std::exchange(work_, {});
          lock.unlock();
          for (const auto& item : work) item();
          work.clear();
          lock.lock();
        }
      }) {}

Later::~Later() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Later::run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  changed_.notify_all();
}

Admission TestHandler::admit(const RequestHead& head) {
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  if (head.path == "/refuse") return Admission::refuse(problem(403));
  if (head.path == "/throw-early") throw std::runtime_error("secret text");
  const bool streamed = head.path == "/reflect" || head.path == "/count" || head.path == "/early" ||
                        head.path == "/stuck";
  Admission admission = streamed ? Admission::stream() : Admission::whole(1000);
  if (const auto account = head.find("x-account")) admission.account = *account;
  return admission;
}

void TestHandler::handle(Request request, Responder responder) {
  const std::string path = request.head.path;
  const std::size_t number = std::strtoul(request.head.query.c_str(), nullptr, 10);
  if (path == "/hold") {
    const std::lock_guard lock(mutex_);
    held_.emplace_back(echo(request), std::move(responder));
    changed_.notify_all();
  } else if (path == "/later") {
    auto shared = std::make_shared<Responder>(std::move(responder));
    later_.run([shared, body = echo(request)] { shared->respond(text(body)); });
  } else if (path == "/throw") {
    throw std::runtime_error("secret text");
  } else if (path == "/bad") {
    responder.respond({200, {{"x-name", "a\r\nset-cookie: b"}}, "x"});
  } else if (path == "/close") {
    responder.respond({200, {{"connection", "close"}}, "bye"});
  } else if (path == "/status") {
    responder.respond({static_cast<int>(number), {}, "content"});
  } else if (path == "/big") {
    responder.respond(text(std::string(number, 'x')));
  } else if (path == "/flood") {
    flood(std::make_shared<ResponseWriter>(responder.stream(200, {})), number);
  } else if (path == "/broken") {
    ResponseWriter writer = responder.stream(200, {});
    writer.write("half");
  } else if (path != "/drop") {
    responder.respond(text(echo(request)));
  }
}

void TestHandler::handle_stream(RequestHead head, BodyReader body, Responder responder) {
  auto reader = std::make_shared<BodyReader>(std::move(body));
  if (head.path == "/reflect") {
    reflect(reader, std::make_shared<ResponseWriter>(responder.stream(200, {})));
  } else if (head.path == "/count") {
    count(reader, std::make_shared<Responder>(std::move(responder)), 0);
  } else if (head.path == "/early") {
    responder.respond(problem(409));
  } else {
    const std::lock_guard lock(mutex_);
    stuck_.emplace_back(reader, std::make_shared<Responder>(std::move(responder)));
    changed_.notify_all();
  }
}

void TestHandler::flood(std::shared_ptr<ResponseWriter> writer, std::size_t left) {
  if (left == 0) return writer->finish();
  {
    const std::lock_guard lock(mutex_);
    ++written_;
  }
  writer->write(std::string(kBlock, 'f'), [this, writer, left](bool open) {
    if (open) return flood(writer, left - 1);
    const std::lock_guard lock(mutex_);
    ++closed_;
  });
}

void TestHandler::reflect(std::shared_ptr<BodyReader> body,
                          std::shared_ptr<ResponseWriter> writer) {
  body->read([this, body, writer](BodyChunk chunk) {
    if (chunk.state == BodyChunk::State::aborted) {
      const std::lock_guard lock(mutex_);
      ++aborted_;
      return;
    }
    const bool more = chunk.state == BodyChunk::State::more;
    writer->write(std::move(chunk.bytes), [this, body, writer, more](bool open) {
      if (open && more) reflect(body, writer);
      if (open && !more) writer->finish();
    });
  });
}

void TestHandler::count(std::shared_ptr<BodyReader> body, std::shared_ptr<Responder> responder,
                        std::size_t total) {
  body->read([this, body, responder, total](BodyChunk chunk) {
    const std::size_t sum = total + chunk.bytes.size();
    {
      const std::lock_guard lock(mutex_);
      received_ = sum;
      if (chunk.state == BodyChunk::State::aborted) ++aborted_;
    }
    // The next piece is asked for from another thread, as a consumer with a queue would.
    if (chunk.state == BodyChunk::State::more) {
      later_.run([this, body, responder, sum] { count(body, responder, sum); });
    } else if (chunk.state == BodyChunk::State::end) {
      responder->respond(text(std::to_string(sum)));
    }
  });
}

void TestHandler::wait_for_held(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(10),
                    [&] { return held_.size() + stuck_.size() >= count; });
}

void TestHandler::release(std::size_t count) {
  wait_for_held(count);
  std::vector<std::pair<std::string, Responder>> held;
  {
    const std::lock_guard lock(mutex_);
    held.swap(held_);
    stuck_.clear();
  }
  for (auto item = held.rbegin(); item != held.rend(); ++item)
    item->second.respond(text(item->first));
}

std::size_t TestHandler::written() {
  const std::lock_guard lock(mutex_);
  return written_;
}

std::size_t TestHandler::received() {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::vector<RequestHead> TestHandler::heads() {
  const std::lock_guard lock(mutex_);
  return heads_;
}

int TestHandler::aborted() {
  const std::lock_guard lock(mutex_);
  return aborted_;
}

int TestHandler::closed() {
  const std::lock_guard lock(mutex_);
  return closed_;
}

Running::Running(ServerOptions options, std::vector<ListenerOptions> listeners) {
  std::vector<Listener> list;
  for (auto& listener : listeners) list.push_back({std::move(listener), &handler});
  auto started = Server::start(std::move(options), std::move(list));
  if (!started) throw std::runtime_error(started.error().message);
  server = std::move(started).value();
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 1);  // Between two looks, for a millisecond.
  }
  return true;
}

bool settles(const std::function<std::uint64_t()>& value) {
  constexpr int kSame = 50;  // Looks, a millisecond apart, that must agree.
  std::uint64_t last = 0;
  int same = 0;
  return eventually([&] {
    const std::uint64_t now = value();
    same = now != 0 && now == last ? same + 1 : 0;
    last = now;
    return same >= kSame;
  });
}

}  // namespace flora::http::test
