// The part of MessageCompiler that compiles `set`: which targets a canonical status event has, what
// they take, and in which order they are written.
#include <algorithm>
#include <array>

#include "adapters/engine/forms.h"
#include "adapters/engine/message_compiler.h"
#include "gateway/base/json.h"
#include "gateway/model/identifiers.h"

namespace flora::adapter {
namespace {

enum class Takes : std::uint8_t {
  name,
  authority,
  site,
  uuid,
  status,
  regime,
  instant,
  day,
  integer,
  role,
  land,
  boolean,
  identifiers
};

struct Target {
  std::string_view name;
  Takes takes;
  bool required;
};

// In the order in which an event is written; details follow behind site.
constexpr std::array kTargets = {
    Target{"id", Takes::name, true},
    Target{"source", Takes::name, true},
    Target{"status", Takes::status, true},
    Target{"regime", Takes::regime, false},
    Target{"occurredAt", Takes::instant, false},
    Target{"occurredOn", Takes::day, false},
    Target{"sourceSequence", Takes::integer, false},
    Target{"procedure.procedureId", Takes::uuid, false},
    Target{"procedure.identifiers", Takes::identifiers, false},
    Target{"reporter.authority", Takes::authority, true},
    Target{"reporter.land", Takes::land, false},
    Target{"reporter.role", Takes::role, false},
    Target{"site", Takes::site, false},
    Target{"corrects.transactionId", Takes::uuid, false},
    Target{"corrects.source", Takes::name, false},
    Target{"corrects.id", Takes::name, false},
    Target{"revokes.transactionId", Takes::uuid, false},
    Target{"revokes.source", Takes::name, false},
    Target{"revokes.id", Takes::name, false},
    Target{"mergedInto.procedureId", Takes::uuid, false},
    Target{"mergedInto.identifiers", Takes::identifiers, false},
    Target{"test", Takes::boolean, false},
};

constexpr std::size_t kBehindSite = 13;
constexpr std::string_view kDetails = "details.";

const Target* find_target(std::string_view name) {
  const auto found = std::find_if(kTargets.begin(), kTargets.end(),
                                  [&](const Target& t) { return t.name == name; });
  return found == kTargets.end() ? nullptr : &*found;
}

Form form_of(Takes takes) {
  switch (takes) {
    case Takes::name:
      return Form::name;
    case Takes::authority:
      return Form::authority;
    case Takes::site:
      return Form::site;
    case Takes::uuid:
      return Form::uuid;
    case Takes::integer:
      return Form::sequence;
    default:
      return Form::any;
  }
}

bool fits(Takes takes, Type type) {
  switch (takes) {
    case Takes::instant:
      return type == Type::instant;
    case Takes::day:
      return type == Type::day;
    case Takes::integer:
      return type == Type::integer;
    case Takes::boolean:
      return type == Type::boolean;
    default:
      return type == Type::text;
  }
}

bool fits(CanonicalTypes::Kind kind, Type type) {
  using Kind = CanonicalTypes::Kind;
  switch (kind) {
    case Kind::day:
      return type == Type::day;
    case Kind::instant:
      return type == Type::instant;
    case Kind::time:
      return type == Type::time;
    case Kind::integer:
      return type == Type::integer;
    case Kind::boolean:
      return type == Type::boolean;
    case Kind::code:
      return type == Type::code;
    case Kind::text:
    case Kind::word:
      return type == Type::text;
  }
  return false;
}

std::string_view to_string(CanonicalTypes::Kind kind) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "text", "word", "day", "instant", "time", "integer", "boolean", "code"};
  return kNames[static_cast<std::size_t>(kind)];
}

const CanonicalTypes::Detail* find_detail(const CanonicalTypes::Status& status,
                                          std::string_view name) {
  const auto found = std::find_if(status.details.begin(), status.details.end(),
                                  [&](const CanonicalTypes::Detail& d) { return d.name == name; });
  return found == status.details.end() ? nullptr : &*found;
}

std::string key_of(std::string_view name) {
  std::string key;
  json::append_string(key, name);
  return key + ":";
}

bool is_member_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

}  // namespace

std::string_view to_string(Type type) {
  static constexpr std::array<std::string_view, 7> kNames = {"text", "boolean", "day", "instant",
                                                             "time", "integer", "code"};
  return kNames[static_cast<std::size_t>(type)];
}

