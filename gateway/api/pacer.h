// Lets streams wait for tokens without a thread: those of one authority one after the other, so
// that each comes to its turn however many there are and single events find tokens between them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/policy/gcra.h"

namespace flora::api {

/// So many tokens of one bucket, at the rate that is in force.
struct Toll {
  policy::Gcra* bucket = nullptr;
  policy::Rate rate;
  std::int64_t cost = 0;
};

/// Thread-safe. Buckets must outlive it.
class Pacer {
 public:
  /// Called once, on the pacer's thread or within stop(): true, the tokens have been taken; false,
  /// the pacer has stopped, and nobody will wait any more.
  using Go = std::function<void(bool taken)>;

  explicit Pacer(Env& env);
  /// Stops if stop() was not called.
  ~Pacer();

  /// True: the tokens were there and nobody waits for this bucket; they are taken, and `go` is not
  /// called. False: `go` will be called. Once stopped: true at once.
  [[nodiscard]] bool pass(const Toll& toll, Go go);

  /// All that wait are sent away.
  void stop();

 private:
  struct Waiting {
    Toll toll;
    Go go;
  };
  // Of one bucket; the first one's tokens are reserved and come at `due_ns`.
  struct Line {
    std::deque<Waiting> waiting;
    std::int64_t due_ns = 0;
  };

  void run();
  std::int64_t reserve(const Toll& toll, std::int64_t now_ns) const;
  std::vector<Go> take_due();
  std::optional<std::int64_t> next_due() const;

  Env& env_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<policy::Gcra*, Line> lines_;  // None is empty.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace flora::api
