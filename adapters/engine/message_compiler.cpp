#include "adapters/engine/message_compiler.h"

#include <algorithm>

namespace flora::adapter {

void MessageCompiler::compile(const yaml::Node& node, const CommonRules& common) {
  out_.at = node.at;
  out_.trie.emplace_back();
  out_.loops.emplace_back();
  Context context;
  declare_lets(common.let, context);
  declare_lets(node.find("let"), context);
  for (const yaml::Node* list : {common.require, node.find("require")}) required(list, context);
  for (const yaml::Node* list : {common.reject, node.find("reject")}) {
    verdicts(list, context, true, out_.rejects);
  }
  for (const yaml::Node* list : {common.skip, node.find("skip")}) {
    verdicts(list, context, false, out_.skips);
  }
  if (const yaml::Node* rule = node.find("on_no_event")) {
    const std::string word = bundle_.word(*rule);
    if (word != "reject" && word != "skip")
      bundle_.error(*rule, Mistake::unknown_word, "on_no_event is reject or skip");
    out_.skip_without_event = word == "skip";
  }
  events(node, common, context);
}

void MessageCompiler::declare_lets(const yaml::Node* node, Context& context) {
  if (node == nullptr) return;
  if (node->kind != yaml::Kind::mapping) {
    bundle_.error(*node, Mistake::mapping_expected, "a mapping is expected here");
    return;
  }
  for (std::size_t i = 0; i < node->members.size(); ++i) {
    const std::string& name = node->members[i].first;
    const yaml::Node& value = node->members[i].second;
    const bool known =
        name == "index" || std::any_of(lets_.begin(), lets_.end(),
                                       [&](const NamedLet& let) { return let.name == name; });
    if (known)
      bundle_.errors.error(node->member_at[i], Mistake::name_taken,
                           "the name \"" + name + "\" is taken");
    bundle_.declare(value.at, "let \"" + name + "\"");
    lets_.push_back({name, &value, context, -1, false});
  }
}

void MessageCompiler::required(const yaml::Node* node, const Context& context) {
  if (node == nullptr || !bundle_.sequence(*node)) return;
  for (const yaml::Node& item : node->items) {
    const int e = expression(item, context);
    if (e >= 0) out_.required.push_back(e);
  }
}

void MessageCompiler::verdicts(const yaml::Node* node, const Context& context, bool with_detail,
                               std::vector<Verdict>& out) {
  if (node == nullptr || !bundle_.sequence(*node)) return;
  for (const yaml::Node& item : node->items) {
    if (!bundle_.mapping(item, {"when", "code", "detail"})) continue;
    Verdict verdict;
    verdict.at = item.at;
    const yaml::Node* when = item.find("when");
    if (when != nullptr) verdict.when = condition(*when, context);
    if (when == nullptr && with_detail)
      bundle_.error(item, Mistake::reject_without_condition, "a rule of reject needs `when`");
    const yaml::Node* code = item.find("code");
    const yaml::Node* detail = item.find("detail");
    if (code == nullptr || detail == nullptr) {
      bundle_.error(item, Mistake::missing_key, "`code` and `detail` say why");
      continue;
    }
    verdict.code = bundle_.literal(*code);
    verdict.detail = bundle_.literal(*detail);
    const bool kebab = !verdict.code.empty() &&
                       verdict.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
                           std::string::npos;
    if (!kebab) bundle_.error(*code, Mistake::reason_code, "a code is in kebab case");
    out.push_back(std::move(verdict));
  }
}

void MessageCompiler::events(const yaml::Node& node, const CommonRules& common,
                             const Context& context) {
  const yaml::Node* list = node.find("events");
  if (list == nullptr) {
    const bool always_skipped = std::any_of(out_.skips.begin(), out_.skips.end(),
                                            [](const Verdict& v) { return v.when < 0; });
    if (!always_skipped)
      bundle_.error(node, Mistake::message_without_events,
                    "a message has events, or is skipped without condition");
    return;
  }
  if (!bundle_.sequence(*list)) return;
  if (list->items.empty())
    bundle_.error(*list, Mistake::message_without_events, "there is no event");
  for (const yaml::Node& item : list->items) {
    if (!bundle_.mapping(item, {"name", "for_each", "let", "when", "reject", "skip", "set"}))
      continue;
    const std::size_t outer_lets = lets_.size();
    event(item, common, context);
    lets_.resize(outer_lets);
  }
  for (Expression& e : out_.expressions) {
    e.literal = e.kind == Expression::Kind::constant && e.type == Type::text && e.when < 0 &&
                e.calls.empty();
  }
  for (Group& group : out_.groups) {
    for (EventRule& rule : group.events) prepare(rule.output, group.loop != 0);
  }
}

void MessageCompiler::event(const yaml::Node& node, const CommonRules& common, Context context) {
  const auto shared = [&](std::string_view key) {
    return common.event == nullptr ? nullptr : common.event->find(key);
  };
  EventRule rule;
  rule.at = node.at;
  if (const yaml::Node* name = node.find("name")) rule.name = bundle_.word(*name);
  const yaml::Node* each =
      node.find("for_each") != nullptr ? node.find("for_each") : shared("for_each");
  if (each != nullptr) {
    rule.loop = loop(*each, context);
    if (rule.loop < 0) return;
    context = inside(context, rule.loop);
  }
  declare_lets(shared("let"), context);
  declare_lets(node.find("let"), context);
  if (const yaml::Node* when = node.find("when")) rule.when = condition(*when, context);
  for (const yaml::Node* list : {shared("reject"), node.find("reject")}) {
    verdicts(list, context, true, rule.rejects);
  }
  for (const yaml::Node* list : {shared("skip"), node.find("skip")}) {
    verdicts(list, context, false, rule.skips);
  }
  output(targets(shared("set"), node.find("set")), context, node.at, rule.output);
  if (out_.groups.empty() || out_.groups.back().loop != rule.loop) {
    out_.groups.push_back({rule.loop, {}});
  }
  out_.groups.back().events.push_back(std::move(rule));
}

std::optional<Path> MessageCompiler::path(const yaml::Node& node) {
  const std::string text = bundle_.word(node);
  if (text.empty()) return std::nullopt;
  Result<Path> path = bundle_.format->path(text, bundle_.prefixes);
  if (!path) {
    bundle_.place_error(node, path.error());
    return std::nullopt;
  }
  if (bundle_.plan.path_style == PathStyle::column && !is_column(text)) {
    bundle_.error(node, Mistake::undeclared_name, "there is no column or field \"" + text + "\"");
    return std::nullopt;
  }
  return std::move(path).value();
}

bool MessageCompiler::is_column(const std::string& name) {
  const auto field = bundle_.field_places.find(name);
  if (field != bundle_.field_places.end()) bundle_.use(field->second);
  const std::vector<std::string>& columns = bundle_.plan.csv.columns;
  return field != bundle_.field_places.end() ||
         std::find(columns.begin(), columns.end(), name) != columns.end();
}

// The place that a path names, seen from the innermost row of the context.
std::optional<MessageCompiler::Place> MessageCompiler::place(const yaml::Node& node,
                                                             const Context& context) {
  const std::optional<Path> found = path(node);
  if (!found) return std::nullopt;
  const bool filtered = std::any_of(found->steps.begin(), found->steps.end(),
                                    [](const PathStep& step) { return step.filter != nullptr; });
  if (filtered) {
    bundle_.error(node, Mistake::filter_place, "a filter may stand in the place of `from` only");
    return std::nullopt;
  }
  return follow(*found, context, node);
}

MessageCompiler::Place MessageCompiler::follow(const Path& path, const Context& context,
                                               const yaml::Node& node) {
  Place out;
  out.level = path.from_root ? 0 : context.depth - 1;
  out.loop = context.loops[static_cast<std::size_t>(out.level)];
  out.node = context.nodes[static_cast<std::size_t>(out.level)];
  out.path = path.shown;
  for (const PathStep& step : path.steps) {
    out.kind = step.kind;
    if (step.kind == PathStep::Kind::child || step.kind == PathStep::Kind::attribute) {
      out.node = edge(out.node, step, node);
    }
  }
  return out;
}

int MessageCompiler::edge(int node, const PathStep& step, const yaml::Node& where) {
  const auto edges_of = [&]() -> std::vector<TrieNode::Edge>& {
    TrieNode& from = out_.trie[static_cast<std::size_t>(node)];
    return step.kind == PathStep::Kind::attribute ? from.attributes : from.children;
  };
  for (const TrieNode::Edge& known : edges_of()) {
    if (known.name != step.name || (known.spaces & step.spaces) == 0) continue;
    if (known.spaces == step.spaces) return known.node;
    bundle_.error(where, Mistake::overlapping_namespaces,
                  "the namespaces of \"" + step.name + "\" overlap with those of another path");
    return known.node;
  }
  const int fresh = static_cast<int>(out_.trie.size());
  edges_of().push_back({step.spaces, step.name, fresh});
  out_.trie.emplace_back();
  return fresh;
}

SlotReference MessageCompiler::slot(const Place& place, bool text) {
  TrieNode& node = out_.trie[static_cast<std::size_t>(place.node)];
  std::vector<TrieNode::Target>& list = place.kind == PathStep::Kind::local_name ? node.local_names
                                        : place.kind == PathStep::Kind::space_name
                                            ? node.space_names
                                            : node.values;
  SlotReference out{place.level, -1, place.loop};
  for (const TrieNode::Target& known : list) {
    if (known.loop == place.loop && known.text == text) out.index = known.index;
  }
  if (out.index >= 0) return out;
  std::vector<std::string>& slots = out_.loops[static_cast<std::size_t>(place.loop)].slots;
  out.index = static_cast<int>(slots.size());
  slots.push_back(place.path);
  list.push_back({place.loop, out.index, text});
  node.wants_text = node.wants_text || (text && place.kind == PathStep::Kind::child);
  return out;
}

// The slot of a part of a coded value.
SlotReference MessageCompiler::part(const Place& place, const PathStep& step,
                                    const yaml::Node& where) {
  Place inner = place;
  inner.node = edge(place.node, step, where);
  inner.kind = step.kind;
  const std::string name = (step.kind == PathStep::Kind::attribute ? "@" : "") + step.name;
  inner.path = place.path.empty() ? name : place.path + "/" + name;
  return slot(inner, true);
}

// The loop over a path's elements; -1 after an error.
int MessageCompiler::loop(const yaml::Node& path, const Context& context) {
  const std::optional<Place> found = place(path, context);
  return found ? loop(*found, path, context) : -1;
}

int MessageCompiler::loop(const Place& place, const yaml::Node& path, const Context& context) {
  const bool item = bundle_.plan.path_style != PathStyle::pointer || place.path.ends_with('*');
  if (place.kind != PathStep::Kind::child || place.node == 0 || !item ||
      bundle_.plan.path_style == PathStyle::column) {
    bundle_.error(path, Mistake::repetition_place,
                  bundle_.plan.path_style == PathStyle::xpath
                      ? "only elements below the root can be repeated"
                  : bundle_.plan.path_style == PathStyle::pointer
                      ? "only the items of an array (`/*`) can be repeated"
                      : "nothing is repeated within a record");
    return -1;
  }
  if (context.depth >= Scope::kMost) {
    bundle_.error(path, Mistake::repetition_depth, "repetitions are nested too deeply");
    return -1;
  }
  TrieNode& node = out_.trie[static_cast<std::size_t>(place.node)];
  if (node.loop >= 0) {
    if (out_.loops[static_cast<std::size_t>(node.loop)].parent == place.loop) return node.loop;
    bundle_.error(path, Mistake::repetition_twice,
                  "another rule repeats these elements within other rows");
    return -1;
  }
  node.loop = static_cast<int>(out_.loops.size());
  out_.loops.push_back({place.loop, place.node, place.path, {}});
  return node.loop;
}

MessageCompiler::Context MessageCompiler::inside(const Context& context, int loop) const {
  Context inner = context;
  const auto at = static_cast<std::size_t>(inner.depth);
  inner.loops[at] = loop;
  inner.nodes[at] = out_.loops[static_cast<std::size_t>(loop)].node;
  ++inner.depth;
  return inner;
}

}  // namespace flora::adapter
