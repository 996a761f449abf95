// The deadlines of a worker's connections. Each kind of deadline has one duration, so its queue is
// always in order and setting one costs a few pointers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gateway/http/limits.h"

namespace flora::http {

enum class Deadline : std::uint8_t {
  handshake,
  head,
  body,
  stream,
  handling,
  write,
  idle,
  linger,
  none
};

/// A place in a queue. Base of what can have a deadline; must leave the queue before it dies.
struct DeadlineNode {
  DeadlineNode* previous = nullptr;
  DeadlineNode* next = nullptr;
  std::int64_t due_ns = 0;
  Deadline kind = Deadline::none;
};

/// Not thread-safe. Owns no node.
class DeadlineQueue {
 public:
  explicit DeadlineQueue(const Deadlines& durations);

  /// Gives `node` this deadline, counted from `now_ns`; none takes it out.
  void set(DeadlineNode& node, Deadline kind, std::int64_t now_ns);

  /// The earliest deadline of all; nullptr if there is none.
  DeadlineNode* earliest() const;

  /// Of one kind, the earliest; nullptr if there is none.
  DeadlineNode* earliest(Deadline kind) const;

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Deadline::none);
  struct Queue {
    DeadlineNode* first = nullptr;
    DeadlineNode* last = nullptr;
  };
  void remove(DeadlineNode& node);

  std::array<std::int64_t, kKinds> durations_ns_{};
  std::array<Queue, kKinds> queues_{};
};

}  // namespace flora::http
