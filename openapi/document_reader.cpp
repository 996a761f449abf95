#include "openapi/document_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace flora::openapi {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

bool is_method(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {"get", "put", "post", "delete",
                                                             "patch"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_true(const yaml::Node* node) { return node != nullptr && node->text == "true"; }

}  // namespace

Result<const yaml::Node*> DocumentReader::follow(const yaml::Node& node) const {
  const yaml::Node* reference = node.find("$ref");
  if (reference == nullptr) return &node;
  const yaml::Node* target = resolve(root_, reference->text);
  if (target == nullptr || target->find("$ref") != nullptr) {
    return error(reference->at, "the reference " + reference->text + " leads to nothing");
  }
  return target;
}

Result<const yaml::Node*> DocumentReader::need(const yaml::Node& node,
                                               std::string_view name) const {
  const yaml::Node* member = node.find(name);
  if (member == nullptr) return error(node.at, "`" + std::string(name) + "` is missing");
  return member;
}

Result<std::vector<Operation>> DocumentReader::operations() {
  FLORA_ASSIGN(const yaml::Node* version, need(root_, "openapi"));
  if (!version->text.starts_with("3.1.")) return error(version->at, "OpenAPI 3.1 is expected");
  FLORA_ASSIGN(const yaml::Node* paths, need(root_, "paths"));
  std::vector<Operation> out;
  for (const auto& [path, item] : paths->members) FLORA_TRY(read_path(path, item, out));
  return out;
}

Result<std::vector<std::pair<std::string, Schema>>> DocumentReader::schemas() {
  std::vector<std::pair<std::string, Schema>> out;
  const yaml::Node* schemas = resolve(root_, "#/components/schemas");
  if (schemas == nullptr) return out;
  for (const auto& [name, node] : schemas->members) {
    FLORA_ASSIGN(Schema schema, compiler_.compile_at("#/components/schemas/" + name, node.at));
    out.emplace_back(name, std::move(schema));
  }
  return out;
}

Result<void> DocumentReader::read_path(const std::string& path, const yaml::Node& item,
                                       std::vector<Operation>& out) {
  for (std::size_t i = 0; i < item.members.size(); ++i) {
    const auto& [name, node] = item.members[i];
    if (is_method(name)) {
      FLORA_ASSIGN(Operation operation, read_operation(path, name, item, node));
      const auto twin = std::find_if(out.begin(), out.end(),
                                     [&](const Operation& o) { return o.id == operation.id; });
      if (twin != out.end()) return error(node.at, "the operationId is used twice");
      out.push_back(std::move(operation));
    } else if (name != "parameters" && name != "servers" && !name.starts_with("x-")) {
      return error(item.member_at[i], "`" + name + "` is not understood here");
    }
  }
  return {};
}

Result<Operation> DocumentReader::read_operation(const std::string& path, const std::string& method,
                                                 const yaml::Node& item, const yaml::Node& node) {
  Operation operation;
  FLORA_ASSIGN(const yaml::Node* id, need(node, "operationId"));
  FLORA_TRY(need(node, "summary"));
  operation.id = id->text;
  operation.method = upper(method);
  operation.path = path;
  FLORA_TRY(read_flags(operation, item, node));
  FLORA_TRY(read_parameters(operation, item.find("parameters")));
  FLORA_TRY(read_parameters(operation, node.find("parameters")));
  FLORA_TRY(read_body(operation, node));
  FLORA_TRY(read_responses(operation, node));
  return operation;
}

Result<void> DocumentReader::read_flags(Operation& operation, const yaml::Node& item,
                                        const yaml::Node& node) {
  FLORA_ASSIGN(operation.access, read_access(node));
  if (const yaml::Node* listener = item.find("x-flora-listener")) {
    const bool known = listener->text == "operations" || listener->text == "public";
    if (!known) return error(listener->at, "the listener must be `public` or `operations`");
    if (listener->text == "operations") operation.listener = Listener::operations;
  }
  if (const yaml::Node* tags = node.find("tags")) {
    for (const yaml::Node& tag : tags->items) operation.tags.push_back(tag.text);
  }
  return {};
}

// Who may show nothing at all may call it: no list of requirements, or an empty one among them.
Result<Access> DocumentReader::read_access(const yaml::Node& node) {
  const yaml::Node* own = node.find("security");
  const yaml::Node* security = own != nullptr ? own : root_.find("security");
  if (security == nullptr) {
    return error(node.at, "`security` must say who may call the operation");
  }
  bool open = security->items.empty();
  for (const yaml::Node& requirement : security->items) {
    open = open || requirement.members.empty();
    for (const auto& [name, scopes] : requirement.members) {
      const auto* scheme = resolve(root_, "#/components/securitySchemes/" + name);
      if (scheme == nullptr) return error(requirement.at, "there is no such security scheme");
    }
  }
  return open ? Access::open : Access::authority;
}

Result<void> DocumentReader::read_parameters(Operation& operation, const yaml::Node* list) {
  if (list == nullptr) return {};
  for (const yaml::Node& entry : list->items) {
    FLORA_ASSIGN(const yaml::Node* node, follow(entry));
    FLORA_ASSIGN(const yaml::Node* name, need(*node, "name"));
    FLORA_ASSIGN(const yaml::Node* in, need(*node, "in"));
    FLORA_ASSIGN(const yaml::Node* schema, need(*node, "schema"));
    Parameter parameter;
    if (in->text == "path") {
      parameter.in = Parameter::In::path;
    } else if (in->text == "query") {
      parameter.in = Parameter::In::query;
    } else if (in->text == "header") {
      parameter.in = Parameter::In::header;
    } else {
      return error(in->at, "a parameter stands in path, query or header");
    }
    parameter.name = parameter.in == Parameter::In::header ? lower(name->text) : name->text;
    parameter.required = is_true(node->find("required"));
    parameter.multi_segment = is_true(node->find("x-flora-multi-segment"));
    FLORA_ASSIGN(parameter.schema, compiler_.compile(*schema));
    if (operation.parameter(parameter.in, parameter.name) != nullptr) {
      return error(entry.at, "the parameter is declared twice");
    }
    operation.parameters.push_back(std::move(parameter));
  }
  return {};
}

Result<void> DocumentReader::read_body(Operation& operation, const yaml::Node& node) {
  const yaml::Node* entry = node.find("requestBody");
  if (entry == nullptr) return {};
  FLORA_ASSIGN(const yaml::Node* body, follow(*entry));
  operation.body_required = is_true(body->find("required"));
  FLORA_ASSIGN(operation.bodies, read_content(*body));
  if (operation.bodies.empty()) return error(body->at, "`content` is missing");
  return {};
}

Result<void> DocumentReader::read_responses(Operation& operation, const yaml::Node& node) {
  FLORA_ASSIGN(const yaml::Node* responses, need(node, "responses"));
  for (std::size_t i = 0; i < responses->members.size(); ++i) {
    const auto& [status, entry] = responses->members[i];
    Response response;
    const auto end = status.data() + status.size();
    const auto parsed = std::from_chars(status.data(), end, response.status);
    if (parsed.ptr != end || response.status < 100 || response.status > 599) {
      return error(responses->member_at[i], "a response needs a status code of three digits");
    }
    FLORA_ASSIGN(const yaml::Node* target, follow(entry));
    FLORA_ASSIGN(response.headers, read_headers(*target));
    FLORA_ASSIGN(response.content, read_content(*target));
    operation.responses.push_back(std::move(response));
  }
  const auto has = [&](int from, int to) {
    return std::any_of(operation.responses.begin(), operation.responses.end(),
                       [&](const Response& r) { return r.status >= from && r.status <= to; });
  };
  if (!has(200, 299)) return error(responses->at, "no response says what success looks like");
  if (!has(400, 499) || !has(500, 599)) {
    return error(responses->at, "the error responses are missing");
  }
  return {};
}

Result<std::vector<MediaType>> DocumentReader::read_content(const yaml::Node& holder) {
  std::vector<MediaType> out;
  const yaml::Node* content = holder.find("content");
  if (content == nullptr) return out;
  for (const auto& [name, node] : content->members) {
    MediaType media;
    media.name = lower(name);
    if (const yaml::Node* schema = node.find("schema")) {
      FLORA_ASSIGN(media.schema, compiler_.compile(*schema));
    }
    if (const yaml::Node* schema = node.find("x-flora-item-schema")) {
      FLORA_ASSIGN(media.item_schema, compiler_.compile(*schema));
    }
    out.push_back(std::move(media));
  }
  return out;
}

Result<std::vector<ResponseHeader>> DocumentReader::read_headers(const yaml::Node& response) {
  std::vector<ResponseHeader> out;
  const yaml::Node* headers = response.find("headers");
  if (headers == nullptr) return out;
  for (const auto& [name, entry] : headers->members) {
    FLORA_ASSIGN(const yaml::Node* node, follow(entry));
    FLORA_ASSIGN(const yaml::Node* schema, need(*node, "schema"));
    ResponseHeader header;
    header.name = lower(name);
    header.required = is_true(node->find("required"));
    FLORA_ASSIGN(header.schema, compiler_.compile(*schema));
    out.push_back(std::move(header));
  }
  return out;
}

}  // namespace flora::openapi
