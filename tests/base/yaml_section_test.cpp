// All mistakes of a file are told in one run, each with its place.
#include "gateway/base/yaml_section.h"

#include <doctest/doctest.h>

namespace flora::yaml {
namespace {

Node parsed(std::string_view text) {
  auto node = parse(text, "f");
  REQUIRE_MESSAGE(node, node.error().message);
  return std::move(*node);
}

std::vector<std::string> lines(const Findings& findings) {
  std::vector<std::string> out;
  for (const Finding& finding : findings.all()) out.push_back(to_string(finding));
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what is right is read, and nothing is told") {
  const Node root = parsed(
      "name: a\ncode: \"0042\"\ncount: 7\nyes: true\nlist: [x, y]\nmode: fast\nof: {inner: b}\n");
  Findings findings;
  {
    Section section(root, "f", findings);
    CHECK(section.text("name") == "a");
    CHECK(section.code("code") == "0042");
    CHECK(section.number("count", 1, 9) == 7);
    CHECK(section.number_or("other", 1, 9, 3) == 3);
    CHECK(section.flag_or("yes", false));
    CHECK(section.flag_or("no", true));
    CHECK(section.texts("list").size() == 2);
    CHECK(section.texts_or_none("none").empty());
    CHECK(section.word("mode", {"fast", "slow"}) == "fast");
    CHECK(section.word_or("speed", {"fast", "slow"}, "slow") == "slow");
    CHECK(section.text_or("title", "none") == "none");
    CHECK(section.section("of").text("inner") == "b");
  }
  CHECK(findings.all().empty());
  CHECK_FALSE(findings.has_errors());
}

TEST_CASE("every mistake is told with its place, and reading goes on") {
  const Node root = parsed(
      "name: []\ncode: 0042\ncount: 70\nyes: yes\nlist: x\nmode: warp\nof: {inner: b, outer: "
      "c}\nitems: [a, {b: c}]\nunknown: 1\n");
  Findings findings;
  {
    Section section(root, "f", findings);
    CHECK(section.text("name").empty());
    CHECK(section.code("code").empty());
    CHECK(section.number("count", 1, 9) == 1);
    section.flag_or("yes", false);
    CHECK(section.list("list").empty());
    CHECK(section.word("mode", {"fast", "slow"}).empty());
    section.section("of").text("inner");
    CHECK(section.texts("items").size() == 1);
    CHECK(section.text("missing").empty());
  }
  CHECK(lines(findings) == Lines{"f:1:1: \"missing\" is missing", "f:1:7: a text is expected",
                                 "f:2:7: a code must be quoted",
                                 "f:3:8: a number from 1 to 9 is expected",
                                 "f:4:6: true or false is expected", "f:5:7: a list is expected",
                                 "f:6:7: fast or slow is expected", "f:7:16: unknown key \"outer\"",
                                 "f:8:12: a text is expected", "f:9:1: unknown key \"unknown\""});
}

TEST_CASE("a section that is missing is one mistake, not one for each of its keys") {
  const Node root = parsed("other: text\n");
  Findings findings;
  {
    Section section(root, "f", findings);
    section.section("of").text("inner");
    section.section("other").number("count", 1, 2);
  }
  CHECK(lines(findings) == Lines{"f:1:1: \"of\" is missing", "f:1:8: a mapping is expected"});
}

TEST_CASE("a warning says that it is one and is no error") {
  Findings findings;
  findings.warning({"f", {2, 3}}, "odd");
  CHECK_FALSE(findings.has_errors());
  CHECK(lines(findings) == Lines{"f:2:3: warning: odd"});
  findings.error({"g"}, "cannot be read");
  findings.error({"f", {1, 1}}, "wrong");
  CHECK(findings.has_errors());
  CHECK(findings.to_error().code == Errc::invalid);
  CHECK(findings.to_error().message == "f:1:1: wrong\ng: cannot be read");
}

}  // namespace flora::yaml
