// YAML for configuration and bundles: a small tree with positions, read strictly. Duplicate keys,
// anchors, aliases, tags, several documents and non-string keys are errors.
#pragma once

#include <compare>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/result.h"

namespace flora::yaml {

struct Position {
  int line = 0;    ///< From 1.
  int column = 0;  ///< From 1, in characters.

  auto operator<=>(const Position&) const = default;
};

enum class Kind { null, scalar, sequence, mapping };

struct Member;

/// One node of the document. Value semantics; the tree owns its children.
struct Node {
  Kind kind = Kind::null;
  std::string text;  ///< A scalar's text.
  bool quoted =
      false;  ///< The scalar was quoted (or a block scalar): it is a string, whatever its text.
  Position at;
  std::vector<Node> items;          ///< A sequence's items.
  std::vector<Member> members;      ///< A mapping's members, in file order.
  std::vector<Position> member_at;  ///< Where each member's key stands.

  /// The member with this key, or nullptr.
  const Node* find(std::string_view key) const;
};

/// The member `second` of a mapping under the key `first`.
struct Member {
  std::string first;
  Node second;
};

/// What is wrong with a document, and where.
struct Fault {
  Position at;
  std::string what;
};

/// Parses one document. The nesting is bounded (64).
std::variant<Node, Fault> read(std::string_view text);

/// The same with an Error. `file` stands in error messages: "file:line:column: what". Errors:
/// invalid.
Result<Node> parse(std::string_view text, std::string_view file);

/// The JSON value of a node by the YAML 1.2 core schema: plain
/// `true`/`false`/`null`/integers/floats are typed, everything else is a string.
nlohmann::json to_json(const Node& node);

}  // namespace flora::yaml