// Own targets replace common ones of the same name.
MessageCompiler::Targets MessageCompiler::targets(const yaml::Node* common, const yaml::Node* own) {
  Targets given;
  for (const yaml::Node* set : {common, own}) {
    if (set == nullptr) continue;
    if (set->kind != yaml::Kind::mapping) {
      bundle_.error(*set, Mistake::mapping_expected, "a mapping is expected here");
      continue;
    }
    for (std::size_t i = 0; i < set->members.size(); ++i) {
      const std::string& name = set->members[i].first;
      const yaml::Node& value = set->members[i].second;
      const bool known = find_target(name) != nullptr ||
                         (name.starts_with(kDetails) &&
                          is_member_name(std::string_view(name).substr(kDetails.size())));
      if (!known) {
        bundle_.errors.error(set->member_at[i], Mistake::unknown_target,
                             "a canonical event has no \"" + name + "\"");
        continue;
      }
      std::erase_if(given, [&](const auto& other) { return other.first == name; });
      given.emplace_back(name, &value);
    }
  }
  Targets ordered;
  const auto take = [&](auto wanted) {
    for (const auto& target : given) {
      if (wanted(target.first)) ordered.push_back(target);
    }
  };
  for (std::size_t i = 0; i < kTargets.size(); ++i) {
    if (i == kBehindSite) take([](std::string_view name) { return name.starts_with(kDetails); });
    take([&](std::string_view name) { return name == kTargets[i].name; });
  }
  return ordered;
}

void MessageCompiler::output(const Targets& targets, const Context& context, yaml::Position where,
                             OutputNode& out) {
  out.kind = OutputNode::Kind::object;
  out.at = where;
  require_targets(targets, where);
  for (const auto& [target, node] : targets) {
    std::string name;
    OutputNode* parent = parent_of(target, out, name);
    OutputNode fresh;
    fresh.name = target;
    fresh.key = key_of(name);
    fresh.at = node->at;
    if (target.starts_with(kDetails)) {
      detail(*node, context, fresh);
    } else if (find_target(target)->takes == Takes::identifiers) {
      identifiers(*node, context, fresh);
    } else {
      leaf(target, *node, context, fresh);
    }
    parent->children.push_back(std::move(fresh));
  }
  check_details(out);
  check_merge(out);
}

// The object in which a target stands, made when it is the first of it.
OutputNode* MessageCompiler::parent_of(std::string_view target, OutputNode& root,
                                       std::string& name) {
  const std::size_t dot = target.find('.');
  name = target.substr(dot == std::string_view::npos ? 0 : dot + 1);
  if (dot == std::string_view::npos) return &root;
  const std::string_view object = target.substr(0, dot);
  for (OutputNode& child : root.children) {
    if (child.name == object) return &child;
  }
  OutputNode fresh;
  fresh.kind = OutputNode::Kind::object;
  fresh.name = object;
  fresh.key = key_of(object);
  fresh.at = root.at;
  fresh.required = object == "procedure" || object == "reporter" || object == "mergedInto";
  if (object != "reporter") fresh.missing = "identifier-missing";
  root.children.push_back(std::move(fresh));
  return &root.children.back();
}

void MessageCompiler::leaf(const std::string& target, const yaml::Node& node,
                           const Context& context, OutputNode& out) {
  const Target& what = *find_target(target);
  out.kind = OutputNode::Kind::leaf;
  out.expression = expression(node, context);
  out.form = form_of(what.takes);
  out.required = what.required;
  out.only_if_true = target == "test";
  out.is_time = what.takes == Takes::instant || what.takes == Takes::day;
  if (out.expression < 0) return;
  const Type type = at(out.expression).type;
  if (!fits(what.takes, type)) {
    bundle_.error(node, Mistake::target_type,
                  target + " does not take a value of type " + std::string(to_string(type)));
  }
  check_words(target, node, out.expression);
  check_constant(node, out);
}

void MessageCompiler::check_constant(const yaml::Node& node, const OutputNode& out) {
  const Expression& e = at(out.expression);
  if (e.kind != Expression::Kind::constant || !e.calls.empty() || has_form(out, e.text)) return;
  bundle_.error(node, Mistake::unknown_value, "the constant has not the form of " + form_name(out));
}

