// The part of MessageCompiler that compiles expressions and conditions.
#include <algorithm>

#include "adapters/engine/argument_compiler.h"
#include "adapters/engine/message_compiler.h"

namespace flora::adapter {
namespace {

constexpr std::string_view kModifiers[] = {"do", "when", "required", "on_malformed", "eq", "in"};

// What an expression takes its value from.
constexpr std::string_view kSources[] = {"from",   "const", "concat", "first", "value", "exists",
                                         "absent", "all",   "any",    "not",   "count", "pick"};

bool belongs_to(std::string_view source, std::string_view key) {
  if (source == "from") return key == "code";
  if (source == "count") return key == "where" || key == "more_than";
  if (source == "pick") return key == "where" || key == "item";
  return false;
}

template <std::size_t size>
bool contains(const std::string_view (&list)[size], std::string_view key) {
  return std::find(std::begin(list), std::end(list), key) != std::end(list);
}

}  // namespace

int MessageCompiler::add(Expression e) {
  out_.expressions.push_back(std::move(e));
  return static_cast<int>(out_.expressions.size()) - 1;
}

int MessageCompiler::constant(const yaml::Node& node, std::string text) {
  Expression e;
  e.at = node.at;
  e.text = std::move(text);
  return add(std::move(e));
}

int MessageCompiler::expression(const yaml::Node& node, const Context& context) {
  if (node.kind == yaml::Kind::scalar) {
    if (!node.quoted && node.text.starts_with('$')) {
      return reference(node, std::string_view(node.text).substr(1), context);
    }
    bundle_.error(node, Mistake::expression_expected,
                  "an expression is a mapping, or `$name`; a constant is { const: \"…\" }");
    return -1;
  }
  if (node.kind != yaml::Kind::mapping) {
    bundle_.error(node, Mistake::expression_expected, "an expression is a mapping, or `$name`");
    return -1;
  }
  const int out = source(node, context);
  if (out < 0) return -1;
  modifiers(node, out, context);
  if (node.find("eq") == nullptr && node.find("in") == nullptr) return out;
  return comparison(node, out, context);
}

int MessageCompiler::source(const yaml::Node& node, const Context& context) {
  std::string_view source_key;
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    if (!contains(kSources, node.members[i].first)) continue;
    if (!source_key.empty()) {
      bundle_.errors.error(node.member_at[i], Mistake::several_sources,
                           "an expression has one source only");
      return -1;
    }
    source_key = node.members[i].first;
  }
  if (source_key.empty()) {
    bundle_.error(node, Mistake::no_source,
                  "an expression needs a source, such as `from` or `const`");
    return -1;
  }
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const std::string_view key = node.members[i].first;
    if (key == source_key || contains(kModifiers, key) || belongs_to(source_key, key)) continue;
    bundle_.errors.error(node.member_at[i], Mistake::unknown_key,
                         "the key \"" + std::string(key) + "\" is unknown here");
  }
  const yaml::Node& value = *node.find(source_key);
  if (source_key == "from") return from(node, context);
  if (source_key == "const") return constant(value, bundle_.literal(value));
  if (source_key == "concat") return concat(value, context);
  if (source_key == "first") return first(value, context);
  if (source_key == "value") return within(expression(value, context));
  if (source_key == "exists") return presence(value, Expression::Kind::exists, context);
  if (source_key == "absent") return presence(value, Expression::Kind::absent, context);
  if (source_key == "all") return logic(value, Expression::Kind::all, context);
  if (source_key == "any") return logic(value, Expression::Kind::any, context);
  if (source_key == "not") return logic(value, Expression::Kind::negate, context);
  if (source_key == "count") return count(node, context);
  return pick(node, context);
}

int MessageCompiler::reference(const yaml::Node& node, std::string_view name,
                               const Context& context) {
  Expression e;
  e.at = node.at;
  if (name == "index") {
    if (context.depth < 2) {
      bundle_.error(node, Mistake::index_outside, "$index has a meaning inside for_each only");
      return -1;
    }
    e.kind = Expression::Kind::position;
    e.type = Type::integer;
    e.level = context.depth - 1;
    return add(std::move(e));
  }
  for (std::size_t i = lets_.size(); i-- > 0;) {
    if (lets_[i].name != name) continue;
    bundle_.use(lets_[i].node->at);
    if (lets_[i].compiling) {
      bundle_.error(node, Mistake::circular_reference,
                    "\"" + std::string(name) + "\" refers to itself");
      return -1;
    }
    if (lets_[i].number < 0) {
      lets_[i].compiling = true;
      const Context own = lets_[i].context;
      const int compiled = expression(*lets_[i].node, own);
      lets_[i].compiling = false;
      if (compiled < 0) return -1;
      lets_[i].number = static_cast<int>(out_.lets.size());
      out_.lets.push_back({std::string(name), compiled, own.depth - 1});
    }
    e.kind = Expression::Kind::let;
    e.number = lets_[i].number;
    e.type = at(out_.lets[static_cast<std::size_t>(e.number)].expression).type;
    return add(std::move(e));
  }
  bundle_.error(node, Mistake::unknown_let, "there is no let \"" + std::string(name) + "\"");
  return -1;
}

