#include "gateway/base/json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flora {
namespace {

std::string canonical(std::string_view text) {
  json::Document document;
  REQUIRE(document.parse(text));
  std::string out;
  json::append_canonical(out, document.root());
  return out;
}

bool accepts(std::string_view text) {
  json::Document document;
  return document.parse(text);
}

TEST_CASE("members and items are read in their order") {
  json::Document document;
  REQUIRE(document.parse(R"( {"a": [1, "x", {"b": null}], "c\u0064": true, "e": -0.5e1} )"));
  const json::Value root = document.root();
  REQUIRE(root.size() == 3);
  std::vector<std::string> names;
  for (json::Value v = root.first(); v.valid(); v = v.next()) names.emplace_back(v.name());
  CHECK(names == std::vector<std::string>{"a", "cd", "e"});
  const json::Value a = *root.find("a");
  REQUIRE(a.size() == 3);
  json::Value item = a.first();
  CHECK(item.integer() == 1);
  item = item.next();
  CHECK(item.string() == "x");
  CHECK(item.raw() == "\"x\"");
  item = item.next();
  CHECK(item.find("b")->is(json::Kind::null));
  CHECK(!item.next().valid());
  CHECK(root.find("cd")->boolean());
  CHECK(root.find("e")->number() == -5.0);
  CHECK(a.raw() == R"([1, "x", {"b": null}])");
  CHECK(!root.find("z").has_value());
}

TEST_CASE("what RFC 8259 and I-JSON forbid is refused, with its place") {
  for (const std::string_view bad : {"",
                                     " ",
                                     "{",
                                     "[",
                                     "[1,]",
                                     "{\"a\":1,}",
                                     "[1 2]",
                                     "{\"a\" 1}",
                                     "{a:1}",
                                     "{\"a\":}",
                                     "01",
                                     "-",
                                     "1.",
                                     ".5",
                                     "1e",
                                     "+1",
                                     "nul",
                                     "truex",
                                     "\"",
                                     "\"\\x\"",
                                     "\"\\u12\"",
                                     "\"\\u12g4\"",
                                     "\"\\ud800\"",
                                     "\"\\udc00\"",
                                     "\"\\ud800\\u0041\"",
                                     "\"\t\"",
                                     "\"\xff\"",
                                     "\"\xc0\x80\"",
                                     "\"\xed\xa0\x80\"",
                                     "1 2",
                                     "{} {}",
                                     "{\"a\":1,\"a\":2}",
                                     "{\"a\":1,\"\\u0061\":2}",
                                     "NaN",
                                     "1e999",
                                     "[,1]",
                                     "{,}",
                                     "]",
                                     "}",
                                     "[}",
                                     "{]",
                                     "\"\\u-123\"",
                                     "\xef\xbb\xbf{}"}) {
    CAPTURE(bad);
    CHECK_FALSE(accepts(bad));
  }
  json::Document document;
  CHECK_FALSE(document.parse("{\n \"a\": 1,\n \"b\": x}"));
  CHECK(document.error().line == 3);
  CHECK(document.error().column == 7);
  CHECK(document.error().offset == 17);
}

TEST_CASE("duplicate names are found in large objects too") {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  CHECK(accepts(text + "\"k100\":0}"));
  CHECK_FALSE(accepts(text + "\"k7\":0}"));
}

TEST_CASE("depth and length are bounded") {
  const std::string deep = std::string(33, '[') + std::string(33, ']');
  CHECK_FALSE(accepts(deep));
  CHECK(accepts(deep.substr(1, 64)));
  CHECK_FALSE(accepts(std::string(10'000'000, '[')));
  json::Document document;
  CHECK_FALSE(document.parse("[1,2]", {.bytes = 4, .depth = 2}));
}

TEST_CASE("a document is reusable after an error") {
  json::Document document;
  CHECK_FALSE(document.parse("[[["));
  REQUIRE(document.parse("[1]"));
  CHECK(document.root().first().integer() == 1);
}

TEST_CASE("strings are decoded") {
  json::Document document;
  REQUIRE(document.parse(R"(["\ud83d\ude00\n\/", "ä", "plain"])"));
  json::Value v = document.root().first();
  CHECK(v.string() == "\xF0\x9F\x98\x80\n/");
  CHECK(v.raw() == R"("\ud83d\ude00\n\/")");
  v = v.next();
  CHECK(v.string() == "ä");
  v = v.next();
  CHECK(v.string() == "plain");
}

TEST_CASE("the canonical form is that of RFC 8785") {
  // The example of RFC 8785 §3.2.2 and §3.2.3.
  CHECK(canonical(R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                      "literals":[null,true,false]})") ==
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  CHECK(
      canonical(R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})") ==
      "{\"\\r\":2,\"1\":4,\"\xC2\x80\":6,\"ö\":7,\"€\":1,\"\xF0\x9F\x98\x80\":5,\"\xEF\xAC\xB3\":"
      "3}");
  CHECK(canonical("[-0, 0.0, -0.0, 100, 1e21, 1e20, 123456789012345678, 0.00001, 1e-7, -1.5]") ==
        "[0,0,0,100,1e+21,100000000000000000000,123456789012345680,0.00001,1e-7,-1.5]");
}

TEST_CASE("the reader agrees with an independent one on mutated texts") {
  const std::string seed =
      R"({"id":"a-1","n":[1,-2.5e3,true,null],"t":{"x":"ä\u00e4","y":{}},"e":[]})";
  const std::string alphabet = "{}[]\",:0123456789.eE+-\\untfals \n\x01\xC3\xA4x";
  std::uint32_t state = 12345;
  const auto next = [&state](std::size_t n) {
    state = state * 1664525U + 1013904223U;
    return static_cast<std::size_t>(state >> 8) % n;
  };
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    const std::size_t edits = 1 + next(2);
    for (std::size_t i = 0; i < edits; ++i) {
      const std::size_t at = next(text.size());
      if (next(3) == 0) {
        text.erase(at, 1);
      } else if (next(2) == 0) {
        text.insert(at, 1, alphabet[next(alphabet.size())]);
      } else {
        text[at] = alphabet[next(alphabet.size())];
      }
    }
    json::Document document;
    const bool ours = document.parse(text);
    const bool theirs = nlohmann::json::accept(text);
    accepted += ours ? 1 : 0;
    CAPTURE(text);
    if (ours != theirs) {
      // nlohmann keeps the last of two equal names; ours refuses the object.
      CHECK(theirs);
      CHECK(document.error().reason == "a member name occurs twice in the object that ends here");
    }
  }
  CHECK(accepted > 100);
}

}  // namespace
}  // namespace flora
