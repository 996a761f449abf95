// The threads on which answers of peers come in. No call has a thread of its own.
#pragma once

#include <grpcpp/completion_queue.h>

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace flora::fabric {

/// What is under way in gRPC; its address is the tag.
class Step {
 public:
  virtual ~Step() = default;
  /// Called once on a thread of the reactor.
  virtual void done() = 0;
};

/// Thread-safe.
class Reactor {
 public:
  explicit Reactor(std::size_t threads);
  /// Nothing may be under way any more.
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  grpc::CompletionQueue& queue() { return queue_; }

  /// Runs `work` on one of the threads. It must not throw or block.
  void post(std::function<void()> work);

 private:
  void run();

  grpc::CompletionQueue queue_;
  std::vector<std::thread> threads_;
};

}  // namespace flora::fabric