int MessageCompiler::condition(const yaml::Node& node, const Context& context) {
  const int out = expression(node, context);
  if (out >= 0 && at(out).type != Type::boolean) {
    bundle_.error(
        node, Mistake::condition_expected,
        "a condition is expected here, this is of type " + std::string(to_string(at(out).type)));
  }
  return out;
}

int MessageCompiler::from(const yaml::Node& node, const Context& context) {
  if (const yaml::Node* list = node.find("code")) return coded(*node.find("from"), *list, context);
  const std::optional<Path> found = path(*node.find("from"));
  if (!found) return -1;
  const auto filter = std::find_if(found->steps.begin(), found->steps.end(),
                                   [](const PathStep& step) { return step.filter != nullptr; });
  if (filter != found->steps.end()) return filtered(node, *found, filter, context);
  Expression e;
  e.kind = Expression::Kind::slot;
  e.at = node.at;
  e.slot = slot(follow(*found, context, node), true);
  return add(std::move(e));
}

// `a[key="text"]/b`: of the repeated `a`, the `b` of the first whose key has the text.
int MessageCompiler::filtered(const yaml::Node& node, const Path& path,
                              std::vector<PathStep>::const_iterator filter,
                              const Context& context) {
  Path rows{path.from_root, {path.steps.begin(), filter + 1}, {}};
  Path rest{false, {filter + 1, path.steps.end()}, {}};
  const std::size_t close = path.shown.find(']');
  rows.shown = path.shown.substr(0, path.shown.find('['));
  rest.shown = path.shown.substr(std::min(path.shown.size(), close + 2));
  if (std::any_of(rest.steps.begin(), rest.steps.end(),
                  [](const PathStep& step) { return step.filter != nullptr; })) {
    bundle_.error(node, Mistake::filter_place, "a place has one filter at most");
    return -1;
  }
  Expression e;
  e.kind = Expression::Kind::pick;
  e.at = node.at;
  e.loop = loop(follow(rows, context, node), node, context);
  if (e.loop < 0) return -1;
  const Context inner = inside(context, e.loop);
  Path key{false, filter->filter->key, {}};
  key.shown =
      path.shown.substr(rows.shown.size() + 1, path.shown.find('=') - rows.shown.size() - 1);
  Expression value, same, item;
  value.kind = item.kind = Expression::Kind::slot;
  value.at = same.at = item.at = node.at;
  value.slot = slot(follow(key, inner, node), true);
  item.slot = slot(follow(rest, inner, node), true);
  same.kind = Expression::Kind::equal;
  same.type = Type::boolean;
  same.operands = {add(std::move(value)), constant(node, filter->filter->text)};
  e.operands = {add(std::move(same)), add(std::move(item))};
  return add(std::move(e));
}

int MessageCompiler::coded(const yaml::Node& node, const yaml::Node& list, const Context& context) {
  const std::optional<Place> found = place(node, context);
  return found ? coded_at(*found, node, list) : -1;
}

int MessageCompiler::coded_at(const Place& place, const yaml::Node& where, const yaml::Node& list) {
  const std::optional<CodedParts> parts = bundle_.format->coded_parts();
  Expression e;
  e.kind = Expression::Kind::coded;
  e.type = Type::code;
  e.at = where.at;
  e.code_list = bundle_.find_list(list);
  if (e.code_list < 0) return -1;
  if (!parts || place.kind != PathStep::Kind::child) {
    bundle_.error(where, Mistake::no_coded_value, "there are no coded values here");
    return -1;
  }
  e.slot = slot(place, false);
  e.code = part(place, parts->code, where);
  e.list = part(place, parts->list, where);
  e.version = part(place, parts->version, where);
  return add(std::move(e));
}

int MessageCompiler::concat(const yaml::Node& node, const Context& context) {
  const std::string pattern = bundle_.literal(node);
  Expression e;
  e.kind = Expression::Kind::concat;
  e.at = node.at;
  std::size_t done = 0;
  while (done < pattern.size()) {
    const std::size_t next = pattern.find("${", done);
    if (next != done) e.operands.push_back(constant(node, pattern.substr(done, next - done)));
    if (next == std::string::npos) break;
    const std::size_t end = pattern.find('}', next);
    if (end == std::string::npos) {
      bundle_.error(node, Mistake::unclosed_reference, "\"${\" without \"}\"");
      return -1;
    }
    e.operands.push_back(
        reference(node, std::string_view(pattern).substr(next + 2, end - next - 2), context));
    done = end + 1;
  }
  if (e.operands.empty()) bundle_.error(node, Mistake::empty_text, "the text is empty");
  const bool good = std::find(e.operands.begin(), e.operands.end(), -1) == e.operands.end();
  return good ? add(std::move(e)) : -1;
}

