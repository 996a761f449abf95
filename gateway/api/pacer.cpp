#include "gateway/api/pacer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace flora::api {
namespace {

// The environment's clock need not be the one that a condition variable waits by: it is looked at
// this often while somebody waits.
constexpr std::chrono::nanoseconds kLongestSleep = std::chrono::milliseconds(50);

// What streams leave in the bucket: a quarter of it is for single events.
std::int64_t kept(const policy::Rate& rate) { return rate.burst / 4; }

}  // namespace

Pacer::Pacer(Env& env) : env_(env), thread_([this] { run(); }) {}

Pacer::~Pacer() {
  stop();
  thread_.join();
}

std::int64_t Pacer::reserve(const Toll& toll, std::int64_t now_ns) const {
  return now_ns + toll.bucket->reserve(toll.rate, now_ns, toll.cost, kept(toll.rate));
}

bool Pacer::pass(const Toll& toll, Go go) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return true;
  const auto line = lines_.find(toll.bucket);
  if (line != lines_.end()) {
    line->second.waiting.push_back({toll, std::move(go)});
    return false;
  }
  const std::int64_t now = env_.steady_ns();
  const std::int64_t due = reserve(toll, now);
  if (due <= now) return true;
  Line& first = lines_[toll.bucket];
  first.due_ns = due;
  first.waiting.push_back({toll, std::move(go)});
  wake_.notify_one();
  return false;
}

void Pacer::stop() {
  std::map<policy::Gcra*, Line> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left = std::exchange(lines_, {});
    wake_.notify_one();
  }
  for (auto& [bucket, line] : left) {
    for (Waiting& waiting : line.waiting) waiting.go(false);
  }
}

// With the mutex held, like the next.
std::optional<std::int64_t> Pacer::next_due() const {
  std::optional<std::int64_t> next;
  for (const auto& [bucket, line] : lines_) {
    next = std::min(next.value_or(line.due_ns), line.due_ns);
  }
  return next;
}

std::vector<Pacer::Go> Pacer::take_due() {
  std::vector<Go> due;
  const std::int64_t now = env_.steady_ns();
  for (auto at = lines_.begin(); at != lines_.end();) {
    Line& line = at->second;
    while (!line.waiting.empty() && line.due_ns <= now) {
      due.push_back(std::move(line.waiting.front().go));
      line.waiting.pop_front();
      if (!line.waiting.empty()) line.due_ns = reserve(line.waiting.front().toll, now);
    }
    at = line.waiting.empty() ? lines_.erase(at) : std::next(at);
  }
  return due;
}

void Pacer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::optional<std::int64_t> next = next_due();
    if (!next) {
      wake_.wait(lock);
      continue;
    }
    const std::chrono::nanoseconds left(*next - env_.steady_ns());
    if (left.count() > 0) wake_.wait_for(lock, std::min(left, kLongestSleep));
    std::vector<Go> due = take_due();
    lock.unlock();
    for (Go& go : due) std::exchange(go, {})(true);
    lock.lock();
  }
}

}  // namespace flora::api
