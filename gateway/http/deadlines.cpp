#include "gateway/http/deadlines.h"

namespace flora::http {

DeadlineQueue::DeadlineQueue(const Deadlines& durations) {
  const std::array<std::chrono::milliseconds, kKinds> all{
      durations.handshake, durations.head,  durations.body, durations.stream,
      durations.handling,  durations.write, durations.idle, durations.linger};
  for (std::size_t i = 0; i < kKinds; ++i) {
    durations_ns_[i] = std::chrono::nanoseconds(all[i]).count();
  }
}

void DeadlineQueue::set(DeadlineNode& node, Deadline kind, std::int64_t now_ns) {
  remove(node);
  if (kind == Deadline::none) return;
  Queue& queue = queues_[static_cast<std::size_t>(kind)];
  node.kind = kind;
  node.due_ns = now_ns + durations_ns_[static_cast<std::size_t>(kind)];
  node.previous = queue.last;
  (queue.last ? queue.last->next : queue.first) = &node;
  queue.last = &node;
}

void DeadlineQueue::remove(DeadlineNode& node) {
  if (node.kind == Deadline::none) return;
  Queue& queue = queues_[static_cast<std::size_t>(node.kind)];
  (node.previous ? node.previous->next : queue.first) = node.next;
  (node.next ? node.next->previous : queue.last) = node.previous;
  node = {};
}

DeadlineNode* DeadlineQueue::earliest() const {
  DeadlineNode* best = nullptr;
  for (const Queue& queue : queues_) {
    if (queue.first && (!best || queue.first->due_ns < best->due_ns)) best = queue.first;
  }
  return best;
}

DeadlineNode* DeadlineQueue::earliest(Deadline kind) const {
  return queues_[static_cast<std::size_t>(kind)].first;
}

}  // namespace flora::http
