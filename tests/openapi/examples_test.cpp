// Each example in the document is a test case: it must be valid by the schema beside it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gateway/base/yaml.h"
#include "openapi/convert.h"
#include "openapi/document.h"
#include "openapi/schema_compiler.h"

namespace flora::openapi {
namespace {

using yaml::Node;

/// The examples of a media type, parameter or header.
std::vector<const Node*> examples_of(const Node& holder) {
  std::vector<const Node*> found;
  if (const Node* example = holder.find("example")) found.push_back(example);
  if (const Node* examples = holder.find("examples")) {
    for (const auto& [name, example] : examples->members) found.push_back(example.find("value"));
  }
  return found;
}

class Walk {
 public:
  explicit Walk(const Node& root) : root_(root) {}

  void visit(const Node& node) {
    const Node* schema = node.find("schema");
    if (schema != nullptr && schema->kind == yaml::Kind::mapping) {
      for (const Node* example : examples_of(node)) check(*schema, node, *example);
    }
    for (const auto& [name, child] : node.members) {
      if (name != "example" && name != "examples" && name != "schemas") visit(child);
    }
    for (const Node& item : node.items) visit(item);
  }

  int checked() const { return checked_; }

 private:
  void check(const Node& schema, const Node& holder, const Node& example) {
    ++checked_;
    check_text(schema, to_json_text(example), example);
    const Node* lines = holder.find("x-flora-item-schema");
    if (lines == nullptr) return;
    std::string_view text = example.text;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      check_text(*lines, text.substr(0, end), example);
      text.remove_prefix(end + 1);
    }
  }

  void check_text(const Node& schema, std::string_view text, const Node& example) {
    SchemaCompiler compiler(root_, "x.yaml");
    const auto compiled = compiler.compile(schema);
    REQUIRE_MESSAGE(compiled.has_value(), compiled.error().message);
    json::Document document;
    REQUIRE(document.parse(text));
    std::vector<Violation> violations;
    compiled->validate(document.root(), violations);
    for (const Violation& v : violations) {
      FAIL_CHECK("line ", example.at.line, ": ", v.pointer, ": ", v.rule, ": ", v.detail);
    }
  }

  const Node& root_;
  int checked_ = 0;
};

bool has_example(const Node& content) {
  for (const auto& [name, media] : content.members) {
    const bool binary = media.find("schema") == nullptr;
    if (!binary && examples_of(media).empty()) return false;
  }
  return true;
}

void expect_examples(const Node& node) {
  for (const auto& [name, child] : node.members) {
    if (name == "content") {
      INFO("line ", node.at.line);
      CHECK(has_example(child));
    } else if (name != "example" && name != "examples") {
      expect_examples(child);
    }
  }
  for (const Node& item : node.items) expect_examples(item);
}

}  // namespace

TEST_CASE("each example in the document is valid by the schema beside it") {
  const auto root = yaml::parse(Document::embedded(), "flora-gateway.yaml");
  REQUIRE(root.has_value());
  Walk walk(*root);
  walk.visit(*root);
  CHECK(walk.checked() > 60);
}

TEST_CASE("each body of a request or response that is text has an example") {
  const auto root = yaml::parse(Document::embedded(), "flora-gateway.yaml");
  REQUIRE(root.has_value());
  expect_examples(*root);
}

}  // namespace flora::openapi