void MessageCompiler::detail(const yaml::Node& node, const Context& context, OutputNode& out) {
  const yaml::Node* each = node.find("each");
  if (each == nullptr) {
    out.kind = OutputNode::Kind::leaf;
    out.expression = expression(node, context);
    if (node.find("required") != nullptr) out.required = bundle_.boolean(*node.find("required"));
    return;
  }
  out.kind = OutputNode::Kind::each;
  if (!bundle_.mapping(node, {"each", "code", "item", "required"})) return;
  if (const yaml::Node* required = node.find("required")) out.required = bundle_.boolean(*required);
  out.loop = loop(*each, context);
  if (out.loop < 0) return;
  const Context inner = inside(context, out.loop);
  const yaml::Node* code = node.find("code");
  const yaml::Node* item = node.find("item");
  if ((code == nullptr) == (item == nullptr)) {
    bundle_.error(node, Mistake::each_form, "`each` needs one of `code` and `item`");
    return;
  }
  if (item != nullptr) {
    out.expression = expression(*item, inner);
    return;
  }
  const auto last = static_cast<std::size_t>(inner.depth - 1);
  Place row;
  row.level = inner.depth - 1;
  row.loop = inner.loops[last];
  row.node = inner.nodes[last];
  out.expression = coded_at(row, node, *code);
}

void MessageCompiler::identifiers(const yaml::Node& node, const Context& context, OutputNode& out) {
  constexpr std::size_t kMost = 8;
  out.kind = OutputNode::Kind::array;
  if (!bundle_.sequence(node)) return;
  if (node.items.empty() || node.items.size() > kMost)
    bundle_.error(node, Mistake::identifier_count, "1 to 8 identifiers are expected here");
  for (const yaml::Node& item : node.items) {
    if (!bundle_.mapping(item, {"type", "value"})) continue;
    const yaml::Node* type = item.find("type");
    const yaml::Node* value = item.find("value");
    if (type == nullptr || value == nullptr) {
      bundle_.error(item, Mistake::missing_key, "an identifier has `type` and `value`");
      continue;
    }
    const std::string word = bundle_.word(*type);
    const std::optional<IdentifierType> known = parse_identifier_type(word);
    if (!known)
      bundle_.error(*type, Mistake::identifier_type, "\"" + word + "\" is no type of identifier");
    OutputNode pair;
    pair.kind = OutputNode::Kind::object;
    pair.name = out.name + " " + word;
    pair.at = item.at;
    pair.needs_all = true;
    OutputNode first, second;
    first.key = key_of("type");
    first.expression = constant(*type, word);
    second.key = key_of("value");
    second.expression = expression(*value, context);
    second.form = Form::identifier;
    second.identifier = known.value_or(IdentifierType::d_nummer);
    second.at = value->at;
    if (second.expression < 0) continue;
    if (at(second.expression).type != Type::text)
      bundle_.error(*value, Mistake::target_type, "an identifier is a text");
    check_constant(*value, second);
    pair.children = {std::move(first), std::move(second)};
    out.children.push_back(std::move(pair));
  }
}

void MessageCompiler::require_targets(const Targets& targets, yaml::Position where) {
  const auto has = [&](std::string_view name) {
    return std::any_of(targets.begin(), targets.end(),
                       [&](const auto& t) { return t.first == name; });
  };
  for (const Target& target : kTargets) {
    if (target.required && !has(target.name)) {
      bundle_.errors.error(where, Mistake::missing_target,
                           "the event does not set " + std::string(target.name));
    }
  }
  if (!has("occurredAt") && !has("occurredOn")) {
    bundle_.errors.error(where, Mistake::missing_time,
                         "the event sets neither occurredAt nor occurredOn");
  }
  if (!has("procedure.identifiers") && !has("procedure.procedureId")) {
    bundle_.errors.error(where, Mistake::missing_identifier,
                         "the event sets neither procedure.identifiers nor procedure.procedureId");
  }
}

// mergedInto says where another procedure went: it belongs to one status, which needs it.
void MessageCompiler::check_merge(const OutputNode& event) {
  const auto statuses = statuses_of(event);
  const bool merges =
      std::any_of(event.children.begin(), event.children.end(),
                  [](const OutputNode& child) { return child.name == "mergedInto"; });
  if (statuses.size() == 1 && merges != (statuses[0]->name == "VERFAHREN_ZUSAMMENGEFUEHRT")) {
    bundle_.errors.error(event.at, Mistake::merged_into,
                         "mergedInto belongs to VERFAHREN_ZUSAMMENGEFUEHRT, and only to that");
  }
}

