// The part of MessageCompiler that holds closed lists closed: a status, a role, a Land or a word of
// the details comes from a constant or from a code list, never from the text of a message.
#include <algorithm>

#include "adapters/engine/message_compiler.h"
#include "gateway/model/catalogue.h"
#include "gateway/model/transaction.h"

namespace flora::adapter {

// What the last thing is that makes the value: a function other than `map` makes it open.
void MessageCompiler::collect_words(int expression, Words& out) {
  const Expression& e = at(expression);
  if (!e.calls.empty()) {
    const Call& last = e.calls.back();
    if (last.function != Function::map) {
      out.open = true;
      return;
    }
    const std::vector<Map>& maps = bundle_.plan.maps;
    if (last.number >= maps.size()) return;  // Its name is wrong, which is told already.
    out.only_statuses = out.only_statuses && maps[last.number].to_status;
    for (const Map::Row& row : maps[last.number].rows) out.mapped.insert(row.target);
    return;
  }
  switch (e.kind) {
    case Expression::Kind::constant:
      out.constants.insert(e.text);
      break;
    case Expression::Kind::let:
      collect_words(out_.lets[static_cast<std::size_t>(e.number)].expression, out);
      break;
    case Expression::Kind::first:
      for (const int operand : e.operands) collect_words(operand, out);
      break;
    case Expression::Kind::pick:
      collect_words(e.operands.back(), out);
      break;
    default:
      out.open = true;
  }
}

void MessageCompiler::check_words(const std::string& target, const yaml::Node& node,
                                  int expression) {
  const bool status = target == "status";
  const auto belongs = [&](const std::string& word) {
    if (target == "regime") return word == "ALT" || word == "GEAS";
    if (target == "reporter.role") return parse_role(word).has_value();
    if (target == "reporter.land") return is_land(word);
    return bundle_.types == nullptr ||
           std::any_of(bundle_.types->statuses.begin(), bundle_.types->statuses.end(),
                       [&](const auto& known) { return known.name == word; });
  };
  if (!status && target != "regime" && target != "reporter.role" && target != "reporter.land") {
    return;
  }
  Words given;
  collect_words(expression, given);
  if (given.open || (status && !given.only_statuses)) {
    bundle_.error(
        node, Mistake::open_word,
        target + " takes a constant or the result of a map" + (status ? " to status" : ""));
    return;
  }
  if (!status) given.constants.merge(given.mapped);
  for (const std::string& word : given.constants) {
    if (belongs(word)) continue;
    bundle_.error(node, Mistake::unknown_value, "\"" + word + "\" is no " + target);
  }
}

void MessageCompiler::check_detail_words(const OutputNode& node,
                                         const CanonicalTypes::Detail& detail) {
  Words given;
  collect_words(node.expression, given);
  if (given.open) {
    bundle_.errors.error(node.at, Mistake::open_word,
                         node.name + " takes a constant or the result of a map");
  }
  given.constants.merge(given.mapped);
  for (const std::string& word : given.constants) {
    if (std::find(detail.words.begin(), detail.words.end(), word) != detail.words.end()) continue;
    bundle_.errors.error(node.at, Mistake::unknown_value, "\"" + word + "\" is no " + node.name);
  }
}

std::vector<const CanonicalTypes::Status*> MessageCompiler::statuses_of(const OutputNode& event) {
  std::vector<const CanonicalTypes::Status*> out;
  const auto status = std::find_if(event.children.begin(), event.children.end(),
                                   [](const OutputNode& child) { return child.name == "status"; });
  if (bundle_.types == nullptr || status == event.children.end() || status->expression < 0) {
    return out;
  }
  Words given;
  collect_words(status->expression, given);
  given.constants.merge(given.mapped);
  for (const CanonicalTypes::Status& known : bundle_.types->statuses) {
    if (given.constants.contains(known.name)) out.push_back(&known);
  }
  return out;
}

}  // namespace flora::adapter
