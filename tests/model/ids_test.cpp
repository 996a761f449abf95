#include "gateway/model/ids.h"

#include <doctest/doctest.h>

#include "tests/fake_env.h"

namespace flora {
namespace {

TEST_CASE("a UUID is read back from its text") {
  const auto id = parse_uuid("0190163D-8694-739B-AEA5-966C26F8AD91");
  REQUIRE(id);
  CHECK(to_string(*id) == "0190163d-8694-739b-aea5-966c26f8ad91");
  for (const char* bad :
       {"", "0190163d8694739baea5966c26f8ad91", "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163d-8694-739b-aea5-966c26f8ad9g", "0190163d-8694-739b-aea5_966c26f8ad91",
        "0190163d-8694-739b-aea5-966c26f8ad91 "}) {
    CHECK(!parse_uuid(bad).has_value());
  }
}

TEST_CASE("version 4 has its version and variant") {
  FakeEnv env;
  for (int i = 0; i < 100; ++i) {
    const std::string text = to_string(random_uuid(env));
    CHECK(text[14] == '4');
    CHECK(std::string("89ab").find(text[19]) != std::string::npos);
  }
}

TEST_CASE("version 7 rises with each call, within a millisecond and when the clock goes back") {
  FakeEnv env(1'000'000'000'000);
  UuidSequence sequence(env);
  Uuid last = sequence.next();
  CHECK(to_string(last).substr(0, 13) == "00e8d4a5-1000");
  for (int i = 0; i < 5000; ++i) {
    if (i % 1000 == 500) env.advance_ms(1);
    if (i % 1000 == 900) env.advance_ms(-50);
    const Uuid next = sequence.next();
    CHECK(last < next);
    CHECK(to_string(next)[14] == '7');
    CHECK((std::to_integer<unsigned>(next.bytes[8]) >> 6) == 2);
    last = next;
  }
}

}  // namespace
}  // namespace flora