int MessageCompiler::first(const yaml::Node& node, const Context& context) {
  if (!bundle_.sequence(node)) return -1;
  Expression e;
  e.kind = Expression::Kind::first;
  e.at = node.at;
  for (const yaml::Node& item : node.items) {
    const int operand = expression(item, context);
    if (operand < 0) return -1;
    if (!e.operands.empty() && at(operand).type != at(e.operands.front()).type) {
      bundle_.error(item, Mistake::mixed_types, "the alternatives have different types");
      return -1;
    }
    e.operands.push_back(operand);
  }
  if (e.operands.empty()) {
    bundle_.error(node, Mistake::empty_list, "there is no alternative");
    return -1;
  }
  e.type = at(e.operands.front()).type;
  return add(std::move(e));
}

int MessageCompiler::presence(const yaml::Node& node, Expression::Kind kind,
                              const Context& context) {
  const std::optional<Place> found = place(node, context);
  if (!found) return -1;
  Expression e;
  e.kind = kind;
  e.type = Type::boolean;
  e.at = node.at;
  e.slot = slot(*found, false);
  return add(std::move(e));
}

int MessageCompiler::logic(const yaml::Node& node, Expression::Kind kind, const Context& context) {
  Expression e;
  e.kind = kind;
  e.type = Type::boolean;
  e.at = node.at;
  if (kind == Expression::Kind::negate) {
    e.operands.push_back(condition(node, context));
  } else {
    if (!bundle_.sequence(node)) return -1;
    for (const yaml::Node& item : node.items) e.operands.push_back(condition(item, context));
    if (e.operands.empty()) bundle_.error(node, Mistake::empty_list, "there is no condition");
  }
  const bool good = std::find(e.operands.begin(), e.operands.end(), -1) == e.operands.end();
  return good ? add(std::move(e)) : -1;
}

int MessageCompiler::count(const yaml::Node& node, const Context& context) {
  Expression e;
  e.kind = Expression::Kind::more_than;
  e.type = Type::boolean;
  e.at = node.at;
  e.loop = loop(*node.find("count"), context);
  if (e.loop < 0) return -1;
  const yaml::Node* more_than = node.find("more_than");
  if (more_than == nullptr) {
    bundle_.error(node, Mistake::missing_key, "`count` needs `more_than`");
    return -1;
  }
  e.number = static_cast<int>(bundle_.number(*more_than));
  if (const yaml::Node* where = node.find("where")) {
    const int filter = condition(*where, inside(context, e.loop));
    if (filter < 0) return -1;
    e.operands.push_back(filter);
  }
  return add(std::move(e));
}

int MessageCompiler::pick(const yaml::Node& node, const Context& context) {
  const yaml::Node* where = node.find("where");
  const yaml::Node* item = node.find("item");
  if (where == nullptr || item == nullptr) {
    bundle_.error(node, Mistake::missing_key, "`pick` needs `where` and `item`");
    return -1;
  }
  Expression e;
  e.kind = Expression::Kind::pick;
  e.at = node.at;
  e.loop = loop(*node.find("pick"), context);
  if (e.loop < 0) return -1;
  const Context inner = inside(context, e.loop);
  e.operands = {condition(*where, inner), expression(*item, inner)};
  if (e.operands[0] < 0 || e.operands[1] < 0) return -1;
  e.type = at(e.operands[1]).type;
  return add(std::move(e));
}

int MessageCompiler::comparison(const yaml::Node& node, int left, const Context& context) {
  const yaml::Node* eq = node.find("eq");
  const yaml::Node* in = node.find("in");
  Expression e;
  e.kind = Expression::Kind::equal;
  e.type = Type::boolean;
  e.at = node.at;
  e.operands.push_back(left);
  const auto right = [&](const yaml::Node& item) {
    const bool refers =
        item.kind == yaml::Kind::scalar && !item.quoted && item.text.starts_with('$');
    return refers ? expression(item, context) : constant(item, bundle_.literal(item));
  };
  if (eq != nullptr) e.operands.push_back(right(*eq));
  if (in != nullptr && bundle_.sequence(*in)) {
    for (const yaml::Node& item : in->items) e.operands.push_back(right(item));
  }
  const bool good = std::find(e.operands.begin(), e.operands.end(), -1) == e.operands.end();
  return good ? add(std::move(e)) : -1;
}

