#include "openapi/document.h"

#include <algorithm>
#include <map>

#include "openapi/convert.h"
#include "openapi/document_reader.h"
#include "openapi/embedded.h"
#include "openapi/guard.h"
#include "openapi/routes.h"

namespace flora::openapi {

struct Document::Compiled {
  std::string yaml;
  std::string json;
  std::string json_30;
  std::string version;
  yaml::Node root;
  std::vector<Operation> operations;
  std::vector<std::pair<std::string, Schema>> schemas;
  Routes routes;
};

namespace {

constexpr std::string_view kSchemas = "#/components/schemas/";

using MemberSet = std::map<std::string, Member>;

// What a property takes, through its references and, of an array, of its items.
void describe(const yaml::Node& root, const yaml::Node& property, Member& out) {
  if (const yaml::Node* reference = property.find("$ref")) {
    out.schema = reference->text.substr(reference->text.rfind('/') + 1);
    if (const yaml::Node* target = resolve(root, reference->text)) describe(root, *target, out);
    return;
  }
  const yaml::Node* type = property.find("type");
  out.type = type == nullptr ? "object" : type->text;
  if (const yaml::Node* words = property.find("enum")) {
    for (const yaml::Node& word : words->items) out.words.push_back(word.text);
  }
  const yaml::Node* items = property.find("items");
  if (items == nullptr) return;
  out.list = true;
  describe(root, *items, out);
}

MemberSet members_of(const yaml::Node& root, const yaml::Node& schema) {
  if (const yaml::Node* reference = schema.find("$ref")) {
    const yaml::Node* target = resolve(root, reference->text);
    return target == nullptr ? MemberSet() : members_of(root, *target);
  }
  MemberSet out;
  const yaml::Node* choice = schema.find("oneOf");
  if (choice == nullptr) choice = schema.find("anyOf");
  if (choice != nullptr) {
    std::map<std::string, std::size_t> required_in;
    for (const yaml::Node& branch : choice->items) {
      for (auto& [name, member] : members_of(root, branch)) {
        required_in[name] += member.required;
        member.required = required_in[name] == choice->items.size();
        out[name] = std::move(member);
      }
    }
    return out;
  }
  if (const yaml::Node* properties = schema.find("properties")) {
    for (const auto& [name, property] : properties->members) {
      out[name].name = name;
      describe(root, property, out[name]);
    }
  }
  if (const yaml::Node* required = schema.find("required")) {
    for (const yaml::Node& name : required->items) out[name.text].required = true;
  }
  return out;
}

}  // namespace

const MediaType* Operation::body(std::string_view media_type) const {
  const auto found = std::find_if(bodies.begin(), bodies.end(),
                                  [&](const MediaType& m) { return m.name == media_type; });
  return found == bodies.end() ? nullptr : &*found;
}

const Response* Operation::response(int status) const {
  const auto found = std::find_if(responses.begin(), responses.end(),
                                  [&](const Response& r) { return r.status == status; });
  return found == responses.end() ? nullptr : &*found;
}

const Parameter* Operation::parameter(Parameter::In in, std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const Parameter& p) { return p.in == in && p.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

std::string_view Match::value(std::string_view name) const {
  for (const auto& [parameter, text] : path) {
    if (parameter == name) return text;
  }
  return {};
}

std::string_view Document::embedded() { return embedded_document(); }

Result<Document> Document::load(std::string_view yaml, std::string_view file) {
  auto compiled = std::make_unique<Compiled>();
  compiled->yaml = yaml;
  FLORA_ASSIGN(compiled->root, yaml::parse(yaml, file));
  FLORA_TRY(check_guard(compiled->root, file));
  DocumentReader reader(compiled->root, file);
  FLORA_ASSIGN(compiled->schemas, reader.schemas());
  FLORA_ASSIGN(compiled->operations, reader.operations());
  for (std::size_t i = 0; i < compiled->operations.size(); ++i) {
    FLORA_TRY(compiled->routes.add(compiled->operations[i], i));
  }
  if (const yaml::Node* version = resolve(compiled->root, "#/info/version")) {
    compiled->version = version->text;
  }
  compiled->json = to_json_text(compiled->root);
  compiled->json_30 = to_json_text(to_openapi_30(compiled->root));
  return Document(std::move(compiled));
}

Document::Document(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

std::string_view Document::yaml() const { return compiled_->yaml; }
std::string_view Document::json() const { return compiled_->json; }
std::string_view Document::json_30() const { return compiled_->json_30; }
std::string_view Document::version() const { return compiled_->version; }

std::span<const Operation> Document::operations() const { return compiled_->operations; }

const Operation* Document::operation(std::string_view id) const {
  const auto& all = compiled_->operations;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Operation& o) { return o.id == id; });
  return found == all.end() ? nullptr : &*found;
}

Match Document::match(Listener listener, std::string_view method, std::string_view raw_path) const {
  return compiled_->routes.match(compiled_->operations, listener, method, raw_path);
}

Result<Schema> Document::schema(std::string_view pointer) const {
  if (pointer.starts_with(kSchemas)) {
    const std::string_view name = pointer.substr(kSchemas.size());
    for (const auto& [known, schema] : compiled_->schemas) {
      if (known == name) return schema;
    }
  }
  return Error{Errc::not_found, "the document has no schema at " + std::string(pointer)};
}

std::vector<std::string> Document::enum_values(std::string_view pointer) const {
  std::vector<std::string> values;
  const yaml::Node* schema = resolve(compiled_->root, pointer);
  const yaml::Node* list = schema == nullptr ? nullptr : schema->find("enum");
  if (list == nullptr) return values;
  for (const yaml::Node& item : list->items) values.push_back(item.text);
  return values;
}

std::vector<Member> Document::members(std::string_view pointer) const {
  std::vector<Member> out;
  const yaml::Node* schema = resolve(compiled_->root, pointer);
  if (schema == nullptr) return out;
  for (auto& [name, member] : members_of(compiled_->root, *schema))
    out.push_back(std::move(member));
  return out;
}

Result<void> Document::check_handlers(const std::set<std::string>& handlers) const {
  std::string orphans;
  for (const Operation& operation : compiled_->operations) {
    if (!handlers.contains(operation.id)) {
      orphans += " The operation " + operation.id + " has no handler.";
    }
  }
  for (const std::string& name : handlers) {
    if (operation(name) == nullptr) orphans += " The handler " + name + " has no operation.";
  }
  if (orphans.empty()) return {};
  return Error{Errc::invalid, "document and handlers do not fit." + orphans};
}

}  // namespace flora::openapi
