// Signals as values: blocked in all threads, and taken by who waits for them.
#pragma once

#include <signal.h>

#include <chrono>
#include <optional>

namespace flora::commands {

/// SIGHUP, SIGINT and SIGTERM, and SIGUSR1 to wake a waiting thread.
class Signals {
 public:
  /// Blocks them for this thread and all that it starts. Before the first other thread.
  Signals();

  /// The next one, or 0 if none has come in the time. Blocks.
  int wait(std::optional<std::chrono::milliseconds> time = std::nullopt) const;

 private:
  sigset_t set_;
};

}  // namespace flora::commands
