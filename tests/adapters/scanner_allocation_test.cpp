// A scanner that has read a message of a kind allocates nothing when it reads the next one.
#include <doctest/doctest.h>

#include <string>

#include "adapters/formats/json_scanner.h"
#include "adapters/formats/record_scanner.h"
#include "tests/counted_allocations.h"

namespace flora::adapter {
namespace {

// Counts the allocations of the second of two runs.
template <typename Work>
std::size_t allocations_when_warm(const Work& work) {
  work();
  const std::size_t before = test::allocations();
  work();
  return test::allocations() - before;
}

}  // namespace

TEST_CASE("cutting records allocates nothing, with doubled quotes and faults") {
  std::string file;
  for (int i = 0; i < 100; ++i) {
    file +=
        "V-1;\"a \"\"quoted\"\" word, longer than a short string\";\"\"\"\";x\n\na\"b\n1;2;3;4;5\n";
  }
  CsvScanner scanner;
  CHECK(allocations_when_warm([&] {
          scanner.reset(file, Charset::utf_8, {}, {.columns = 4});
          while (scanner.next() != RecordToken::done) {
          }
        }) == 0);
}

TEST_CASE("cutting fixed records allocates nothing") {
  const std::string file = "abc\nabcd\nxyz\n";
  FixedScanner scanner;
  CHECK(allocations_when_warm([&] {
          scanner.reset(file, Charset::utf_8, 3);
          while (scanner.next() != RecordToken::done) {
          }
        }) == 0);
}

TEST_CASE("scanning JSON allocates nothing, with escapes, depth and many names") {
  std::string object = "{";
  for (int i = 0; i < 100; ++i) {
    object += "\"name-" + std::to_string(i) + "\":[1,\"text\"],\"esc\\u0061ped-" +
              std::to_string(i) + "\":\"an escaped \\n text, longer than a short string\",";
  }
  const std::string message = object + "\"x\":" + object + "\"y\":" + object + "\"z\":1}}," +
                              "\"again\":" + object + "\"z\":{}}}";
  JsonScanner scanner;
  JsonScanner::Token last{};
  CHECK(allocations_when_warm([&] {
          scanner.reset(message);
          do {
            last = scanner.next();
          } while (last != JsonScanner::Token::done && last != JsonScanner::Token::error);
        }) == 0);
  CHECK(last == JsonScanner::Token::done);
}

}  // namespace flora::adapter
