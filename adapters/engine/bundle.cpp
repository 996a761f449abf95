#include "adapters/engine/bundle.h"

#include <algorithm>

namespace flora::adapter {

void Bundle::declare(yaml::Position at, std::string what) {
  declarations_.try_emplace({at.line, at.column}, Declaration{std::move(what), at, false});
}

void Bundle::use(yaml::Position at) {
  const auto found = declarations_.find({at.line, at.column});
  if (found != declarations_.end()) found->second.used = true;
}

void Bundle::report_unused() {
  for (const auto& [place, declaration] : declarations_) {
    if (!declaration.used)
      errors.error(declaration.at, Mistake::unused, declaration.what + " is never used");
  }
  for (const SpacePrefix& prefix : prefixes) {
    if (!prefix.used)
      errors.error(prefix.at, Mistake::unused, "prefix \"" + prefix.prefix + "\" is never used");
  }
}

int Bundle::find_map(const yaml::Node& name) {
  const std::string wanted = word(name);
  for (std::size_t i = 0; i < plan.maps.size(); ++i) {
    if (plan.maps[i].name != wanted) continue;
    use(map_places.at(wanted));
    return static_cast<int>(i);
  }
  if (!wanted.empty()) error(name, Mistake::unknown_map, "there is no map \"" + wanted + "\"");
  return -1;
}

int Bundle::find_list(const yaml::Node& name) {
  const std::string wanted = word(name);
  for (std::size_t i = 0; i < plan.lists.size(); ++i) {
    if (plan.lists[i].name != wanted) continue;
    use(list_places.at(wanted));
    return static_cast<int>(i);
  }
  if (!wanted.empty())
    error(name, Mistake::unknown_list, "there is no code list \"" + wanted + "\"");
  return -1;
}

void Bundle::place_error(const yaml::Node& node, const Error& why) {
  const bool undeclared = why.code == Errc::not_found;
  error(node, undeclared ? Mistake::undeclared_name : Mistake::place_malformed, why.message);
}

bool Bundle::mapping(const yaml::Node& node, std::initializer_list<std::string_view> known) {
  if (node.kind != yaml::Kind::mapping) {
    error(node, Mistake::mapping_expected, "a mapping is expected here");
    return false;
  }
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    if (std::find(known.begin(), known.end(), node.members[i].first) == known.end()) {
      errors.error(node.member_at[i], Mistake::unknown_key,
                   "the key \"" + node.members[i].first + "\" is unknown here");
    }
  }
  return true;
}

const yaml::Node* Bundle::member(const yaml::Node& node, std::string_view key,
                                 std::string_view whose) {
  const yaml::Node* found = node.kind == yaml::Kind::mapping ? node.find(key) : nullptr;
  if (found == nullptr) {
    error(node, Mistake::missing_key, std::string(whose) + " needs `" + std::string(key) + "`");
  }
  return found;
}

bool Bundle::sequence(const yaml::Node& node) {
  if (node.kind == yaml::Kind::sequence) return true;
  error(node, Mistake::list_expected, "a list is expected here");
  return false;
}

std::string Bundle::word(const yaml::Node& node) {
  if (node.kind == yaml::Kind::scalar && !node.text.empty()) return node.text;
  error(node, Mistake::name_expected, "a name is expected here");
  return {};
}

std::string Bundle::literal(const yaml::Node& node) {
  if (node.kind != yaml::Kind::scalar) {
    error(node, Mistake::text_expected, "a quoted text is expected here");
    return {};
  }
  if (!node.quoted)
    error(node, Mistake::unquoted_text, "a text must be quoted: \"" + node.text + "\"");
  return node.text;
}

long Bundle::number(const yaml::Node& node) {
  const bool good = node.kind == yaml::Kind::scalar && !node.quoted && !node.text.empty() &&
                    node.text.size() <= 9 &&
                    node.text.find_first_not_of("0123456789") == std::string::npos;
  if (good) return std::stol(node.text);
  error(node, Mistake::number_expected, "a number without quotes is expected here");
  return -1;
}

bool Bundle::boolean(const yaml::Node& node) {
  if (node.kind == yaml::Kind::scalar && !node.quoted && node.text == "true") return true;
  if (node.kind != yaml::Kind::scalar || node.quoted || node.text != "false") {
    error(node, Mistake::boolean_expected, "true or false is expected here");
  }
  return false;
}

yaml::Node substitute(const yaml::Node& node, const std::map<std::string, std::string>& values,
                      std::set<std::string>& used, Bundle& bundle) {
  yaml::Node out = node;
  for (yaml::Node& item : out.items) item = substitute(item, values, used, bundle);
  for (auto& [key, member] : out.members) member = substitute(member, values, used, bundle);
  std::size_t at = 0;
  while ((at = out.text.find("$(", at)) != std::string::npos) {
    const std::size_t end = out.text.find(')', at);
    if (end == std::string::npos) {
      bundle.error(node, Mistake::unclosed_reference, "\"$(\" without \")\"");
      return out;
    }
    const std::string name = out.text.substr(at + 2, end - at - 2);
    const auto value = values.find(name);
    if (value == values.end()) {
      bundle.error(node, Mistake::unknown_parameter,
                   "the template has no parameter \"" + name + "\"");
      return out;
    }
    used.insert(name);
    out.text.replace(at, end + 1 - at, value->second);
    at += value->second.size();
  }
  return out;
}

}  // namespace flora::adapter
