// The load generator: sends canonical status events over raw sockets, one thread, and counts what
// is answered.
//
//   load closed PORT CONNECTIONS EVENTS [TARGET STATUS]  each connection sends one event, waits for
//                                                        its answer, sends the next
//   load paced PORT CONNECTIONS EVENTS RATE              open loop: RATE events per second; an
//                                                        event's time runs from when it was due
//   load stream PORT CONNECTIONS EVENTS minimal|receipts NDJSON, all events at once
//
// Each event has a fresh identity; four of five are about a new procedure, the others about an
// earlier one. BENCH_FIRST (environment) is the number of the first event, BENCH_CALLER the header
// field that says who sends them. Prints one JSON object; ends with 1 if any event was answered
// with another status than 201 (or STATUS).
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

constexpr unsigned kKnownPercent = 20;
constexpr std::size_t kStreamChunk = 32 * 1024;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "load: %s\n", what.c_str());
  std::exit(2);
}

// Makes events; each call another one.
class Events {
 public:
  explicit Events(std::uint64_t first) : first_(first), next_(first), procedures_(first) {}

  void append(std::string& out) {
    const bool known = procedures_ > first_ && random_() % 100 < kKnownPercent;
    const std::uint64_t procedure =
        known ? first_ + random_() % (procedures_ - first_) : procedures_++;
    char text[512];
    const int size = std::snprintf(
        text, sizeof text,
        R"({"id":"%016llx-%08llx","source":"urn:flora:bench","status":"ANKUNFT_AE",)"
        R"("regime":"GEAS","occurredAt":"2026-11-02T08:15:30.123Z","sourceSequence":%llu,)"
        R"("procedure":{"identifiers":[{"type":"AZR_NUMMER","value":"%s"}]},)"
        R"("reporter":{"authority":"999902","land":"DE-NI","role":"AE"},"site":"MUSTERSTADT",)"
        R"("details":{"zustaendigeAE":true}})",
        static_cast<unsigned long long>(random_()), static_cast<unsigned long long>(next_),
        static_cast<unsigned long long>(next_ % 10'000), azr_number(procedure).c_str());
    ++next_;
    out.append(text, static_cast<std::size_t>(size));
  }

 private:
  // Two digits, month, day, six digits: one to one for 3 × 10^10 procedures.
  static std::string azr_number(std::uint64_t procedure) {
    const std::uint64_t serial = procedure % 1'000'000;
    std::uint64_t rest = procedure / 1'000'000;
    const std::uint64_t day = 1 + rest % 28;
    rest /= 28;
    char text[32];
    std::snprintf(text, sizeof text, "%02u%02u%02u%06u", static_cast<unsigned>(rest / 12 % 100),
                  static_cast<unsigned>(1 + rest % 12), static_cast<unsigned>(day),
                  static_cast<unsigned>(serial));
    return text;
  }

  std::mt19937_64 random_{std::random_device{}()};
  const std::uint64_t first_;
  std::uint64_t next_;
  std::uint64_t procedures_;
};

struct Results {
  std::map<int, std::uint64_t> statuses;
  std::vector<double> times_ms;  // In no order; empty for streams.
};

double quantile(std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

void print(Results& results, double seconds) {
  std::uint64_t total = 0;
  std::string statuses;
  for (const auto& [status, count] : results.statuses) {
    total += count;
    statuses += (statuses.empty() ? "\"" : ", \"") + std::to_string(status) +
                "\": " + std::to_string(count);
  }
  std::ranges::sort(results.times_ms);
  std::printf(
      "{\"events\": %lu, \"seconds\": %.3f, \"per_second\": %.0f, \"p50_ms\": %.3f, "
      "\"p90_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"statuses\": {%s}}\n",
      total, seconds, static_cast<double>(total) / seconds, quantile(results.times_ms, 0.5),
      quantile(results.times_ms, 0.9), quantile(results.times_ms, 0.99),
      quantile(results.times_ms, 1.0), statuses.c_str());
}

// A connection's bytes: what is still to be sent and what has come.
class Socket {
 public:
  explicit Socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      fail(std::string("connect: ") + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }
  std::string& output() { return output_; }
  std::string& input() { return input_; }

  // Sends as much as the peer takes; true if all is sent.
  bool send() {
    while (sent_ < output_.size()) {
      const ssize_t n =
          ::send(fd_, output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) return false;
      if (n < 0) fail(std::string("send: ") + std::strerror(errno));
      sent_ += static_cast<std::size_t>(n);
    }
    output_.clear();
    sent_ = 0;
    return true;
  }

  // Appends what is there.
  void receive() {
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0) fail("the gateway closed a connection");
    if (n < 0 && errno != EAGAIN) fail(std::string("recv: ") + std::strerror(errno));
    if (n > 0) input_.append(buffer, static_cast<std::size_t>(n));
  }

 private:
  const int fd_;
  std::string output_;
  std::size_t sent_ = 0;
  std::string input_;
};

class Poller {
 public:
  Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Poller() { ::close(fd_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void watch(int fd, std::size_t index, bool output) {
    epoll_event event{};
    event.events = EPOLLIN | (output ? EPOLLOUT : 0u);
    event.data.u64 = index;
    if (::epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) == 0) return;
    if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }

  template <typename Use>
  void wait(Nanoseconds timeout, Use use) {
    epoll_event events[128];
    const timespec limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    const int count = ::epoll_pwait2(fd_, events, 128, &limit, nullptr);
    for (int i = 0; i < count; ++i) use(events[i].data.u64, events[i].events);
  }

 private:
  const int fd_;
};

// The status of the response at the front, if all of it is there; it is taken away then.
int take_response(std::string& input) {
  const std::size_t blank = input.find("\r\n\r\n");
  if (blank == std::string::npos) return 0;
  const std::string_view head(input.data(), blank);
  std::size_t length = 0;
  for (const std::string_view name : {"content-length: ", "Content-Length: "}) {
    const std::size_t at = head.find(name);
    if (at == head.npos) continue;
    const std::string_view value = head.substr(at + name.size());
    std::from_chars(value.data(), value.data() + value.size(), length);
  }
  if (input.size() < blank + 4 + length) return 0;
  const int status = std::atoi(input.c_str() + 9);
  input.erase(0, blank + 4 + length);
  return status;
}

std::string request_head(std::string_view target, std::string_view media_type) {
  const char* const caller = std::getenv("BENCH_CALLER");
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
         (caller == nullptr ? "Flora-Dev-Authority: 999902" : caller) +
         "\r\nContent-Type: " + std::string(media_type) + "\r\n";
}

// Single events over connections that are kept alive.
class Singles {
 public:
  Singles(std::uint16_t port, std::size_t connections, std::string_view target, Events& events)
      : head_(request_head(target, "application/json")), events_(events) {
    for (std::size_t i = 0; i < connections; ++i) {
      sockets_.push_back(std::make_unique<Socket>(port));
      poller_.watch(sockets_.back()->fd(), i, false);
      due_.emplace_back();
    }
  }

  std::size_t connections() const { return sockets_.size(); }

  void send(std::size_t index, Clock::time_point due) {
    body_.clear();
    events_.append(body_);
    Socket& socket = *sockets_[index];
    socket.output() =
        head_ + "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n" + body_;
    due_[index] = due;
    if (!socket.send()) fail("a socket's buffer does not hold one event");
  }

  // Calls use(index) for each connection that has its answer.
  template <typename Use>
  void wait(Nanoseconds timeout, Use use) {
    poller_.wait(timeout, [&](std::size_t index, std::uint32_t) {
      Socket& socket = *sockets_[index];
      socket.receive();
      const int status = take_response(socket.input());
      if (status == 0) return;
      const std::chrono::duration<double, std::milli> time = Clock::now() - due_[index];
      results.times_ms.push_back(time.count());
      ++results.statuses[status];
      use(index);
    });
  }

  Results results;

 private:
  const std::string head_;
  Events& events_;
  Poller poller_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<Clock::time_point> due_;
  std::string body_;
};

constexpr Nanoseconds kPatience = std::chrono::seconds(10);

void run_closed(Singles& singles, std::uint64_t events) {
  std::uint64_t sent = 0;
  const auto send = [&](std::size_t index) {
    if (sent++ < events) singles.send(index, Clock::now());
  };
  for (std::size_t i = 0; i < singles.connections(); ++i) send(i);
  while (singles.results.times_ms.size() < events) singles.wait(kPatience, send);
}

// An event that finds no free connection waits; its time runs all the same.
void run_paced(Singles& singles, std::uint64_t events, double rate) {
  std::vector<std::size_t> idle;
  for (std::size_t i = 0; i < singles.connections(); ++i) idle.push_back(i);
  const auto begin = Clock::now();
  const auto due = [&](std::uint64_t n) {
    return begin + Nanoseconds(static_cast<std::int64_t>(static_cast<double>(n) * 1e9 / rate));
  };
  std::uint64_t sent = 0;
  while (singles.results.times_ms.size() < events) {
    const auto now = Clock::now();
    while (sent < events && !idle.empty() && due(sent) <= now) {
      singles.send(idle.back(), due(sent++));
      idle.pop_back();
    }
    const bool waits_for_time = sent < events && !idle.empty();
    const Nanoseconds timeout = waits_for_time ? due(sent) - now : kPatience;
    singles.wait(timeout, [&](std::size_t index) { idle.push_back(index); });
  }
}

// One NDJSON request and its answer, line by line.
class Stream {
 public:
  Stream(std::uint16_t port, std::uint64_t events, bool minimal)
      : socket_(port), to_send_(events), to_receive_(events) {
    socket_.output() = request_head("/v1/status-events", "application/x-ndjson");
    if (minimal) socket_.output() += "Prefer: return=minimal\r\n";
    socket_.output() += "Transfer-Encoding: chunked\r\n\r\n";
  }

  int fd() const { return socket_.fd(); }
  bool done() const { return to_receive_ == 0 && ended_; }

  // Sends until the peer takes no more or all is sent; true if it is.
  bool send(Events& events) {
    while (socket_.send()) {
      if (end_sent_) return true;
      append_chunk(events);
    }
    return false;
  }

  void receive(Results& results) {
    socket_.receive();
    if (!head_seen_) take_head();
    if (head_seen_) take_chunks(results);
  }

 private:
  void append_chunk(Events& events) {
    lines_.clear();
    for (; to_send_ > 0 && lines_.size() < kStreamChunk; --to_send_) {
      events.append(lines_);
      lines_ += '\n';
    }
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", lines_.size());
    socket_.output() = size + lines_ + "\r\n";
    end_sent_ = lines_.empty();
  }

  void take_head() {
    std::string& input = socket_.input();
    const std::size_t blank = input.find("\r\n\r\n");
    if (blank == std::string::npos) return;
    if (!input.starts_with("HTTP/1.1 200")) fail("a stream was answered: " + input);
    input.erase(0, blank + 4);
    head_seen_ = true;
  }

  void take_chunks(Results& results) {
    std::string& input = socket_.input();
    std::size_t at = 0;
    while (!ended_) {
      const std::size_t line = input.find("\r\n", at);
      if (line == std::string::npos) break;
      std::size_t size = 0;
      std::from_chars(input.data() + at, input.data() + line, size, 16);
      if (input.size() < line + 2 + size + 2) break;
      take_lines(std::string_view(input).substr(line + 2, size), results);
      at = line + 2 + size + 2;
      ended_ = size == 0;
    }
    input.erase(0, at);
  }

  void take_lines(std::string_view bytes, Results& results) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      answer_ += bytes.substr(0, std::min(end, bytes.size()));
      if (end == bytes.npos) return;
      bytes.remove_prefix(end + 1);
      constexpr std::string_view kStatus = "\"status\":";
      const std::size_t status = answer_.find(kStatus);
      if (status == answer_.npos || to_receive_ == 0) fail("an odd line: " + answer_);
      ++results.statuses[std::atoi(answer_.c_str() + status + kStatus.size())];
      --to_receive_;
      answer_.clear();
    }
  }

  Socket socket_;
  std::uint64_t to_send_;
  std::uint64_t to_receive_;
  bool end_sent_ = false;
  bool head_seen_ = false;
  bool ended_ = false;
  std::string lines_;
  std::string answer_;
};

Results run_streams(std::uint16_t port, std::size_t connections, std::uint64_t count, bool minimal,
                    Events& events) {
  Results results;
  Poller poller;
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::size_t i = 0; i < connections; ++i) {
    streams.push_back(std::make_unique<Stream>(port, count / connections, minimal));
    poller.watch(streams.back()->fd(), i, true);
  }
  std::size_t open = connections;
  while (open > 0) {
    poller.wait(kPatience, [&](std::size_t index, std::uint32_t ready) {
      Stream& stream = *streams[index];
      if ((ready & EPOLLOUT) != 0 && stream.send(events)) {
        poller.watch(stream.fd(), index, false);
      }
      if ((ready & EPOLLIN) == 0 || stream.done()) return;
      stream.receive(results);
      if (stream.done()) --open;
    });
  }
  return results;
}

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 4 ? argv[1] : "";
  const bool known_mode = (mode == "closed" && (argc == 5 || argc == 7)) ||
                          ((mode == "paced" || mode == "stream") && argc == 6);
  if (!known_mode) fail("the usage stands at the top of tests/bench/load.cpp");
  const auto port = static_cast<std::uint16_t>(number(argv[2]));
  const std::size_t connections = number(argv[3]);
  const std::uint64_t count = number(argv[4]);
  const char* const first = std::getenv("BENCH_FIRST");
  Events events(first == nullptr ? 0 : number(first));
  int expected = 201;
  Results results;
  auto begin = Clock::now();
  if (mode == "stream") {
    results = run_streams(port, connections, count, std::strcmp(argv[5], "minimal") == 0, events);
  } else {
    const bool other = mode == "closed" && argc == 7;
    if (other) expected = std::atoi(argv[6]);
    Singles singles(port, connections, other ? argv[5] : "/v1/status-events", events);
    begin = Clock::now();
    if (mode == "closed") {
      run_closed(singles, count);
    } else {
      run_paced(singles, count, static_cast<double>(number(argv[5])));
    }
    results = std::move(singles.results);
  }
  print(results, std::chrono::duration<double>(Clock::now() - begin).count());
  return results.statuses.size() == 1 && results.statuses.begin()->first == expected ? 0 : 1;
}
