// A mapping of a YAML file, read key by key. Whatever is wrong is told with its place, and reading
// goes on: one run shows all mistakes. A key that nobody asks for is unknown, so that a new key is
// one line of code.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/findings.h"
#include "gateway/base/yaml.h"

namespace flora::yaml {

/// What is missing or wrong is told and comes out as an empty text, the lowest number, or no items:
/// whoever uses the values looks first whether there are errors. Node and findings must outlive it.
/// Not thread-safe.
class Section {
 public:
  /// `file` stands in the findings. Told: the node is no mapping.
  Section(const Node& node, std::string_view file, Findings& findings);
  /// Tells of all keys that nobody asked for.
  ~Section();
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  bool has(std::string_view key);

  /// A scalar that is not empty. The key must be there, unless a function's name says what is taken
  /// for it otherwise.
  std::string text(std::string_view key);
  std::string text_or(std::string_view key, std::string otherwise);
  /// A text in quotes: digits that YAML would else take for a number.
  std::string code(std::string_view key);
  /// One of a few words.
  std::string word(std::string_view key, std::initializer_list<std::string_view> words);
  std::string word_or(std::string_view key, std::initializer_list<std::string_view> words,
                      std::string otherwise);
  std::int64_t number(std::string_view key, std::int64_t low, std::int64_t high);
  std::int64_t number_or(std::string_view key, std::int64_t low, std::int64_t high,
                         std::int64_t otherwise);
  bool flag_or(std::string_view key, bool otherwise);
  const std::vector<Node>& list(std::string_view key);
  const std::vector<Node>& list_or_none(std::string_view key);
  /// A list of texts: the items that are one and not empty.
  std::vector<const Node*> texts(std::string_view key);
  std::vector<const Node*> texts_or_none(std::string_view key);
  Section section(std::string_view key);

  /// A mistake in the value of a key, or in the section if the key is not there.
  void error(std::string_view key, std::string what);
  void error_at(Position at, std::string what);

 private:
  /// The value, or nullptr; told if it is missing.
  const Node* require(std::string_view key);

  const Node& node_;
  const std::string file_;
  Findings& findings_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace flora::yaml
