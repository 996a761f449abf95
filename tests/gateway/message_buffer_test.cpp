// The memory of large messages.
#include "gateway/api/message_buffer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using flora::Shares;
using flora::api::MessageBuffer;
using Append = MessageBuffer::Append;

namespace {

constexpr std::size_t kMiB = 1 << 20;

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
  Shares memory(1000, 1000);
  auto buffer = MessageBuffer::reserve(memory, "a", 10);
  REQUIRE(buffer.has_value());
  CHECK(buffer->text().empty());
  CHECK(buffer->append("abc") == Append::done);
  CHECK(buffer->append("") == Append::done);
  CHECK(buffer->append("12345678") == Append::too_long);
  CHECK(buffer->text() == "abc");
  CHECK(buffer->append("1234567") == Append::done);
  CHECK(buffer->text() == "abc1234567");
  const char* const start = buffer->text().data();
  const MessageBuffer moved = std::move(*buffer);
  CHECK(moved.text() == "abc1234567");
  CHECK(moved.text().data() == start);
}

TEST_CASE("memory is taken as the bytes come, and is given back") {
  Shares memory(10 * kMiB, 10 * kMiB);
  auto buffer = MessageBuffer::reserve(memory, "a", 8 * kMiB);
  REQUIRE(buffer.has_value());
  CHECK(memory.has_room("b", 9 * kMiB));
  CHECK(buffer->append(std::string(kMiB, 'x')) == Append::done);
  CHECK(memory.has_room("b", 9 * kMiB));
  CHECK(buffer->append("x") == Append::done);
  CHECK(memory.has_room("b", 8 * kMiB));
  CHECK_FALSE(memory.has_room("b", 8 * kMiB + 1));
  buffer->trim();
  CHECK(memory.has_room("b", 9 * kMiB - 1));
  CHECK_FALSE(memory.has_room("b", 9 * kMiB));
  CHECK(buffer->append("x") == Append::too_long);
  CHECK(buffer->text() == std::string(kMiB + 1, 'x'));
  buffer.reset();
  CHECK(memory.has_room("b", 10 * kMiB));
}

TEST_CASE("a sender's messages hold no more than its share") {
  Shares memory(10 * kMiB, 5 * kMiB);
  const std::string piece(kMiB, 'x');
  auto first = MessageBuffer::reserve(memory, "a", 4 * kMiB);
  auto second = MessageBuffer::reserve(memory, "a", 4 * kMiB);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  for (int i = 0; i < 4; ++i) CHECK(first->append(piece) == Append::done);
  CHECK(second->append(piece) == Append::done);
  CHECK(second->append(piece) == Append::no_memory);
  CHECK(second->text() == piece);
  CHECK_FALSE(MessageBuffer::reserve(memory, "a", 1).has_value());
  auto of_another = MessageBuffer::reserve(memory, "b", 4 * kMiB);
  REQUIRE(of_another.has_value());
  for (int i = 0; i < 4; ++i) CHECK(of_another->append(piece) == Append::done);
  first.reset();
  CHECK(second->append(piece) == Append::done);
}

TEST_CASE("what the system cannot give leaves the memory as it was") {
  constexpr std::size_t kTooMuch = std::size_t{1} << 60;
  Shares memory(kTooMuch, kTooMuch);
  CHECK_FALSE(MessageBuffer::reserve(memory, "a", kTooMuch).has_value());
  CHECK(memory.take("a", kTooMuch));
}

TEST_CASE("a message is left out of core dumps") {
  Shares memory(kMiB, kMiB);
  auto buffer = MessageBuffer::reserve(memory, "a", kMiB);
  REQUIRE(buffer.has_value());
  REQUIRE(buffer->append("x") == Append::done);
  const std::string flags = flags_of(buffer->text().data());
  CHECK_MESSAGE(flags.find(" dd ") != std::string::npos, flags);
}
