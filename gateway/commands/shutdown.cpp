#include "gateway/commands/shutdown.h"

#include <unistd.h>

#include <utility>

#include "gateway/base/log.h"
#include "gateway/commands/exit_code.h"

namespace flora::commands {

Shutdown::~Shutdown() {
  if (!thread_.joinable()) return;
  done_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void Shutdown::begin(std::chrono::milliseconds time, std::function<void()> hurry) {
  end_ = std::chrono::steady_clock::now() + time;
  hurry_ = std::move(hurry);
  thread_ = std::thread([this] { watch(); });
}

void Shutdown::drained() {
  const std::lock_guard lock(mutex_);
  hurry_ = nullptr;
}

void Shutdown::watch() {
  while (!done_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      log::write(log::Level::error, "not stopped in time, the process ends");
      log::flush();
      ::_exit(kLate);
    }
    const int signal = signals_.wait(left);
    if (signal != SIGTERM && signal != SIGINT) continue;
    log::write(log::Level::warning, "asked again to stop: what is left is closed");
    const std::lock_guard lock(mutex_);
    if (hurry_) hurry_();
  }
}

}  // namespace flora::commands
