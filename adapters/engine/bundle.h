// What the compilers of the several parts of a bundle share: the plan, the declarations with their
// use, the errors, and how the nodes of adapter.yaml are read.
#pragma once

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/diagnostics.h"
#include "adapters/engine/plan.h"
#include "adapters/formats/reader.h"

namespace flora::adapter {

/// A thing that adapter.yaml declares and that some rule must use.
struct Declaration {
  std::string what;  ///< Such as `map "status"`.
  yaml::Position at;
  bool used = false;
};

class Bundle {
 public:
  Bundle(Plan& out, const CanonicalTypes* known) : plan(out), types(known) {}

  Plan& plan;
  const CanonicalTypes* types;
  Diagnostics errors;
  const Format* format = nullptr;
  std::vector<SpacePrefix> prefixes;

  /// Notes a declaration; the same place is noted once, however often it is read.
  void declare(yaml::Position at, std::string what);
  void use(yaml::Position at);
  void report_unused();

  /// -1, with an error, if there is none of this name.
  int find_map(const yaml::Node& name);
  int find_list(const yaml::Node& name);

  void error(const yaml::Node& node, Mistake mistake, std::string_view what) {
    errors.error(node.at, mistake, what);
  }

  /// Notes what Reader::path or Reader::root said of a place.
  void place_error(const yaml::Node& node, const Error& why);

  /// Refuses members that are not in `known`. False if the node is no mapping.
  bool mapping(const yaml::Node& node, std::initializer_list<std::string_view> known);
  /// The member of this name, or nullptr with an error: `whose` needs it.
  const yaml::Node* member(const yaml::Node& node, std::string_view key, std::string_view whose);
  bool sequence(const yaml::Node& node);
  /// A word of the language or a name: any scalar that is not empty. Empty after an error.
  std::string word(const yaml::Node& node);
  /// A text of the sender's or of the event: quoted, so that YAML cannot take it for something
  /// else.
  std::string literal(const yaml::Node& node);
  /// A number without quotes, 0 to 1 000 000 000. -1 after an error.
  long number(const yaml::Node& node);
  bool boolean(const yaml::Node& node);

  std::map<std::string, yaml::Position> map_places;
  std::map<std::string, yaml::Position> list_places;
  std::map<std::string, yaml::Position> field_places;

 private:
  std::map<std::pair<int, int>, Declaration> declarations_;
};

/// A copy of `node` in which `$(name)` stands for the value of that name. Marks the names it used.
yaml::Node substitute(const yaml::Node& node, const std::map<std::string, std::string>& values,
                      std::set<std::string>& used, Bundle& bundle);

}  // namespace flora::adapter
