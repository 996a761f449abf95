#include "gateway/commands/signals.h"

#include <algorithm>

namespace flora::commands {

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

int Signals::wait(std::optional<std::chrono::milliseconds> time) const {
  int signal = 0;
  if (!time) return sigwait(&set_, &signal) == 0 ? signal : 0;
  const auto ms = std::max<std::int64_t>(time->count(), 0);
  const timespec limit{ms / 1000, (ms % 1000) * 1'000'000};
  signal = sigtimedwait(&set_, nullptr, &limit);
  return std::max(signal, 0);
}

}  // namespace flora::commands
