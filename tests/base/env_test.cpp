#include "gateway/base/env.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/temporary_folder.h"

namespace flora {
namespace {

TEST_CASE("a file is replaced as a whole") {
  const TemporaryFolder folder;
  Env& env = Env::system();
  REQUIRE(env.replace_file(folder.file("a"), "first", 0600));
  REQUIRE(env.replace_file(folder.file("a"), "second", 0600));
  CHECK(*env.read_file(folder.file("a"), 100) == "second");
  CHECK(env.read_file(folder.file("a"), 5).error().code == Errc::invalid);
  CHECK(env.read_file(folder.file("b"), 5).error().code == Errc::not_found);
  CHECK(env.replace_file(folder.file("missing/a"), "x", 0600).error().code == Errc::unavailable);
}

TEST_CASE("randomness differs and fills everything") {
  std::array<std::byte, 64> a{};
  std::array<std::byte, 64> b{};
  Env::system().random(a);
  Env::system().random(b);
  CHECK(a != b);
}

}  // namespace
}  // namespace flora
