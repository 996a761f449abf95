#include "openapi/schema_compiler.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace flora::openapi {
namespace {

/// Keywords that describe and do not check.
bool is_annotation(std::string_view keyword) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "title",    "description", "example",  "examples", "default",
      "$comment", "deprecated",  "readOnly", "writeOnly"};
  return keyword.starts_with("x-") ||
         std::find(kNames.begin(), kNames.end(), keyword) != kNames.end();
}

bool is_shape(std::string_view keyword) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "properties", "additionalProperties", "items", "uniqueItems", "oneOf", "anyOf", "allOf"};
  return std::find(kNames.begin(), kNames.end(), keyword) != kNames.end();
}

bool is_bound(std::string_view keyword) {
  static constexpr std::array<std::string_view, 6> kNames = {"minItems",  "maxItems", "minLength",
                                                             "maxLength", "minimum",  "maximum"};
  return std::find(kNames.begin(), kNames.end(), keyword) != kNames.end();
}

bool is_plain_text(const yaml::Node& node) {
  return node.kind == yaml::Kind::scalar && yaml::to_json(node).is_string();
}

/// A pointer's reference token without its escapes (RFC 6901 §4).
std::string unescape(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      name += token[++i] == '0' ? '~' : '/';
    } else {
      name += token[i];
    }
  }
  return name;
}

}  // namespace

Error error_at(std::string_view file, const yaml::Position& at, std::string_view what) {
  std::string message(file);
  message += ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
  message += what;
  return {Errc::invalid, std::move(message)};
}

const yaml::Node* resolve(const yaml::Node& root, std::string_view pointer) {
  if (!pointer.starts_with('#')) return nullptr;
  pointer.remove_prefix(1);
  const yaml::Node* node = &root;
  while (!pointer.empty()) {
    if (pointer[0] != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    node = node->find(unescape(pointer.substr(0, end)));
    if (node == nullptr) return nullptr;
    pointer.remove_prefix(end);
  }
  return node;
}

Result<Schema> SchemaCompiler::compile(const yaml::Node& node) {
  FLORA_ASSIGN(const Index index, rule_of(node));
  return Schema(program_, index);
}

Result<Schema> SchemaCompiler::compile_at(std::string_view pointer, const yaml::Position& at) {
  FLORA_ASSIGN(const Index index, rule_at(pointer, at));
  return Schema(program_, index);
}

Result<SchemaCompiler::Index> SchemaCompiler::rule_at(std::string_view pointer,
                                                      const yaml::Position& at) {
  if (const auto found = done_.find(pointer); found != done_.end()) {
    if (found->second != kInProgress) return found->second;
    return error(at, "the reference " + std::string(pointer) + " leads in a circle");
  }
  const yaml::Node* target = resolve(root_, pointer);
  if (target == nullptr) {
    return error(at, "the reference " + std::string(pointer) + " leads to nothing");
  }
  done_.emplace(pointer, kInProgress);
  FLORA_ASSIGN(const Index index, rule_of(*target));
  done_.find(pointer)->second = index;
  return index;
}

Result<SchemaCompiler::Index> SchemaCompiler::rule_of(const yaml::Node& node) {
  if (node.kind != yaml::Kind::mapping) return error(node.at, "a schema must be a mapping");
  if (const yaml::Node* reference = node.find("$ref")) {
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      const std::string& name = node.members[i].first;
      if (name != "$ref" && !is_annotation(name)) {
        return error(node.member_at[i], "`" + name + "` beside `$ref`: put both into `allOf`");
      }
    }
    return rule_at(reference->text, reference->at);
  }
  Rule rule;
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const auto& [keyword, value] = node.members[i];
    FLORA_TRY(read_keyword(rule, keyword, value, node.member_at[i]));
  }
  FLORA_TRY(read_required(rule, node));
  FLORA_TRY(check_sense(rule, node));
  program_->rules.push_back(std::move(rule));
  return static_cast<Index>(program_->rules.size() - 1);
}

