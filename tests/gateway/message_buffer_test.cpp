// The memory of large messages.
#include "gateway/api/message_buffer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using flora::api::MemoryBudget;
using flora::api::MessageBuffer;

namespace {

/// The flags of the mapping that begins at this address, as the kernel names them.
std::string flags_of(const void* start) {
  std::stringstream address;
  address << std::hex << reinterpret_cast<std::uintptr_t>(start) << '-';
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    found = found || line.starts_with(address.str());
    if (found && line.starts_with("VmFlags:")) return line + ' ';
  }
  return {};
}

}  // namespace

TEST_CASE("bytes are kept in order, up to what was reserved") {
  MemoryBudget budget(1000);
  auto buffer = MessageBuffer::reserve(budget, 10);
  REQUIRE(buffer.has_value());
  CHECK(buffer->text().empty());
  CHECK(buffer->append("abc"));
  CHECK(buffer->append(""));
  CHECK_FALSE(buffer->append("12345678"));
  CHECK(buffer->text() == "abc");
  CHECK(buffer->append("1234567"));
  CHECK(buffer->text() == "abc1234567");
  const char* const start = buffer->text().data();
  const MessageBuffer moved = std::move(*buffer);
  CHECK(moved.text() == "abc1234567");
  CHECK(moved.text().data() == start);
}

TEST_CASE("all buffers together reserve no more than the budget") {
  MemoryBudget budget(100'000);
  auto first = MessageBuffer::reserve(budget, 60'000);
  REQUIRE(first.has_value());
  CHECK_FALSE(MessageBuffer::reserve(budget, 40'001).has_value());
  {
    auto second = MessageBuffer::reserve(budget, 40'000);
    REQUIRE(second.has_value());
    CHECK_FALSE(MessageBuffer::reserve(budget, 1).has_value());
  }
  REQUIRE(first->append(std::string(10'000, 'x')));
  first->trim();
  CHECK(first->text() == std::string(10'000, 'x'));
  CHECK_FALSE(first->append("x"));
  CHECK_FALSE(MessageBuffer::reserve(budget, 90'001).has_value());
  CHECK(MessageBuffer::reserve(budget, 90'000).has_value());
  first.reset();
  CHECK(MessageBuffer::reserve(budget, 100'000).has_value());
}

TEST_CASE("what the system cannot give leaves the budget as it was") {
  constexpr std::size_t kTooMuch = std::size_t{1} << 60;
  MemoryBudget budget(kTooMuch);
  CHECK_FALSE(MessageBuffer::reserve(budget, kTooMuch).has_value());
  CHECK(budget.take(kTooMuch));
}

TEST_CASE("a message is left out of core dumps") {
  MemoryBudget budget(1 << 20);
  auto buffer = MessageBuffer::reserve(budget, 1 << 20);
  REQUIRE(buffer.has_value());
  REQUIRE(buffer->append("x"));
  const std::string flags = flags_of(buffer->text().data());
  CHECK_MESSAGE(flags.find(" dd ") != std::string::npos, flags);
}
