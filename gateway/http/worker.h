// A worker: one thread with one event loop, its own listening sockets and its own connections.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/shares.h"
#include "gateway/http/deadlines.h"
#include "gateway/http/endpoint.h"
#include "gateway/http/mailbox.h"
#include "gateway/http/server.h"

namespace flora::http {

class Connection;

/// What all workers of a server share. Thread-safe; outlives the workers.
struct Shared {
  explicit Shared(ServerOptions given)
      : options(std::move(given)),
        bodies(std::make_shared<Shares>(options.limits.buffered_bodies,
                                        options.limits.buffered_bodies_of_one)) {}

  const ServerOptions options;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  std::atomic<std::size_t> open{0};  ///< Connections.
  /// Bytes of bodies that are being collected or handled, by account. Outlives the server with
  /// whoever still handles one.
  const std::shared_ptr<Shares> bodies;
  std::atomic<std::size_t> answers{0};  ///< Bytes of answers that wait for their clients.

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t drained = 0;  ///< Workers that have no connection left, once draining. By mutex.
  bool hurried = false;     ///< Nobody waits for the others any more. By mutex.
};

/// The counters of one worker, written by its thread only.
struct WorkerCounters {
  using Count = std::atomic<std::uint64_t>;
  Count accepted{0}, refused{0}, no_memory{0}, requests{0}, malformed{0}, timeouts{0},
      slow_readers{0}, pauses{0}, aborted{0}, late_answers{0}, handshakes{0}, resumed{0},
      handshake_failures{0}, untrusted{0}, bytes_in{0}, bytes_out{0};

  static void add(Count& count, std::uint64_t n = 1) {
    count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

/// Functions are for the worker's own thread (its connections), unless they say otherwise.
class Worker {
 public:
  static constexpr std::size_t kScratch = 64u << 10;
  static constexpr std::uint64_t kListenerTag = (1ULL << 40) + 16;  ///< Of the first listener.

  /// Does not start the thread. Errors: unavailable.
  static Result<std::unique_ptr<Worker>> open(Shared& shared, std::size_t index);
  ~Worker();

  void start();                                              ///< By the server.
  void order(Message::Kind kind, std::uint64_t number = 0);  ///< drain, kill, probe. Any thread.
  std::uint64_t probed() const { return probed_; }           ///< The last probe. Any thread.
  void join();                                               ///< By the server, after kill.

  Shared& shared() { return shared_; }
  const ServerOptions& options() const { return shared_.options; }
  WorkerCounters& counters() { return counters_; }  ///< Reading: any thread.
  DeadlineQueue& deadlines() { return deadlines_; }
  std::int64_t now_ns() const { return now_ns_; }  ///< Of the present round of events.
  const std::string& common_fields() const { return common_fields_; }  ///< As lines.
  char* scratch() { return scratch_.get(); }  ///< kScratch bytes that anybody may overwrite.
  bool draining() const { return draining_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  bool has_messages() const { return mailbox_->has_local(); }

  Response error_page(int status, std::string_view problem, std::string_view detail) const;

  /// False if the system refuses.
  bool watch(int fd, std::uint64_t tag, bool read, bool write);
  bool change_watch(int fd, std::uint64_t tag, bool read, bool write);

  /// The connection's cycle() is called before the next wait.
  void touch(Connection& connection);

  /// While answers that wait hold more than their bound: cuts off whose client has taken nothing
  /// for the longest time.
  void cut_slow_readers();

  /// The connection is destroyed before the next wait.
  void bury(Connection& connection);

 private:
  struct Loop;

  Worker(Shared& shared, std::size_t index);
  Result<void> set_up();
  void run();
  void begin_round();
  void end_round();
  void on_tag(std::uint64_t tag, bool read, bool write, bool hangup);
  void pump();
  void handle(Message& message);
  void reap();

  void accept_from(std::size_t endpoint);
  bool admit(Endpoint& endpoint, int fd, const sockaddr_storage& address);
  bool make_room(const Endpoint& endpoint);
  void refuse(Endpoint& endpoint, int fd);
  void pause_accepting();
  void resume_accepting();

  void on_timer();
  void arm_timer();
  void drain();
  void kill();
  void report_drained();

  Shared& shared_;
  const std::size_t index_;
  WorkerCounters counters_;
  DeadlineQueue deadlines_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kScratch);
  int timer_fd_ = -1;
  std::int64_t armed_ns_ = 0;   // For when the timer is set; 0: it is not.
  std::int64_t resume_ns_ = 0;  // When to accept again; 0: accepting.
  std::int64_t quiet_ns_ = 0;   // Until then no pause is written to the log.
  std::int64_t now_ns_ = 0;
  std::int64_t date_second_ = -1;
  std::string common_fields_;  // As of that second.
  std::uint64_t next_id_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> touched_;
  std::vector<std::uint64_t> buried_;
  std::atomic<std::uint64_t> probed_{0};
  bool draining_ = false;
  bool reported_ = false;
  std::thread thread_;
};

}  // namespace flora::http
