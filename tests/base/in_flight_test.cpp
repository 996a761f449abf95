// Waiting for the last piece of work that is under way.
#include "gateway/base/in_flight.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace flora;

TEST_CASE("wait() returns at once when nothing is under way") {
  InFlight work;
  work.wait();
  work.ticket().reset();
  work.wait();
}

TEST_CASE("wait() returns when the last copy of each ticket is gone") {
  InFlight work;
  std::atomic<int> ended = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&ended, ticket = work.ticket()]() mutable {
      std::shared_ptr<void> copy = ticket;
      ticket.reset();
      ++ended;
      copy.reset();
    });
  }
  work.wait();
  CHECK(ended == 8);
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("a ticket may outlive what it was drawn from") {
  std::shared_ptr<void> ticket;
  {
    InFlight work;
    ticket = work.ticket();
  }
  ticket.reset();
}
