// The end of serve: signals that come while the gateway stops, and the time that it has for it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

#include "gateway/commands/signals.h"

namespace flora::commands {

/// Made before all that takes its time to end, so that it is destroyed after it. Thread-safe.
class Shutdown {
 public:
  /// `signals` outlives it.
  explicit Shutdown(const Signals& signals) : signals_(signals) {}
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  /// Once. From now on a further SIGTERM or SIGINT calls `hurry`, and when the time is over the
  /// process ends with kLate, whatever hangs.
  void begin(std::chrono::milliseconds time, std::function<void()> hurry);

  /// There is nothing left to hurry: it is not called any more.
  void drained();

 private:
  void watch();

  const Signals& signals_;
  std::chrono::steady_clock::time_point end_;
  std::mutex mutex_;
  std::function<void()> hurry_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace flora::commands