// What the event says in its details, against what its statuses have.
void MessageCompiler::check_details(const OutputNode& event) {
  const auto statuses = statuses_of(event);
  if (statuses.empty()) return;
  std::set<std::string> given;
  bool revokes = false;
  for (const OutputNode& child : event.children) {
    revokes = revokes || child.name == "revokes";
    if (child.name != "details") continue;
    for (const OutputNode& detail : child.children) {
      given.insert(detail.name.substr(kDetails.size()));
      check_detail(detail, statuses);
    }
  }
  if (revokes) return;  // A revocation has no details.
  for (const CanonicalTypes::Detail& member : statuses.front()->details) {
    const bool needed = std::all_of(statuses.begin(), statuses.end(), [&](const auto* status) {
      const CanonicalTypes::Detail* same = find_detail(*status, member.name);
      return same != nullptr && same->required;
    });
    if (!needed || given.contains(member.name)) continue;
    bundle_.errors.error(event.at, Mistake::missing_detail,
                         "an event of " + statuses.front()->name + " needs details." + member.name);
  }
}

void MessageCompiler::check_detail(const OutputNode& node,
                                   const std::vector<const CanonicalTypes::Status*>& statuses) {
  const std::string name = node.name.substr(kDetails.size());
  const CanonicalTypes::Detail* detail = nullptr;
  for (const CanonicalTypes::Status* status : statuses) {
    if (detail == nullptr) detail = find_detail(*status, name);
  }
  if (detail == nullptr) {
    bundle_.errors.error(node.at, Mistake::unknown_detail,
                         "the details of " + statuses.front()->name +
                             (statuses.size() > 1 ? " and its alternatives" : "") + " have no \"" +
                             name + "\"");
    return;
  }
  if (node.expression < 0) return;
  const Type type = at(node.expression).type;
  if (detail->list != (node.kind == OutputNode::Kind::each) || !fits(detail->kind, type)) {
    bundle_.errors.error(
        node.at, Mistake::target_type,
        node.name + " takes " + (detail->list ? "a list of type " : "type ") +
            std::string(to_string(detail->kind)) + ", this is " +
            (node.kind == OutputNode::Kind::each ? "a list of type " : "of type ") +
            std::string(to_string(type)));
    return;
  }
  if (detail->kind == CanonicalTypes::Kind::word) check_detail_words(node, *detail);
}

// What is known before a message comes is written once; and where an event is made for each of many
// rows, what depends on the message alone is marked.
void MessageCompiler::prepare(OutputNode& node, bool of_rows) {
  const bool leaf = node.kind == OutputNode::Kind::leaf && node.expression >= 0;
  if (leaf && at(node.expression).literal) {
    node.fixed = node.key;
    json::append_string(node.fixed, at(node.expression).text);
    return;
  }
  if (of_rows && !node.name.empty() && is_of_message(node)) {
    node.kept = static_cast<int>(out_.kept_nodes++);
    return;
  }
  for (OutputNode& child : node.children) prepare(child, of_rows);
}

bool MessageCompiler::is_of_message(const OutputNode& node) const {
  if (node.is_time || node.kind == OutputNode::Kind::each) return false;
  if (node.kind == OutputNode::Kind::leaf) return is_of_message(node.expression);
  return std::all_of(node.children.begin(), node.children.end(),
                     [&](const OutputNode& child) { return is_of_message(child); });
}

bool MessageCompiler::is_of_message(int expression) const {
  using Kind = Expression::Kind;
  if (expression < 0) return true;
  const Expression& e = out_.expressions[static_cast<std::size_t>(expression)];
  const bool let = e.kind == Kind::let;
  if (let && out_.lets[static_cast<std::size_t>(e.number)].level != 0) return false;
  // Their rows may be those within the row at hand.
  if (e.kind == Kind::more_than || e.kind == Kind::pick) return false;
  const auto of_message = [&](int other) { return is_of_message(other); };
  return std::max({e.level, e.slot.level, e.code.level, e.list.level, e.version.level}) == 0 &&
         is_of_message(e.when) && std::all_of(e.operands.begin(), e.operands.end(), of_message) &&
         std::all_of(e.calls.begin(), e.calls.end(),
                     [&](const Call& call) { return is_of_message(call.day); });
}

}  // namespace flora::adapter
