#include "gateway/base/yaml_section.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace flora::yaml {
namespace {

// Stands for a section that is not there: nothing in it is missing any more.
const Node kNothing;

const std::vector<Node> kNoItems;

std::string in_quotes(std::string_view key) { return '"' + std::string(key) + '"'; }

}  // namespace

Section::Section(const Node& node, std::string_view file, Findings& findings)
    : node_(node), file_(file), findings_(findings) {
  if (&node_ != &kNothing && node_.kind != Kind::mapping) {
    error_at(node_.at, "a mapping is expected");
  }
}

Section::~Section() {
  for (std::size_t i = 0; i < node_.members.size(); ++i) {
    const std::string& key = node_.members[i].first;
    if (!asked_.contains(key)) error_at(node_.member_at[i], "unknown key " + in_quotes(key));
  }
}

bool Section::has(std::string_view key) {
  asked_.emplace(key);
  return node_.find(key) != nullptr;
}

const Node* Section::require(std::string_view key) {
  if (!has(key) && node_.kind == Kind::mapping) error_at(node_.at, in_quotes(key) + " is missing");
  return node_.find(key);
}

std::string Section::text(std::string_view key) {
  const Node* node = require(key);
  if (node == nullptr) return {};
  if (node->kind == Kind::scalar && !node->text.empty()) return node->text;
  error_at(node->at, "a text is expected");
  return {};
}

std::string Section::text_or(std::string_view key, std::string otherwise) {
  return has(key) ? text(key) : std::move(otherwise);
}

std::string Section::code(std::string_view key) {
  const std::string value = text(key);
  if (value.empty() || node_.find(key)->quoted) return value;
  error(key, "a code must be quoted");
  return {};
}

std::string Section::word(std::string_view key, std::initializer_list<std::string_view> words) {
  std::string value = text(key);
  if (value.empty() || std::ranges::find(words, value) != words.end()) return value;
  std::string expected;
  for (const std::string_view one : words) {
    expected += (expected.empty() ? "" : " or ") + std::string(one);
  }
  error(key, expected + " is expected");
  return {};
}

std::string Section::word_or(std::string_view key, std::initializer_list<std::string_view> words,
                             std::string otherwise) {
  return has(key) ? word(key, words) : std::move(otherwise);
}

std::int64_t Section::number(std::string_view key, std::int64_t low, std::int64_t high) {
  const Node* node = require(key);
  if (node == nullptr) return low;
  std::int64_t value = 0;
  const char* const end = node->text.data() + node->text.size();
  const auto parsed = std::from_chars(node->text.data(), end, value);
  const bool good = parsed.ec == std::errc() && parsed.ptr == end && value >= low && value <= high;
  if (good) return value;
  error_at(node->at,
           "a number from " + std::to_string(low) + " to " + std::to_string(high) + " is expected");
  return low;
}

std::int64_t Section::number_or(std::string_view key, std::int64_t low, std::int64_t high,
                                std::int64_t otherwise) {
  return has(key) ? number(key, low, high) : otherwise;
}

bool Section::flag_or(std::string_view key, bool otherwise) {
  if (!has(key)) return otherwise;
  const Node& node = *node_.find(key);
  if (node.text != "true" && node.text != "false") error_at(node.at, "true or false is expected");
  return node.text == "true";
}

const std::vector<Node>& Section::list(std::string_view key) {
  const Node* node = require(key);
  if (node == nullptr) return kNoItems;
  if (node->kind == Kind::sequence) return node->items;
  error_at(node->at, "a list is expected");
  return kNoItems;
}

const std::vector<Node>& Section::list_or_none(std::string_view key) {
  return has(key) ? list(key) : kNoItems;
}

std::vector<const Node*> Section::texts(std::string_view key) {
  std::vector<const Node*> out;
  for (const Node& item : list(key)) {
    if (item.kind == Kind::scalar && !item.text.empty()) {
      out.push_back(&item);
    } else {
      error_at(item.at, "a text is expected");
    }
  }
  return out;
}

std::vector<const Node*> Section::texts_or_none(std::string_view key) {
  return has(key) ? texts(key) : std::vector<const Node*>();
}

Section Section::section(std::string_view key) {
  const Node* node = require(key);
  return {node == nullptr ? kNothing : *node, file_, findings_};
}

void Section::error(std::string_view key, std::string what) {
  const Node* node = node_.find(key);
  error_at(node == nullptr ? node_.at : node->at, std::move(what));
}

void Section::error_at(Position at, std::string what) {
  findings_.error({file_, at}, std::move(what));
}

}  // namespace flora::yaml
