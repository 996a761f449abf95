#include "ledger-client/fabric/reactor.h"

#include <grpcpp/alarm.h>

#include <chrono>
#include <memory>
#include <utility>

namespace flora::fabric {
namespace {

// An alarm that is due at once, which is how work of our own comes into gRPC's queue.
class Posted final : public Step {
 public:
  explicit Posted(std::function<void()> work) : work_(std::move(work)) {}
  void set(grpc::CompletionQueue& queue) {
    alarm_.Set(&queue, std::chrono::system_clock::now(), static_cast<Step*>(this));
  }
  void done() override {
    const std::unique_ptr<Posted> owner(this);
    work_();
  }

 private:
  grpc::Alarm alarm_;
  std::function<void()> work_;
};

}  // namespace

Reactor::Reactor(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Reactor::~Reactor() {
  queue_.Shutdown();
  for (std::thread& one : threads_) one.join();
}

void Reactor::post(std::function<void()> work) {
  auto posted = std::make_unique<Posted>(std::move(work));
  Posted* const tag = posted.release();  // Owned by the queue until it is done.
  tag->set(queue_);
}

void Reactor::run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) static_cast<Step*>(tag)->done();
}

}  // namespace flora::fabric
