#include "gateway/base/yaml.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace flora {
namespace {

TEST_CASE("a document is read with its positions") {
  const auto root = yaml::parse("a: 1\nb:\n  - \"07\"\n  - {c: no}\nd:\n", "f.yaml");
  REQUIRE(root);
  REQUIRE(root->find("b") != nullptr);
  const yaml::Node& item = root->find("b")->items.at(0);
  CHECK(item.text == "07");
  CHECK(item.quoted);
  CHECK(item.at.line == 3);
  CHECK(item.at.column == 5);
  CHECK_FALSE(root->find("b")->items.at(1).find("c")->quoted);
  CHECK(root->find("d")->kind == yaml::Kind::null);
  CHECK(root->member_at.at(1).line == 2);
  CHECK(root->find("z") == nullptr);
}

TEST_CASE("plain scalars are typed by the core schema, quoted ones are strings") {
  const auto root =
      yaml::parse("[1, \"1\", true, 'true', null, 1.5, 3.1.0, 0012, yes, -7, |\n  text\n]", "f");
  REQUIRE_FALSE(root);  // A block scalar cannot stand in a flow sequence.
  const auto list = yaml::parse("[1, \"1\", true, 'true', null, 1.5, 3.1.0, yes, -7, ~, .5]", "f");
  REQUIRE(list);
  CHECK(yaml::to_json(*list).dump() == R"([1,"1",true,"true",null,1.5,"3.1.0","yes",-7,null,0.5])");
}

TEST_CASE("what makes YAML surprising is refused, with its place") {
  for (const auto& [document, where] :
       {std::pair{"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key"},
        std::pair{"a: &x 1\n", "f:1:4: anchors"}, std::pair{"a: !!str 1\n", "f:1:4: tags"},
        std::pair{"? [a]\n: 1\n", "f:1:3: a key must be"},
        std::pair{"--- 1\n--- 2\n", "f:1:1: more than one"}, std::pair{"", "f:1:1: the document"},
        std::pair{"a: [1\n", "f:2:1:"}}) {
    const std::string text = document;
    CAPTURE(text);
    const auto result = yaml::parse(text, "f");
    REQUIRE_FALSE(result);
    CHECK(result.error().message.substr(0, std::string_view(where).size()) == where);
  }
  CHECK_FALSE(yaml::parse(std::string(200, '[') + std::string(200, ']'), "f"));
}

TEST_CASE("columns count characters") {
  const auto root = yaml::parse(
      "\xEF\xBB\xBF"
      "\xC3\xA4: { \xE2\x82\xAC: [\xC3\xB6, x] }\n",
      "f");
  REQUIRE(root);
  const yaml::Node& inner = root->members[0].second;
  CHECK(inner.at.column == 4);
  CHECK(inner.member_at[0].column == 6);
  CHECK(inner.members[0].second.items[1].at.column == 13);
  const auto fault = yaml::parse("\xC3\xA4: 1\n\xC3\xA4\xC3\xA4: &x 1\n", "f");
  REQUIRE_FALSE(fault);
  CHECK(fault.error().message == "f:2:5: anchors are not allowed");
}

}  // namespace
}  // namespace flora