// What `value` holds has its own conditions, which those around it do not replace.
int MessageCompiler::within(int expression) {
  if (expression < 0) return expression;
  const Expression& inner = at(expression);
  if (inner.when < 0 && !inner.required && !inner.malformed_is_absent) return expression;
  Expression outer;
  outer.kind = Expression::Kind::first;
  outer.type = inner.type;
  outer.at = inner.at;
  outer.operands = {expression};
  return add(std::move(outer));
}

void MessageCompiler::modifiers(const yaml::Node& node, int expression, const Context& context) {
  if (const yaml::Node* when = node.find("when")) {
    const int guard = condition(*when, context);
    at(expression).when = guard;
  }
  if (const yaml::Node* required = node.find("required")) {
    at(expression).required = bundle_.boolean(*required);
  }
  if (const yaml::Node* rule = node.find("on_malformed")) {
    const std::string word = bundle_.word(*rule);
    if (word != "reject" && word != "absent")
      bundle_.error(*rule, Mistake::unknown_word, "on_malformed is reject or absent");
    at(expression).malformed_is_absent = word == "absent";
  }
  if (const yaml::Node* list = node.find("do")) calls(*list, expression, context);
}

void MessageCompiler::calls(const yaml::Node& node, int expression, const Context& context) {
  if (!bundle_.sequence(node)) return;
  for (const yaml::Node& item : node.items) {
    const Signature* signature = nullptr;
    std::optional<Call> made = call(item, signature, context);
    if (!made) continue;
    Expression& e = at(expression);
    const bool fits =
        e.type != Type::code && (signature->from == Type::text || signature->from == e.type);
    if (!fits) {
      bundle_.error(item, Mistake::function_type,
                    "`" + std::string(signature->name) + "` does not take a value of type " +
                        std::string(to_string(e.type)));
    }
    e.type = signature->to;
    e.calls.push_back(std::move(*made));
  }
}

std::optional<Call> MessageCompiler::call(const yaml::Node& node, const Signature*& signature,
                                          const Context& context) {
  const bool mapping = node.kind == yaml::Kind::mapping && node.members.size() == 1;
  const std::string name = mapping ? node.members[0].first : bundle_.word(node);
  if (name.empty()) return std::nullopt;
  signature = find_function(name);
  if (signature == nullptr) {
    bundle_.error(node, Mistake::unknown_function, "there is no function \"" + name + "\"");
    return std::nullopt;
  }
  Call out;
  out.function = signature->function;
  out.at = node.at;
  if (mapping && signature->argument == Argument::none) {
    bundle_.error(node, Mistake::argument_unexpected, "`" + name + "` takes no argument");
  } else if (!mapping && signature->argument != Argument::none && !signature->argument_optional) {
    bundle_.error(node, Mistake::argument_missing, "`" + name + "` needs an argument");
    return std::nullopt;
  } else if (!mapping) {
    default_argument(signature->argument, out);
  } else if (signature->argument == Argument::map) {
    map_argument(node.members[0].second, context, out);
  } else {
    compile_argument(node.members[0].second, signature->argument, bundle_, out);
  }
  return out;
}

// The name of a map, or { list: name, on: $day } if its lines say from when to when they hold.
void MessageCompiler::map_argument(const yaml::Node& node, const Context& context, Call& call) {
  const bool named = node.kind == yaml::Kind::mapping;
  if (named && !bundle_.mapping(node, {"list", "on"})) return;
  const yaml::Node* list = named ? node.find("list") : &node;
  const yaml::Node* on = named ? node.find("on") : nullptr;
  if (list == nullptr) {
    bundle_.error(node, Mistake::missing_key, "the argument needs `list`");
    return;
  }
  call.number = static_cast<std::size_t>(bundle_.find_map(*list));  // Of no map after an error.
  if (call.number < bundle_.plan.maps.size()) {
    const bool dated = bundle_.plan.maps[call.number].dated;
    if (dated && on == nullptr) {
      bundle_.error(
          node, Mistake::validity_day,
          "the lines of this list have days of validity: { list: " + list->text + ", on: $day }");
    }
    if (!dated && on != nullptr)
      bundle_.error(*on, Mistake::validity_day, "the lines of this list have no days of validity");
  }
  if (on == nullptr) return;
  const bool refers = on->kind == yaml::Kind::scalar && !on->quoted && on->text.starts_with('$');
  if (refers) call.day = expression(*on, context);
  if (!refers || (call.day >= 0 && at(call.day).type != Type::day))
    bundle_.error(*on, Mistake::validity_day, "`on` takes a let of type day");
}

}  // namespace flora::adapter
