// Lines and columns of a text, whatever the order in which they are asked for.
#include "adapters/formats/text_position.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace flora::adapter {
namespace {

// With line ends of each kind, characters of one to four bytes, and lines longer than a stride.
std::string text_of(unsigned seed, bool mark) {
  constexpr const char* kParts[] = {
      "\n", "\r", "\r\n", "\n\r", "a", "\xC3\xA4", "\xF0\x9F\x8C\xBF"};
  std::mt19937 random(seed);
  std::string out = mark ? "\xEF\xBB\xBF" : "";
  while (out.size() < 20'000) {
    const std::size_t part = random() % 7;
    const std::size_t times = random() % 50 == 0 ? 5000 : random() % 40;
    if (part < 4) out += kParts[part];
    for (std::size_t i = 0; part >= 4 && i < times; ++i) out += kParts[part];
  }
  return out;
}

}  // namespace

TEST_CASE("the order of questions changes no answer") {
  for (unsigned seed = 0; seed < 8; ++seed) {
    const std::string text = text_of(seed, seed % 2 == 1);
    PositionIndex index;
    index.reset(text);
    const auto check = [&](std::size_t offset) {
      const TextPosition told = index.at(offset);
      const TextPosition right = position_in(text, offset);
      REQUIRE(told.line == right.line);
      REQUIRE(told.column == right.column);
    };
    std::mt19937 random(seed);
    for (std::size_t offset = 0; offset <= text.size(); offset += random() % 60) check(offset);
    for (int i = 0; i < 300; ++i) check(random() % (text.size() + 10));
    for (std::size_t offset = text.size(); offset > 100; offset -= random() % 100) check(offset);
  }
}

TEST_CASE("a part of a larger text has its places in the larger one") {
  PositionIndex index;
  index.reset("ab\ncd", {.offset = 100, .line = 7, .bytes_are_characters = true});
  CHECK(index.at(100).line == 7);
  CHECK(index.at(101).column == 2);
  CHECK(index.at(104).line == 8);
  CHECK(index.at(104).column == 2);
  CHECK(index.at(50).line == 7);  // Before the part: its begin.
}

}  // namespace flora::adapter
