// The recording half of Evaluator: what it tells the recorder.
#include "adapters/engine/evaluator.h"

namespace flora::adapter {
namespace {

std::string kind_of(const Expression& e, const MessagePlan& rules) {
  using Kind = Expression::Kind;
  switch (e.kind) {
    case Kind::constant:
      return "const";
    case Kind::slot:
      return "from";
    case Kind::coded:
      return "code";
    case Kind::let:
      return "$" + rules.lets[static_cast<std::size_t>(e.number)].name;
    case Kind::position:
      return "$index";
    case Kind::concat:
      return "concat";
    case Kind::first:
      return "first";
    case Kind::exists:
      return "exists";
    case Kind::absent:
      return "absent";
    case Kind::equal:
      return "eq";
    case Kind::all:
      return "all";
    case Kind::any:
      return "any";
    case Kind::negate:
      return "not";
    case Kind::more_than:
      return "more_than";
    case Kind::pick:
      return "pick";
  }
  return {};
}

TraceStep::State state_of(const Value& value) {
  if (value.present()) return TraceStep::State::present;
  return value.failed() ? TraceStep::State::failed : TraceStep::State::absent;
}

}  // namespace

void Evaluator::record_item(std::string_view name, yaml::Position rule, const Scope& scope) {
  TraceItem item;
  item.name = name;
  item.rule = rule_place(rule);
  const TextPosition at =
      positions_.at(scope.rows[static_cast<std::size_t>(scope.depth - 1)]->begin);
  item.at = {at.line, at.column, {}};
  append_path(nullptr, scope, item.at.path);
  recorder_->begin_item(std::move(item));
}

Value Evaluator::evaluate_recorded(const Expression& e, const Scope& scope) {
  recorder_->open();
  const Value value = evaluate_unrecorded(e, scope);
  recorder_->close(step_of(e, scope, value));
  return value;
}

TraceStep Evaluator::step_of(const Expression& e, const Scope& scope, const Value& value) {
  TraceStep step;
  step.kind = kind_of(e, *rules_);
  step.rule = rule_place(e.at);
  step.state = state_of(value);
  if (value.present()) step.result = value.text;
  using Kind = Expression::Kind;
  const bool placed = e.kind == Kind::slot || e.kind == Kind::exists || e.kind == Kind::absent;
  if (placed) step.places.push_back(record_place(e.slot, scope));
  if (placed && e.kind != Kind::slot) step.places.back().text.reset();  // Its text is not read.
  if (e.kind == Kind::coded) {
    for (const SlotReference& part : {e.code, e.list, e.version}) {
      step.places.push_back(record_place(part, scope));
    }
  }
  return step;
}

TracePlace Evaluator::record_place(const SlotReference& place, const Scope& scope) {
  TracePlace out;
  append_path(&place, scope, out.at.path);
  const Slot& found = slot(place, scope);
  if (found.state == Slot::State::absent) return out;
  const TextPosition at = positions_.at(found.offset);
  out.at.line = at.line;
  out.at.column = at.column;
  if (found.state == Slot::State::present) out.text = found.text;
  return out;
}

}  // namespace flora::adapter