Result<void> SchemaCompiler::read_keyword(Rule& rule, std::string_view keyword,
                                          const yaml::Node& value, const yaml::Position& at) {
  if (is_annotation(keyword) || keyword == "required") return {};
  if (is_shape(keyword)) return read_shape(rule, keyword, value);
  if (is_bound(keyword)) return read_bound(rule, keyword, value);
  if (keyword == "type") return read_type(rule, value);
  if (keyword == "format") return read_format(rule, value);
  if (keyword == "pattern") return read_pattern(rule, value);
  if (keyword == "enum") {
    if (value.kind != yaml::Kind::sequence || value.items.empty() || rule.has_enum) {
      return error(value.at, "`enum` must be a list of values, and stand without `const`");
    }
    for (const yaml::Node& item : value.items) FLORA_TRY(read_values(rule, item));
    return {};
  }
  if (keyword == "const") {
    if (rule.has_enum) return error(value.at, "`const` beside `enum`");
    rule.is_const = true;
    return read_values(rule, value);
  }
  return error(at, "the schema keyword `" + std::string(keyword) + "` is not part of the subset");
}

Result<void> SchemaCompiler::read_shape(Rule& rule, std::string_view keyword,
                                        const yaml::Node& value) {
  if (keyword == "properties") return read_properties(rule, value);
  if (keyword == "oneOf") return read_branches(rule.one_of, value);
  if (keyword == "anyOf") return read_branches(rule.any_of, value);
  if (keyword == "allOf") return read_branches(rule.all_of, value);
  if (keyword == "items") {
    FLORA_ASSIGN(rule.items, rule_of(value));
    return {};
  }
  const nlohmann::json flag = yaml::to_json(value);
  if (!flag.is_boolean()) {
    return error(value.at, "`" + std::string(keyword) + "` must be true or false");
  }
  if (keyword == "uniqueItems") {
    rule.unique = flag.get<bool>();
  } else {
    rule.closed = !flag.get<bool>();
  }
  return {};
}

Result<void> SchemaCompiler::read_bound(Rule& rule, std::string_view keyword,
                                        const yaml::Node& value) {
  const nlohmann::json number = yaml::to_json(value);
  if (keyword == "minimum" || keyword == "maximum") {
    if (!number.is_number()) return error(value.at, "a bound must be a number");
    (keyword == "minimum" ? rule.minimum : rule.maximum) = number.get<double>();
    return {};
  }
  if (!number.is_number_integer() || number.get<std::int64_t>() < 0) {
    return error(value.at, "a length must be an integer from 0 on");
  }
  const auto length = number.get<std::size_t>();
  if (keyword == "minItems") rule.min_items = length;
  if (keyword == "maxItems") rule.max_items = length;
  if (keyword == "minLength") rule.min_length = length;
  if (keyword == "maxLength") rule.max_length = length;
  return {};
}

Result<void> SchemaCompiler::read_type(Rule& rule, const yaml::Node& value) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "any", "null", "boolean", "integer", "number", "string", "array", "object"};
  std::vector<std::string_view> names;
  if (value.kind == yaml::Kind::sequence) {
    for (const yaml::Node& item : value.items) names.push_back(item.text);
    const bool pair = names.size() == 2 && names[0] != "null" && names[1] == "null";
    if (!pair) return error(value.at, "`type` must be one name, or a name and \"null\"");
    rule.nullable = true;
  } else {
    names.push_back(value.text);
  }
  const auto found = std::find(kNames.begin() + 1, kNames.end(), names[0]);
  if (found == kNames.end()) return error(value.at, "`type` names no type");
  rule.type = static_cast<Type>(found - kNames.begin());
  return {};
}

Result<void> SchemaCompiler::read_format(Rule& rule, const yaml::Node& value) {
  if (value.text == "int64" || value.text == "int32") {
    // For code generators: the bounds say what is checked.
  } else if (value.text == "date") {
    rule.format = Format::date;
  } else if (value.text == "date-time") {
    rule.format = Format::date_time;
  } else if (value.text == "uuid") {
    rule.format = Format::uuid;
  } else {
    return error(value.at, "the format `" + value.text + "` is not part of the subset");
  }
  return {};
}

