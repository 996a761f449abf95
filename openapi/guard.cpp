#include "openapi/guard.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "openapi/schema_compiler.h"

namespace flora::openapi {
namespace {

using yaml::Node;

/// Patterns that leave room for a closed set of values only, each under the name of its schema.
struct Form {
  std::string_view name;
  std::string_view pattern;
};
constexpr std::array<Form, 2> kClosedForms = {{
    {"AuthorityCode", "^[0-9]{6}$"},
    {"TimeOfDay", "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
}};

/// Members that the gateway or its configuration makes, never a sender.
constexpr std::array<Form, 7> kGeneratedForms = {{
    {"Sha256", "^[0-9a-f]{64}$"},
    {"Salt", "^[0-9a-f]{32}$"},
    {"AdapterId", "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
    {"AdapterVersion", "^(0|[1-9][0-9]{0,3})[.](0|[1-9][0-9]{0,3})[.](0|[1-9][0-9]{0,3})$"},
    {"CatalogueVersion", "^20[0-9]{2}-(0[1-9]|1[0-2])([.][0-9]{1,2})?$"},
    {"Channel", "^[a-z][a-z0-9-]{0,31}$"},
    {"Site", "^[A-Z][A-Z_]{1,31}$"},
}};

template <std::size_t N>
bool is_form(const std::array<Form, N>& forms, std::string_view name, std::string_view pattern) {
  return std::any_of(forms.begin(), forms.end(), [&](const Form& form) {
    return form.name == name && form.pattern == pattern;
  });
}

/// A choice that only says which members must be there, such as "one of the two times".
bool is_presence_choice(const Node& branches) {
  return std::all_of(branches.items.begin(), branches.items.end(), [](const Node& branch) {
    return branch.members.size() == 1 && branch.find("required") != nullptr;
  });
}

std::string_view text_of(const Node& schema, std::string_view keyword) {
  const Node* value = schema.find(keyword);
  return value == nullptr ? std::string_view() : std::string_view(value->text);
}

class Guard {
 public:
  Guard(const Node& root, std::string_view file, bool generated)
      : root_(root), file_(file), generated_(generated) {}

  /// `name` is the component's name if `schema` is one, else empty.
  Result<void> check(const Node& schema, std::string_view name) const {
    if (const Node* reference = schema.find("$ref")) {
      const Node* target = resolve(root_, reference->text);
      if (target == nullptr) return refuse(schema, "the reference leads to nothing");
      return check(*target, reference->text.substr(reference->text.rfind('/') + 1));
    }
    for (const std::string_view keyword : {"oneOf", "anyOf"}) {
      const Node* branches = schema.find(keyword);
      if (branches == nullptr || is_presence_choice(*branches)) continue;
      return check_branches(schema, *branches);
    }
    if (schema.find("allOf") != nullptr) return refuse(schema, "`allOf` may not stand here");
    if (schema.find("enum") != nullptr || schema.find("const") != nullptr) return {};
    const std::string_view type = text_of(schema, "type");
    if (type == "boolean") return {};
    if (type == "integer") return check_integer(schema);
    if (type == "string") return check_string(schema, name);
    if (type == "array") return check_array(schema);
    if (type == "object") return check_object(schema);
    return refuse(schema, "the type is open");
  }

 private:
  Error refuse(const Node& node, std::string_view what) const {
    return error_at(file_, node.at, "too loose for the ledger: " + std::string(what));
  }

  /// The branches say everything: nothing but annotations may stand beside them.
  Result<void> check_branches(const Node& schema, const Node& branches) const {
    for (const auto& [keyword, value] : schema.members) {
      const bool known = keyword == "oneOf" || keyword == "anyOf" || keyword == "description" ||
                         keyword == "title" || keyword.starts_with("example");
      if (!known) return refuse(value, "`" + keyword + "` beside a choice");
    }
    for (const Node& branch : branches.items) FLORA_TRY(check(branch, ""));
    return {};
  }

  Result<void> check_integer(const Node& schema) const {
    const Node* minimum = schema.find("minimum");
    const Node* maximum = schema.find("maximum");
    if (minimum == nullptr || maximum == nullptr) return refuse(schema, "an integer needs bounds");
    const nlohmann::json low = yaml::to_json(*minimum);
    const nlohmann::json high = yaml::to_json(*maximum);
    const bool good = low.is_number_integer() && high.is_number_integer() &&
                      low.get<std::int64_t>() >= 0 && high.get<std::int64_t>() <= 9999;
    if (!good) return refuse(schema, "an integer must lie within 0 and 9999");
    return {};
  }

  Result<void> check_string(const Node& schema, std::string_view name) const {
    const std::string_view format = text_of(schema, "format");
    if (format == "date" || format == "date-time") return {};
    const std::string_view pattern = text_of(schema, "pattern");
    if (is_form(kClosedForms, name, pattern)) return {};
    if (generated_ && (format == "uuid" || is_form(kGeneratedForms, name, pattern))) return {};
    return refuse(schema, "a string must be of a closed list, a day, an instant or a named form");
  }

  Result<void> check_array(const Node& schema) const {
    const Node* items = schema.find("items");
    if (items == nullptr || schema.find("maxItems") == nullptr) {
      return refuse(schema, "a list needs `items` and `maxItems`");
    }
    return check(*items, "");
  }

  Result<void> check_object(const Node& schema) const {
    if (text_of(schema, "additionalProperties") != "false") {
      return refuse(schema, "an object must be closed (additionalProperties: false)");
    }
    const Node* properties = schema.find("properties");
    if (properties == nullptr) return {};
    for (const auto& [name, property] : properties->members) {
      FLORA_TRY(check(property, ""));
    }
    return {};
  }

  const Node& root_;
  std::string_view file_;
  bool generated_;
};

}  // namespace

Result<void> check_guard(const yaml::Node& document, std::string_view file) {
  const Node* schemas = resolve(document, "#/components/schemas");
  if (schemas == nullptr) return {};
  for (const auto& [name, schema] : schemas->members) {
    const bool transaction = name == "TransactionV1" || name == "TombstoneV1";
    if (!transaction && !name.starts_with("Details")) continue;
    FLORA_TRY(Guard(document, file, transaction).check(schema, name));
  }
  return {};
}

}  // namespace flora::openapi
