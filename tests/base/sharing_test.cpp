// What several senders share: queues, threads, amounts. None keeps the others out.
#include <doctest/doctest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/base/fair_queue.h"
#include "gateway/base/shares.h"
#include "gateway/base/thread_pool.h"

using flora::FairQueue;
using flora::Shares;
using flora::ThreadPool;

namespace {

bool push(FairQueue<std::string>& queue, std::string_view sender, std::string item,
          std::size_t weight = 1) {
  return queue.push(sender, weight, item);
}

std::string all(FairQueue<std::string>& queue) {
  std::string out;
  while (!queue.empty()) out += queue.pop() + ' ';
  return out;
}

/// Counts, and waits for a count.
class Counter {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("senders take turns, and each keeps its order") {
  FairQueue<std::string> queue(100);
  for (const char* item : {"a1", "a2", "a3", "a4"}) CHECK(push(queue, "a", item));
  CHECK(push(queue, "b", "b1"));
  CHECK(push(queue, "c", "c1"));
  CHECK(push(queue, "b", "b2"));
  CHECK(all(queue) == "a1 b1 c1 a2 b2 a3 a4 ");
  CHECK(push(queue, "b", "b3"));
  CHECK(all(queue) == "b3 ");
}

TEST_CASE("one sender fills half of a queue, and others find room however many flood it") {
  FairQueue<std::string> queue(1000);
  const auto fill = [&](const std::string& sender) {
    std::size_t count = 0;
    while (push(queue, sender, sender)) ++count;
    return count;
  };
  CHECK(fill("a") == 500);
  CHECK(fill("b") == 250);
  CHECK(fill("c") == 125);
  for (int step = 0; step < 5000; ++step) {
    queue.pop();
    for (const char* sender : {"a", "b", "c"}) fill(sender);
  }
  std::map<std::string, std::size_t> held;
  const std::size_t room = fill("d");
  CHECK(room >= 120);
  while (!queue.empty()) ++held[queue.pop()];
  for (const char* sender : {"a", "b", "c"}) CHECK(held[sender] >= 240);
  CHECK(held["d"] == room);
}

TEST_CASE("what is refused is left as it was") {
  FairQueue<std::string> queue(10);
  CHECK(push(queue, "a", "five", 5));
  std::string item = "more";
  CHECK_FALSE(queue.push("a", 1, item));
  CHECK(item == "more");
  CHECK(queue.push("b", 5, item));
  CHECK(all(queue) == "five more ");
  CHECK(push(queue, "a", "all", 10));
}

TEST_CASE("a turn goes to those who may have it") {
  FairQueue<std::string> queue(10);
  CHECK(push(queue, "a", "a1"));
  CHECK(push(queue, "b", "b1"));
  const auto not_a = [](const std::string& sender) { return sender != "a"; };
  CHECK(queue.pop_if(not_a)->second == "b1");
  CHECK_FALSE(queue.pop_if(not_a).has_value());
  CHECK(all(queue) == "a1 ");
}

TEST_CASE("a share is bounded, and so is the whole") {
  Shares shares(100, 60);
  CHECK(shares.take("a", 60));
  CHECK_FALSE(shares.take("a", 1));
  CHECK_FALSE(shares.take("b", 41));
  CHECK(shares.has_room("b", 40));
  CHECK(shares.take("b", 40));
  CHECK_FALSE(shares.has_room("c", 1));
  shares.give_back("a", 10);
  CHECK(shares.take("c", 10));
  shares.add("c", 50);  // More than there is.
  CHECK_FALSE(shares.take("a", 1));
  shares.give_back("c", 60);
  CHECK(shares.take("a", 10));
  CHECK_FALSE(shares.take("d", static_cast<std::size_t>(-1)));
}

TEST_CASE("one sender's work leaves threads and places to the others") {
  Counter started;
  Counter done;
  std::mutex gate;
  std::unique_lock closed(gate);
  ThreadPool pool(4, 100);
  const auto slow = [&] {
    started.add();
    { const std::lock_guard lock(gate); }
    done.add();
  };
  int queued = 0;
  while (pool.post("a", slow)) ++queued;
  CHECK(queued < 100);
  REQUIRE(started.wait(2));
  for (int i = 0; i < 20; ++i) CHECK(pool.post("b", [&] { done.add(); }));
  REQUIRE(done.wait(20));
  CHECK(started.count() == 2);
  closed.unlock();
  REQUIRE(done.wait(20 + queued));
}

TEST_CASE("a pool that goes runs what is queued") {
  Counter done;
  {
    ThreadPool pool(4, 1000);
    for (int i = 0; i < 100; ++i) REQUIRE(pool.post("a", [&] { done.add(); }));
    for (int i = 0; i < 100; ++i) REQUIRE(pool.post("b", [&] { done.add(); }));
  }
  CHECK(done.count() == 200);
}
