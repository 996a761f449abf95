// Does every client get its own answers while others go away at once?
//
// Clients of kind A connect, send a request and close or reset without reading, as fast as they
// can. Clients of kind B ask three times on one connection, each time with an id of their own, and
// compare the answer with it. An answer with another id, or none within two seconds, is a failure.
//
//   http_misdelivery [COUNT]
//     our server: plain and TLS, immediate and delayed answers, one and two workers; clients B
//     check COUNT answers in each (default 1000; with FLORA_SOAK=1 in the environment 130,000)
//   http_misdelivery --at ADDRESS:PORT [COUNT]
//     any server that answers GET /?id=X with the body X
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/http/server.h"
#include "tests/http/certificates.h"
#include "tests/http/client.h"

namespace {

using namespace flora::http;
using flora::http::test::Certificates;
using flora::http::test::Client;
using flora::http::test::ClientTls;
using Clock = std::chrono::steady_clock;

constexpr int kThreadsA = 3;
constexpr int kThreadsB = 16;  // Most of them wait while answers are delayed.
constexpr int kRequestsB = 3;
constexpr int kSeconds = 2;
constexpr long kAbortedInARow = 32;
constexpr long kReducedCount = 1000;
constexpr long kFullCount = 130'000;  // In eight runs more than a million.
constexpr long kMostMissing = 100;    // Then the run ends: each costs two seconds.

/// Answers with the id, at once or from another thread after 0 to 5 ms.
class Answers final : public Handler {
 public:
  explicit Answers(bool delayed) : thread_([this] { run(); }), delayed_(delayed) {}
  ~Answers() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Admission admit(const RequestHead&) override { return Admission::whole(1000); }
  void handle_stream(RequestHead, BodyReader, Responder) override {}

  void handle(Request request, Responder responder) override {
    Response response{200, {}, request.head.query.substr(3)};
    if (!delayed_) return responder.respond(std::move(response));
    const std::lock_guard lock(mutex_);
    const auto due = Clock::now() + std::chrono::microseconds(random_() % 5000);
    waiting_.emplace(due, std::make_pair(std::move(responder), std::move(response)));
    changed_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      if (waiting_.empty()) {
        changed_.wait(lock);
      } else if (waiting_.begin()->first > Clock::now()) {
        changed_.wait_until(lock, waiting_.begin()->first);
      } else {
        auto item = waiting_.extract(waiting_.begin());
        lock.unlock();
        item.mapped().first.respond(std::move(item.mapped().second));
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::pair<Responder, Response>> waiting_;
  std::minstd_rand random_;
  bool over_ = false;
  std::thread thread_;
  const bool delayed_;
};

struct Target {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string ca_file;  // Empty: no TLS.
};

struct Tally {
  std::atomic<long> aborted{0};
  std::atomic<long> right{0};
  std::atomic<long> foreign{0};
  std::atomic<long> missing{0};

  bool is_over(long count) const {
    return right + foreign + missing >= count || missing > kMostMissing;
  }
};

std::string request(const std::string& id) {
  return "GET /?id=" + id + " HTTP/1.1\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n";
}

void run_a(const Target& target, long count, Tally& tally) {
  std::unique_ptr<ClientTls> tls;
  if (!target.ca_file.empty()) tls = std::make_unique<ClientTls>(target.ca_file);
  for (long n = 0; !tally.is_over(count); ++n) {
    Client client(target.port, tls.get(), target.address.c_str());
    if (!client.is_connected() || !client.send(request("a" + std::to_string(n)))) continue;
    // Now and then one waits, so that what has not been accepted yet stays a short queue: else
    // clients B would wait behind it for longer than an answer may take.
    if (n % kAbortedInARow == 0) {
      client.read(false, kSeconds);
      continue;
    }
    ++tally.aborted;
    if (n % 2 == 0) client.reset();
  }
}

// False if the answer is not the right one: the connection is of no use then.
bool ask(Client& client, const std::string& id, Tally& tally) {
  client.send(request(id));
  const auto reply = client.read(false, kSeconds);
  if (!reply || !reply->complete) {
    ++tally.missing;
  } else if (reply->status != 200 || reply->body != id) {
    ++tally.foreign;
  } else {
    ++tally.right;
    return true;
  }
  return false;
}

void run_b(const Target& target, int thread, long count, Tally& tally) {
  std::unique_ptr<ClientTls> tls;
  if (!target.ca_file.empty()) tls = std::make_unique<ClientTls>(target.ca_file);
  for (long n = 0; !tally.is_over(count); ++n) {
    Client client(target.port, tls.get(), target.address.c_str());
    if (!client.is_connected()) {
      ++tally.missing;
      continue;
    }
    const std::string id = "b" + std::to_string(thread) + "-" + std::to_string(n) + "-";
    for (int i = 0; i < kRequestsB && ask(client, id + std::to_string(i), tally); ++i) {
    }
  }
}

bool run(const char* name, const Target& target, long count) {
  const auto start = Clock::now();
  Tally tally;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreadsB; ++i)
    threads.emplace_back([&, i] { run_b(target, i, count, tally); });
  for (int i = 0; i < kThreadsA; ++i) threads.emplace_back([&] { run_a(target, count, tally); });
  for (auto& thread : threads) thread.join();
  std::printf("%-34s aborted %7ld  right %7ld  foreign %5ld  missing %5ld  %6.1f s\n", name,
              tally.aborted.load(), tally.right.load(), tally.foreign.load(), tally.missing.load(),
              std::chrono::duration<double>(Clock::now() - start).count());
  std::fflush(stdout);
  return tally.foreign == 0 && tally.missing == 0 && tally.right >= count && tally.aborted > 0;
}

bool run_ours(bool delayed, std::size_t workers, const Certificates* files, long count) {
  Answers answers(delayed);
  Listener listener;
  listener.handler = &answers;
  Target target;
  if (files) {
    listener.options.tls =
        TlsOptions{files->path("server.pem"), files->path("server.key"), {}, {}, {}};
    target.ca_file = files->path("ca.pem");
  }
  ServerOptions options;
  options.workers = workers;
  auto server = Server::start(std::move(options), {listener});
  if (!server) return false;
  target.port = (*server)->ports().front();
  const std::string name = std::string(files ? "TLS, " : "plain, ") +
                           (delayed ? "delayed, " : "immediate, ") + std::to_string(workers) +
                           (workers == 1 ? " worker" : " workers");
  const bool passed = run(name.c_str(), target, count);
  (*server)->stop(std::chrono::seconds(2));
  return passed;
}

int run_at(const std::string& where, long count) {
  const std::size_t colon = where.rfind(':');
  if (colon == std::string::npos) return 2;
  Target target;
  target.address = where.substr(0, colon);
  target.port = static_cast<std::uint16_t>(std::atoi(where.c_str() + colon + 1));
  return run(where.c_str(), target, count) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const soak = std::getenv("FLORA_SOAK");
  const long usual = soak && std::string_view(soak) == "1" ? kFullCount : kReducedCount;
  const std::string first = argc > 1 ? argv[1] : std::to_string(usual);
  if (first == "--at")
    return argc > 2 ? run_at(argv[2], argc > 3 ? std::atol(argv[3]) : 100000) : 2;
  const long count = std::atol(first.c_str());
  const Certificates files;
  bool passed = true;
  for (const Certificates* tls : {static_cast<const Certificates*>(nullptr), &files}) {
    for (const bool delayed : {false, true}) {
      for (const std::size_t workers : {1u, 2u}) {
        passed = run_ours(delayed, workers, tls, count) && passed;
      }
    }
  }
  return passed ? 0 : 1;
}
