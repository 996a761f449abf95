// The field traceparent, to the letter of W3C Trace Context.
#include "gateway/telemetry/trace_context.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "gateway/base/bytes.h"
#include "tests/fake_env.h"

using namespace flora;
using namespace flora::telemetry;

namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

TraceContext trace_of_fields(const std::vector<std::string_view>& fields, Env& env,
                             double ratio = 1) {
  return trace_of(fields, ratio, env);
}

}  // namespace

TEST_CASE("a valid traceparent is read") {
  const auto parent = parse_traceparent(kParent);
  REQUIRE(parent.has_value());
  CHECK(to_hex(parent->trace) == kTrace);
  CHECK(to_hex(parent->span) == kSpan);
  CHECK(parent->sampled);
  const auto quiet = parse_traceparent("00-" + kTrace + "-" + kSpan + "-00");
  REQUIRE(quiet.has_value());
  CHECK_FALSE(quiet->sampled);
}

TEST_CASE("of the flags the lowest bit alone counts") {
  const auto is_sampled = [](const std::string& flags) {
    const auto parent = parse_traceparent("00-" + kTrace + "-" + kSpan + "-" + flags);
    REQUIRE(parent.has_value());
    return parent->sampled;
  };
  CHECK(is_sampled("03"));
  CHECK(is_sampled("ff"));
  CHECK_FALSE(is_sampled("02"));
  CHECK_FALSE(is_sampled("fe"));
}

TEST_CASE("of a later version the beginning is read as version 00 knows it") {
  CHECK(parse_traceparent("01-" + kTrace + "-" + kSpan + "-01").has_value());
  CHECK(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01-what-the-future-will-be-like")
            .has_value());
  CHECK(parse_traceparent("fe-" + kTrace + "-" + kSpan + "-01-").has_value());
  CHECK_FALSE(parse_traceparent("01-" + kTrace + "-" + kSpan + "-01.more").has_value());
  CHECK_FALSE(parse_traceparent("01-" + kTrace + "-" + kSpan + "-0100").has_value());
}

TEST_CASE("what is not to the letter is invalid") {
  const std::vector<std::string> invalid = {
      "",
      "00",
      kParent.substr(0, 54),
      kParent + "-",
      kParent + "-more",
      kParent + " ",
      " " + kParent,
      "ff-" + kTrace + "-" + kSpan + "-01",
      "0x-" + kTrace + "-" + kSpan + "-01",
      "00-" + std::string(32, '0') + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + std::string(16, '0') + "-01",
      "00-" + std::string("0AF7651916CD43DD8448EB211C80319C") + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + std::string("B7AD6B7169203331") + "-01",
      "00-" + kTrace + "-" + kSpan + "-0X",
      "00-" + kTrace + "-" + kSpan + "-.1",
      "00_" + kTrace + "_" + kSpan + "_01",
      "00-" + kTrace.substr(1) + "g-" + kSpan + "-01",
      "00-" + kTrace + "-" + kSpan.substr(1) + "--01",
      "00-" + kTrace.substr(2) + "-" + kSpan + "aa-01",
  };
  for (const std::string& value : invalid) {
    CAPTURE(value);
    CHECK_FALSE(parse_traceparent(value).has_value());
  }
}

TEST_CASE("every octet in every place of a valid value either keeps it valid or is refused") {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t at = 0; at < kParent.size(); ++at) {
    const bool dash = at == 2 || at == 35 || at == 52;
    for (int octet = 0; octet < 256; ++octet) {
      std::string value = kParent;
      value[at] = static_cast<char>(octet);
      const bool allowed = dash ? octet == '-' : kDigits.find(value[at]) != kDigits.npos;
      CAPTURE(value);
      CHECK(parse_traceparent(value).has_value() == allowed);
    }
  }
}

TEST_CASE("a valid parent is continued with a new span") {
  FakeEnv env;
  const TraceContext context = trace_of_fields({kParent}, env, 0);
  CHECK(to_hex(context.trace) == kTrace);
  REQUIRE(context.parent.has_value());
  CHECK(to_hex(*context.parent) == kSpan);
  CHECK(to_hex(context.span) != kSpan);
  CHECK(context.sampled);
  CHECK_FALSE(trace_of_fields({"00-" + kTrace + "-" + kSpan + "-00"}, env, 1).sampled);
}

TEST_CASE("no parent, several, or an invalid one begins a new trace") {
  FakeEnv env;
  std::set<std::string> traces = {kTrace};
  const std::vector<std::vector<std::string_view>> cases = {
      {}, {kParent, kParent}, {"00-nonsense"}, {""}};
  for (const auto& fields : cases) {
    const TraceContext context = trace_of_fields(fields, env);
    CHECK_FALSE(context.parent.has_value());
    CHECK(traces.insert(to_hex(context.trace)).second);
  }
}

TEST_CASE("the ratio decides how many of the new traces are sampled") {
  FakeEnv env;
  for (const auto& [ratio, low, high] :
       {std::tuple{0.0, 0, 0}, {1.0, 4000, 4000}, {0.25, 800, 1200}}) {
    int sampled = 0;
    for (int i = 0; i < 4000; ++i) sampled += trace_of_fields({}, env, ratio).sampled ? 1 : 0;
    CHECK(sampled >= low);
    CHECK(sampled <= high);
  }
}

TEST_CASE("a stranger keeps his trace and does not decide whether it is sampled") {
  FakeEnv env;
  const std::string all_high = "00-" + std::string(32, 'f') + "-" + kSpan + "-01";
  const std::string all_low = "00-" + std::string(31, '0') + "1-" + kSpan + "-01";
  for (const std::string& parent : {all_high, all_low}) {
    int sampled = 0;
    for (int i = 0; i < 4000; ++i) {
      const TraceContext place = of_a_stranger(trace_of_fields({parent}, env), 0.25);
      CHECK(to_hex(place.trace) == parent.substr(3, 32));
      sampled += place.sampled ? 1 : 0;
    }
    CHECK(sampled >= 800);
    CHECK(sampled <= 1200);
  }
}
