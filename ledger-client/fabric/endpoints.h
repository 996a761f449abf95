// Which endpoint a call goes to: the first that is well, in the order of preference.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/env.h"

namespace flora::fabric {

/// Thread-safe.
class Endpoints {
 public:
  struct Pauses {
    std::chrono::milliseconds first;
    std::chrono::milliseconds longest;
  };

  /// `names` are for the log.
  Endpoints(std::vector<std::string> names, Pauses pauses, Env& env);

  std::size_t size() const { return states_.size(); }

  /// The first that was not tried and is not passed over. If nothing was tried yet and all are
  /// passed over, the one whose time is up first: a call always asks somebody.
  std::optional<std::size_t> pick(const std::vector<bool>& tried) const;

  /// It does not answer: it is passed over for the first pause, for twice as long each time until
  /// it answers. Nothing changes while it is passed over already.
  void failed(std::size_t index);
  void answered(std::size_t index);

 private:
  struct State {
    std::string name;
    std::chrono::nanoseconds pause{0};  // 0: it is well.
    std::int64_t until_ns = 0;          // Of Env::steady_ns().
  };

  const Pauses pauses_;
  Env& env_;
  mutable std::mutex mutex_;
  std::vector<State> states_;
};

}  // namespace flora::fabric
