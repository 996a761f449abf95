#include "openapi/convert.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/base/json.h"

namespace flora::openapi {
namespace {

using yaml::Kind;
using yaml::Node;

void append_json(std::string& out, const Node& node) {
  if (node.kind == Kind::sequence) {
    out += '[';
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out += ',';
      append_json(out, node.items[i]);
    }
    out += ']';
    return;
  }
  if (node.kind == Kind::mapping) {
    out += '{';
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (i > 0) out += ',';
      json::append_string(out, node.members[i].first);
      out += ':';
      append_json(out, node.members[i].second);
    }
    out += '}';
    return;
  }
  const nlohmann::json scalar = yaml::to_json(node);
  if (scalar.is_string()) {
    json::append_string(out, node.text);
  } else {
    out += scalar.dump();
  }
}

Node plain(std::string text) {
  Node node;
  node.kind = Kind::scalar;
  node.text = std::move(text);
  return node;
}

Node list_of(Node item) {
  Node node;
  node.kind = Kind::sequence;
  node.items.push_back(std::move(item));
  return node;
}

void add(Node& mapping, std::string name, Node value) {
  mapping.kind = Kind::mapping;
  mapping.members.push_back({std::move(name), std::move(value)});
  mapping.member_at.emplace_back();
}

/// A tree whose objects are not schemas; schemas are found by the names under which they stand.
Node convert_object(const Node& node);
Node convert_schema(const Node& schema);

/// Each member's value converted by `convert`.
Node convert_members(const Node& node, Node (*convert)(const Node&)) {
  Node result = node;
  for (auto& [name, value] : result.members) value = convert(value);
  for (Node& item : result.items) item = convert(item);
  return result;
}

void convert_keyword(Node& out, const std::string& name, const Node& value) {
  if (name == "type" && value.kind == Kind::sequence) {
    add(out, "type", value.items.front());
    add(out, "nullable", plain("true"));
  } else if (name == "const") {
    add(out, "enum", list_of(value));
  } else if (name == "examples" && value.kind == Kind::sequence && !value.items.empty()) {
    add(out, "example", value.items.front());
  } else if (name == "properties" || name == "oneOf" || name == "anyOf" || name == "allOf") {
    add(out, name, convert_members(value, convert_schema));
  } else if (name == "items") {
    add(out, name, convert_schema(value));
  } else if (name != "$comment") {
    add(out, name, value);
  }
}

Node convert_schema(const Node& schema) {
  Node out;
  out.kind = Kind::mapping;
  const bool described_reference = schema.find("$ref") != nullptr && schema.members.size() > 1;
  for (const auto& [name, value] : schema.members) {
    if (described_reference && name == "$ref") {
      Node reference;
      add(reference, name, value);
      add(out, "allOf", list_of(std::move(reference)));
    } else {
      convert_keyword(out, name, value);
    }
  }
  return out;
}

bool names_the_same(const Node& one, const Node& other) {
  return std::ranges::equal(one.members, other.members, {}, &yaml::Member::first,
                            &yaml::Member::first);
}

/// 3.0.3 knows nothing of what the connection proves: a certificate beside a token goes without
/// saying, and a certificate alone leaves the requirement that asks for nothing within HTTP.
Node convert_security(const Node& alternatives) {
  Node out;
  out.kind = Kind::sequence;
  for (Node item : alternatives.items) {
    std::erase_if(item.members, [](const yaml::Member& one) { return one.first == "mutualTls"; });
    const auto same = [&](const Node& other) { return names_the_same(item, other); };
    if (std::ranges::none_of(out.items, same)) out.items.push_back(std::move(item));
  }
  return out;
}

Node convert_components(const Node& components) {
  Node out;
  for (const auto& [name, value] : components.members) {
    if (name == "schemas") {
      add(out, name, convert_members(value, convert_schema));
    } else if (name == "securitySchemes") {
      Node schemes;
      schemes.kind = Kind::mapping;
      for (const auto& [scheme, content] : value.members) {
        const Node* type = content.find("type");
        if (type == nullptr || type->text != "mutualTLS") add(schemes, scheme, content);
      }
      add(out, name, std::move(schemes));
    } else if (name == "examples") {
      add(out, name, value);
    } else {
      add(out, name, convert_object(value));
    }
  }
  return out;
}

Node convert_info(const Node& info) {
  Node out;
  for (const auto& [name, value] : info.members) {
    if (name == "summary") continue;
    Node copy = value;
    if (name == "license") {
      std::erase_if(copy.members, [](const auto& member) { return member.first == "identifier"; });
    }
    add(out, name, std::move(copy));
  }
  return out;
}

Node convert_object(const Node& node) {
  if (node.kind == Kind::sequence) return convert_members(node, convert_object);
  if (node.kind != Kind::mapping) return node;
  Node out;
  out.kind = Kind::mapping;
  for (const auto& [name, value] : node.members) {
    if (name == "schema" || name == "x-flora-item-schema") {
      add(out, name, convert_schema(value));
    } else if (name == "security") {
      add(out, name, convert_security(value));
    } else if (name == "example" || name == "examples") {
      add(out, name, value);
    } else {
      add(out, name, convert_object(value));
    }
  }
  return out;
}

}  // namespace

std::string to_json_text(const Node& node) {
  std::string out;
  append_json(out, node);
  return out;
}

Node to_openapi_30(const Node& document) {
  Node out;
  for (const auto& [name, value] : document.members) {
    if (name == "openapi") {
      add(out, name, plain("3.0.3"));
    } else if (name == "info") {
      add(out, name, convert_info(value));
    } else if (name == "components") {
      add(out, name, convert_components(value));
    } else if (name == "security") {
      add(out, name, convert_security(value));
    } else if (name != "jsonSchemaDialect") {
      add(out, name, convert_object(value));
    }
  }
  return out;
}

}  // namespace flora::openapi