Result<void> SchemaCompiler::read_pattern(Rule& rule, const yaml::Node& value) {
  if (!is_plain_text(value)) return error(value.at, "`pattern` must be a string");
  rule.pattern = TextPattern::compile(value.text);
  if (!rule.pattern) return error(value.at, "`pattern` is not a regular expression of RE2");
  return {};
}

Result<void> SchemaCompiler::read_values(Rule& rule, const yaml::Node& value) {
  const nlohmann::json scalar = yaml::to_json(value);
  rule.has_enum = true;
  if (scalar.is_null()) {
    rule.values.emplace_back(nullptr);
  } else if (scalar.is_boolean()) {
    rule.values.emplace_back(scalar.get<bool>());
  } else if (scalar.is_number_integer()) {
    rule.values.emplace_back(scalar.get<std::int64_t>());
  } else if (scalar.is_number()) {
    rule.values.emplace_back(scalar.get<double>());
  } else if (scalar.is_string()) {
    const auto text = scalar.get<std::string>();
    rule.texts.insert(std::upper_bound(rule.texts.begin(), rule.texts.end(), text), text);
  } else {
    return error(value.at, "`enum` and `const` hold scalars only");
  }
  return {};
}

Result<void> SchemaCompiler::read_properties(Rule& rule, const yaml::Node& value) {
  if (value.kind != yaml::Kind::mapping) return error(value.at, "`properties` must be a mapping");
  for (const auto& [name, schema] : value.members) {
    FLORA_ASSIGN(const Index index, rule_of(schema));
    rule.properties.push_back({name, index, -1});
  }
  std::sort(rule.properties.begin(), rule.properties.end(),
            [](const Property& a, const Property& b) { return a.name < b.name; });
  return {};
}

Result<void> SchemaCompiler::read_required(Rule& rule, const yaml::Node& node) {
  const yaml::Node* required = node.find("required");
  if (required == nullptr) return {};
  if (required->kind != yaml::Kind::sequence || required->items.size() > 64) {
    return error(required->at, "`required` must be a list of at most 64 names");
  }
  int bit = 0;
  for (const yaml::Node& name : required->items) {
    auto property = std::lower_bound(
        rule.properties.begin(), rule.properties.end(), name.text,
        [](const Property& p, const std::string& wanted) { return p.name < wanted; });
    if (property == rule.properties.end() || property->name != name.text) {
      if (rule.closed) return error(name.at, "`" + name.text + "` is required but not allowed");
      property = rule.properties.insert(property, {name.text, kNoRule, -1});
    }
    if (property->required_bit >= 0) return error(name.at, "`" + name.text + "` is named twice");
    property->required_bit = bit;
    rule.required_mask |= std::uint64_t{1} << bit++;
  }
  return {};
}

Result<void> SchemaCompiler::read_branches(std::vector<Index>& branches, const yaml::Node& value) {
  if (value.kind != yaml::Kind::sequence || value.items.empty()) {
    return error(value.at, "a list of schemas is expected");
  }
  for (const yaml::Node& item : value.items) {
    FLORA_ASSIGN(const Index index, rule_of(item));
    branches.push_back(index);
  }
  return {};
}

Result<void> SchemaCompiler::check_sense(const Rule& rule, const yaml::Node& node) const {
  const bool bad = rule.min_items > rule.max_items || rule.min_length > rule.max_length ||
                   (rule.minimum && rule.maximum && *rule.minimum > *rule.maximum);
  if (bad) return error(node.at, "a lower bound is above the upper bound");
  const bool costly = rule.unique && rule.max_items > 64;
  if (costly) return error(node.at, "`uniqueItems` needs `maxItems` of at most 64");
  return {};
}

Result<Schema> Schema::compile(const yaml::Node& root, std::string_view pointer,
                               std::string_view file) {
  SchemaCompiler compiler(root, file);
  return compiler.compile_at(pointer, root.at);
}

}  // namespace flora::openapi
