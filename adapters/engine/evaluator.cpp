#include "adapters/engine/evaluator.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "adapters/engine/function_kinds.h"
#include "gateway/base/json.h"

namespace flora::adapter {
namespace {

void append_number(std::string& out, std::size_t number) {
  char text[20];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  out.append(text, end);
}

Value failed() {
  Value value;
  value.state = Value::State::failed;
  return value;
}

Value present(std::string_view text, const SlotReference* place = nullptr) {
  Value value;
  value.state = Value::State::present;
  value.text = text;
  value.place = place;
  return value;
}

Value truth(bool is_so) { return present(is_so ? "true" : "false"); }

bool same(const Issue& a, const Issue& b) {
  return a.code == b.code && a.rule == b.rule && a.at.line == b.at.line &&
         a.at.column == b.at.column;
}

std::string_view problem_of(Slot::State state) {
  switch (state) {
    case Slot::State::repeated:
      return "value-repeated";
    case Slot::State::structured:
      return "value-structured";
    default:
      return "value-too-long";
  }
}

std::string_view sentence_of(Slot::State state) {
  switch (state) {
    case Slot::State::repeated:
      return "This place may occur once only.";
    case Slot::State::structured:
      return "A text is expected here, not elements.";
    default:
      return "The value is too long.";
  }
}

TraceItem::Outcome outcome_of(Item::Outcome outcome) {
  switch (outcome) {
    case Item::Outcome::event:
      return TraceItem::Outcome::event;
    case Item::Outcome::rejected:
      return TraceItem::Outcome::rejected;
    case Item::Outcome::skipped:
      return TraceItem::Outcome::skipped;
  }
  return TraceItem::Outcome::none;
}

}  // namespace

std::string rule_at(yaml::Position at) {
  return "adapter.yaml:" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

void Evaluator::begin(const Plan& plan, const Walk& walk, std::string_view message,
                      const TextOrigin& origin, Recorder* recorder) {
  recorder_ = recorder;
  plan_ = &plan;
  walk_ = &walk;
  rules_ = walk.message_plan();
  expressions_ = rules_->expressions.data();
  message_ = message;
  positions_.reset(message, origin);
  message_texts_.clear();
  row_texts_.clear();
  texts_ = &message_texts_;
  joined_.clear();
  lets_.assign(rules_->lets.size(), {});
  kept_.assign(rules_->kept_nodes, std::nullopt);
  stamp_ = 0;
  stamps_.fill(0);
  stamps_[0] = ++stamp_;
  issues_.clear();
  rejection_.clear();
  visits_ = 0;
  number_in_row_ = 0;
  exhausted_ = false;
  skipped_ = done_ = any_item_ = any_of_row_ = false;
  group_ = row_ = rule_ = 0;
  message_verdicts(message_scope());
  texts_ = &row_texts_;
}

Scope Evaluator::message_scope() const {
  Scope scope;
  scope.rows[0] = &walk_->rows(0).front();
  return scope;
}

// Where the value of an expression would stand, if that is one place of the message itself.
const SlotReference* Evaluator::place_of(const Expression& e) const {
  if (e.kind == Expression::Kind::let) {
    const Let& let = rules_->lets[static_cast<std::size_t>(e.number)];
    return place_of(rules_->expressions[static_cast<std::size_t>(let.expression)]);
  }
  return e.kind == Expression::Kind::slot && e.slot.level == 0 ? &e.slot : nullptr;
}

// What concerns the message as a whole; issues_ then holds the reasons of a skip.
void Evaluator::message_verdicts(const Scope& scope) {
  if (recorder_ != nullptr) {
    record_item(plan_->path_style == PathStyle::column ? "record" : "message", rules_->at, scope);
  }
  for (const int required : rules_->required) {
    const Expression& e = rules_->expressions[static_cast<std::size_t>(required)];
    if (recorder_ != nullptr) recorder_->begin_member("require", e.at);
    const Value value = evaluate(required, scope);
    if (value.state != Value::State::absent) continue;
    report("value-missing", "A value that every message needs is missing.", e.at, place_of(e),
           scope);
  }
  judge(rules_->rejects, scope);
  if (issues_.empty()) skipped_ = judge(rules_->skips, scope);
  if (!skipped_ && !issues_.empty()) std::swap(rejection_, issues_);
  if (recorder_ != nullptr && !rejection_.empty()) {
    recorder_->end_item(TraceItem::Outcome::rejected, rejection_, {});
  }
}

bool Evaluator::next(Item& item) {
  const bool made = next_unbounded(item);
  if (!exhausted_) return made;
  // Rows within each of many rows: what was made of the last one is not whole.
  rejection_ = {{"too-many-items",
                 "The rules look at rows of the message more often than the adapter may.",
                 {},
                 rule_at(rules_->at)}};
  return false;
}

bool Evaluator::next_unbounded(Item& item) {
  const Scope scope = message_scope();
  if (done_ || !rejection_.empty()) return false;
  if (skipped_) {
    done_ = true;
    finish(Item::Outcome::skipped, scope, item);
    return true;
  }
  for (; group_ < rules_->groups.size(); ++group_, row_ = 0) {
    const Group& group = rules_->groups[group_];
    const std::vector<Row>& rows = walk_->rows(group.loop);
    for (; row_ < rows.size(); ++row_) {
      if (group.loop == 0) {
        if (next_of_row(group, scope, item)) return true;
      } else {
        if (rule_ == 0) begin_row();
        if (next_of_row(group, scope.with(group.loop, rows[row_], row_), item)) return true;
      }
      rule_ = 0;
      any_of_row_ = false;
    }
  }
  done_ = true;
  if (any_item_) return false;
  without_event(scope, item);
  if (rules_->skip_without_event) return true;
  rejection_ = item.issues;
  return false;
}

// What was made of the row before is no longer looked at.
void Evaluator::begin_row() {
  stamps_[1] = ++stamp_;
  row_texts_.clear();
}

// The next item of the row at hand: what its rules make, or that none made any.
bool Evaluator::next_of_row(const Group& group, const Scope& scope, Item& item) {
  while (rule_ < group.events.size()) {
    if (!run_event(group.events[rule_++], scope, item)) continue;
    any_item_ = any_of_row_ = true;
    return true;
  }
  if (any_of_row_ || group.loop == 0) return false;
  any_item_ = any_of_row_ = true;
  without_event(scope, item);
  return true;
}

bool Evaluator::run_event(const EventRule& rule, const Scope& scope, Item& item) {
  issues_.clear();
  bool skipped = false;
  if (recorder_ != nullptr) record_item(rule.name.empty() ? "event" : rule.name, rule.at, scope);
  if (rule.when >= 0) {
    if (recorder_ != nullptr) recorder_->begin_member("when", rule.at);
    const Value when = evaluate(rule.when, scope);
    if (!when.failed() && !when.is_true()) return false;
  }
  item.event.clear();
  if (issues_.empty()) judge(rule.rejects, scope);
  if (issues_.empty()) skipped = judge(rule.skips, scope);
  if (issues_.empty()) write_event(rule, scope, item);
  const Item::Outcome failure = skipped ? Item::Outcome::skipped : Item::Outcome::rejected;
  finish(issues_.empty() ? Item::Outcome::event : failure, scope, item);
  return true;
}

// Hands over what was found: the item's event, or the issues.
void Evaluator::finish(Item::Outcome outcome, const Scope& scope, Item& item) {
  item.outcome = outcome;
  item.native_record = message_;
  const Row& row = *scope.rows[static_cast<std::size_t>(scope.depth - 1)];
  const std::size_t place = row.begin - scope.rows[0]->begin;
  number_in_row_ = any_item_ && place == place_ ? number_in_row_ + 1 : 0;
  place_ = place;
  item.native_row = place;
  item.native_number = (group_ << 16) + number_in_row_;
  item.issues.clear();
  std::swap(item.issues, issues_);
  if (outcome != Item::Outcome::event) item.event.clear();
  const TextPosition at = positions_.at(row.begin);
  item.at.line = at.line;
  item.at.column = at.column;
  item.at.path.clear();
  append_path(nullptr, scope, item.at.path);
  if (recorder_ != nullptr) recorder_->end_item(outcome_of(outcome), item.issues, item.event);
}

void Evaluator::write_event(const EventRule& rule, const Scope& scope, Item& item) {
  times_ = 0;
  item.event.reserve(512);
  write(rule.output, scope, item.event);
  if (!issues_.empty() || times_ == 1) return;
  report(times_ == 0 ? "time-missing" : "time-ambiguous",
         "An event has exactly one of occurredAt and occurredOn.", rule.at, nullptr, scope);
}

// Adds the reasons of the verdicts that apply. False if none does, or if one cannot be told.
bool Evaluator::judge(const std::vector<Verdict>& verdicts, const Scope& scope) {
  bool applied = false;
  for (const Verdict& verdict : verdicts) {
    if (recorder_ != nullptr) recorder_->begin_member(verdict.code, verdict.at);
    const Value when = verdict.when < 0 ? Value{} : evaluate(verdict.when, scope);
    if (when.failed()) return false;
    if (verdict.when >= 0 && !when.is_true()) continue;
    report(verdict.code, verdict.detail, verdict.at, nullptr, scope);
    applied = true;
  }
  return applied;
}

void Evaluator::without_event(const Scope& scope, Item& item) {
  issues_.clear();
  if (recorder_ != nullptr) record_item("on_no_event", rules_->at, scope);
  report("no-event", "No rule makes an event of this.", rules_->at, nullptr, scope);
  finish(rules_->skip_without_event ? Item::Outcome::skipped : Item::Outcome::rejected, scope,
         item);
}

void Evaluator::report(std::string_view code, std::string_view detail, yaml::Position rule,
                       const SlotReference* place, const Scope& scope) {
  ++reports_;
  if (issues_.size() == kMostIssues) return;
  Issue issue;
  issue.code = code;
  issue.detail = detail;
  issue.rule = rule_at(rule);
  const std::size_t level =
      static_cast<std::size_t>(place != nullptr ? place->level : scope.depth - 1);
  std::size_t offset = scope.rows[level]->begin;
  if (place != nullptr && slot(*place, scope).state != Slot::State::absent) {
    offset = slot(*place, scope).offset;
  }
  const TextPosition at = positions_.at(offset);
  issue.at.line = at.line;
  issue.at.column = at.column;
  append_path(place, scope, issue.at.path);
  if (recorder_ != nullptr) recorder_->issue(issue);
  const bool known = std::any_of(issues_.begin(), issues_.end(),
                                 [&](const Issue& other) { return same(issue, other); });
  if (!known) issues_.push_back(std::move(issue));
}

// As the format names places: `/*/a:person[2]/@id`, `/persons/1/id`, or the name of a column.
void Evaluator::append_path(const SlotReference* place, const Scope& scope,
                            std::string& out) const {
  const PathStyle style = plan_->path_style;
  if (style == PathStyle::xpath) out += "/*";
  const int levels = place != nullptr ? place->level + 1 : scope.depth;
  for (int i = 1; i < levels; ++i) {
    const auto level = static_cast<std::size_t>(i);
    const Loop& loop = rules_->loops[static_cast<std::size_t>(scope.loops[level])];
    const std::size_t number = scope.numbers[level] - first_of_parent(scope, level);
    out += '/';
    if (style == PathStyle::pointer) {
      out.append(loop.path, 0, loop.path.size() - 1);  // It ends in the `*` of its array.
      append_number(out, number);
    } else {
      out += loop.path;
      out += '[';
      append_number(out, number + 1);
      out += ']';
    }
  }
  if (place == nullptr) return;
  const Loop& loop = rules_->loops[static_cast<std::size_t>(place->loop)];
  const std::string& rest = loop.slots[static_cast<std::size_t>(place->index)];
  if (!rest.empty() && style != PathStyle::column) out += '/';
  out += rest;
}

// The number of the first row with the same parent, in the loop at a level of the scope.
std::size_t Evaluator::first_of_parent(const Scope& scope, std::size_t level) const {
  const std::vector<Row>& rows = walk_->rows(scope.loops[level]);
  const auto first =
      std::lower_bound(rows.begin(), rows.end(), scope.rows[level]->parent,
                       [](const Row& row, std::size_t parent) { return row.parent < parent; });
  return static_cast<std::size_t>(first - rows.begin());
}

const Slot& Evaluator::slot(const SlotReference& reference, const Scope& scope) const {
  return walk_->slot(*scope.rows[static_cast<std::size_t>(reference.level)], reference.index);
}

std::size_t Evaluator::rows_of(int loop, const Scope& scope, std::size_t& first) {
  const std::vector<Row>& rows = walk_->rows(loop);
  const int parent_loop = rules_->loops[static_cast<std::size_t>(loop)].parent;
  std::size_t parent = 0;
  for (int i = 0; i < scope.depth; ++i) {
    if (scope.loops[static_cast<std::size_t>(i)] == parent_loop)
      parent = scope.numbers[static_cast<std::size_t>(i)];
  }
  const auto begin = std::lower_bound(rows.begin(), rows.end(), parent,
                                      [](const Row& row, std::size_t p) { return row.parent < p; });
  const auto end = std::upper_bound(begin, rows.end(), parent,
                                    [](std::size_t p, const Row& row) { return p < row.parent; });
  first = static_cast<std::size_t>(begin - rows.begin());
  const auto count = static_cast<std::size_t>(end - begin);
  visits_ += count;
  if (visits_ > kMostVisits * plan_->limits.items) exhausted_ = true;
  return exhausted_ ? 0 : count;
}

Value Evaluator::fail(const Expression& e, const Scope& scope, const SlotReference* place,
                      std::string_view code, std::string_view detail) {
  report(code, detail, e.at, place, scope);
  return failed();
}

Value Evaluator::evaluate(int expression, const Scope& scope) {
  const Expression& e = expressions_[expression];
  if (recorder_ != nullptr) return evaluate_recorded(e, scope);
  return e.literal ? present(e.text) : evaluate_unrecorded(e, scope);
}

Value Evaluator::evaluate_unrecorded(const Expression& e, const Scope& scope) {
  return e.when < 0 ? evaluate_always(e, scope) : evaluate_when(e, scope);
}

Value Evaluator::evaluate_when(const Expression& e, const Scope& scope) {
  const Value when = evaluate(e.when, scope);
  if (when.failed()) return failed();
  return when.is_true() ? evaluate_always(e, scope) : Value{};
}

Value Evaluator::evaluate_always(const Expression& e, const Scope& scope) {
  const std::size_t issues_before = issues_.size();
  const std::size_t reports_before = reports_;
  Value value = evaluate_bare(e, scope);
  if (value.present() && !e.calls.empty()) call_functions(e, scope, value);
  if (value.present() && e.kind == Expression::Kind::slot && value.text.empty()) {
    value = fail(e, scope, &e.slot, "value-malformed", "The value is empty.");
  }
  if (value.failed() && e.malformed_is_absent) {
    issues_.resize(issues_before);
    reports_ = reports_before;
    value = {};
  }
  if (value.state == Value::State::absent && e.required) {
    const bool placed = e.kind == Expression::Kind::slot || e.kind == Expression::Kind::coded;
    value =
        fail(e, scope, placed ? &e.slot : nullptr, "value-missing", "A required value is missing.");
  }
  if (value.present() && value.type != Type::code) value.type = e.type;
  return value;
}

Value Evaluator::evaluate_bare(const Expression& e, const Scope& scope) {
  using Kind = Expression::Kind;
  switch (e.kind) {
    case Kind::constant:
      return present(e.text);
    case Kind::slot:
      return evaluate_slot(e, scope);
    case Kind::coded:
      return evaluate_coded(e, scope);
    case Kind::let:
      return evaluate_let(e, scope);
    case Kind::position:
      return evaluate_position(e, scope);
    case Kind::concat:
      return evaluate_concat(e, scope);
    case Kind::first:
      return evaluate_first(e, scope);
    case Kind::exists:
      return truth(slot(e.slot, scope).state != Slot::State::absent);
    case Kind::absent:
      return truth(slot(e.slot, scope).state == Slot::State::absent);
    case Kind::equal:
      return evaluate_equal(e, scope);
    case Kind::all:
    case Kind::any:
    case Kind::negate:
      return evaluate_logic(e, scope);
    case Kind::more_than:
      return evaluate_more_than(e, scope);
    case Kind::pick:
      return evaluate_pick(e, scope);
  }
  return {};
}

Value Evaluator::evaluate_position(const Expression& e, const Scope& scope) {
  const std::size_t number = scope.numbers[static_cast<std::size_t>(e.level)] + 1;
  return present(texts_->store(std::to_string(number)));
}

Value Evaluator::evaluate_slot(const Expression& e, const Scope& scope) {
  const Slot& found = slot(e.slot, scope);
  if (found.state == Slot::State::absent) return {};
  if (found.state != Slot::State::present) {
    return fail(e, scope, &e.slot, problem_of(found.state), sentence_of(found.state));
  }
  return present(in_normal_form(found.text), &e.slot);
}

// All texts are compared, mapped and written in one form (DIN 91379: NFC).
std::string_view Evaluator::in_normal_form(std::string_view text) {
  if (is_plain_ascii(text) || texts::nfc({}, text, scratch_) != Trouble::none) return text;
  return scratch_.holds(text) ? texts_->store(text) : text;
}

// Which version of a list the message means, by the rules of XÖV code data types.
const CodeList::Version* Evaluator::version_of(const Expression& e, const Scope& scope,
                                               const CodeList& list) {
  const Slot& uri = slot(e.list, scope);
  if (uri.state == Slot::State::absent ? list.kind == 4 : trimmed(uri.text) != list.uri) {
    fail(e, scope, &e.list, "code-list-mismatch",
         "The code names no list, or another than the one that belongs here.");
    return nullptr;
  }
  const Slot& version = slot(e.version, scope);
  if (version.state == Slot::State::absent) {
    if (list.kind == 1) return &list.versions.front();
    fail(e, scope, &e.slot, "code-version-missing",
         "The code does not name the version of its list.");
    return nullptr;
  }
  for (const CodeList::Version& known : list.versions) {
    if (known.name == trimmed(version.text)) return &known;
  }
  fail(e, scope, &e.version, "code-version-unknown",
       "The code names a version of its list that the adapter does not know.");
  return nullptr;
}

Value Evaluator::evaluate_coded(const Expression& e, const Scope& scope) {
  const Slot& element = slot(e.slot, scope);
  if (element.state == Slot::State::absent) return {};
  if (element.state != Slot::State::present) {
    return fail(e, scope, &e.slot, problem_of(element.state), sentence_of(element.state));
  }
  const Slot& code = slot(e.code, scope);
  if (code.state != Slot::State::present) {
    return fail(e, scope, &e.slot, "code-missing", "A coded value has exactly one code.");
  }
  const CodeList& list = plan_->lists[static_cast<std::size_t>(e.code_list)];
  const CodeList::Version* version = version_of(e, scope, list);
  if (version == nullptr) return failed();
  Value value = present(trimmed(code.text), &e.code);
  const bool known =
      version->pattern != nullptr
          ? re2::RE2::FullMatch(re2::StringPiece(value.text.data(), value.text.size()),
                                *version->pattern)
          : std::binary_search(version->codes.begin(), version->codes.end(), value.text);
  if (!known) {
    return fail(e, scope, &e.code, "code-unknown",
                "The code `" + shape(value.text) + "` is not in this version of its list.");
  }
  value.type = Type::code;
  value.code_list = &list;
  value.version = version;
  return value;
}

Value Evaluator::evaluate_let(const Expression& e, const Scope& scope) {
  const auto number = static_cast<std::size_t>(e.number);
  const Let& let = rules_->lets[number];
  const std::size_t stamp = stamps_[static_cast<std::size_t>(let.level)];
  const bool again = recorder_ != nullptr && !recorder_->is_full();
  if (lets_[number].stamp == stamp && !again) return lets_[number].value;
  // Seen from where it was declared: an inner row is not there yet.
  Scope own = scope;
  own.depth = let.level + 1;
  Arena* const before = std::exchange(texts_, let.level == 0 ? &message_texts_ : &row_texts_);
  const Value value = evaluate(let.expression, own);
  texts_ = before;
  if (!value.failed()) lets_[number] = {stamp, value};
  return value;
}

Value Evaluator::evaluate_concat(const Expression& e, const Scope& scope) {
  // Concatenations nest: each uses the end of joined_, and takes its parts away again.
  const std::size_t before = joined_.size();
  Value value;
  value.state = Value::State::present;
  for (const int operand : e.operands) {
    const Value part = evaluate(operand, scope);
    if (!part.present()) {
      value = part;
      break;
    }
    joined_ += part.text;
  }
  if (value.present()) value.text = texts_->store(std::string_view(joined_).substr(before));
  joined_.resize(before);
  return value;
}

Value Evaluator::evaluate_first(const Expression& e, const Scope& scope) {
  for (const int operand : e.operands) {
    Value value = evaluate(operand, scope);
    if (value.state != Value::State::absent) return value;
  }
  return {};
}

Value Evaluator::evaluate_equal(const Expression& e, const Scope& scope) {
  const Value left = evaluate(e.operands.front(), scope);
  if (left.failed()) return failed();
  bool result = false;
  for (std::size_t i = 1; i < e.operands.size() && left.present() && !result; ++i) {
    const Expression& operand = expressions_[e.operands[i]];
    if (operand.literal && recorder_ == nullptr) {  // Most are.
      result = operand.text == left.text;
      continue;
    }
    const Value right = evaluate(e.operands[i], scope);
    if (right.failed()) return failed();
    result = right.present() && right.text == left.text;
  }
  return truth(result);
}

Value Evaluator::evaluate_logic(const Expression& e, const Scope& scope) {
  bool result = e.kind == Expression::Kind::all;
  for (const int operand : e.operands) {
    const Value value = evaluate(operand, scope);
    if (value.failed()) return failed();
    if (e.kind == Expression::Kind::negate) result = !value.is_true();
    if (e.kind == Expression::Kind::all && !value.is_true()) result = false;
    if (e.kind == Expression::Kind::any && value.is_true()) result = true;
    if (e.kind != Expression::Kind::negate && result != (e.kind == Expression::Kind::all)) break;
  }
  return truth(result);
}

Value Evaluator::evaluate_more_than(const Expression& e, const Scope& scope) {
  std::size_t first = 0;
  const std::size_t count = rows_of(e.loop, scope, first);
  int found = 0;
  for (std::size_t i = first; i < first + count && found <= e.number; ++i) {
    if (e.operands.empty()) {
      ++found;
      continue;
    }
    const Value where = evaluate(e.operands.front(), scope.with(e.loop, walk_->rows(e.loop)[i], i));
    if (where.failed()) return failed();
    found += where.is_true();
  }
  return truth(found > e.number);
}

Value Evaluator::evaluate_pick(const Expression& e, const Scope& scope) {
  std::size_t first = 0;
  const std::size_t count = rows_of(e.loop, scope, first);
  for (std::size_t i = first; i < first + count; ++i) {
    const Scope inner = scope.with(e.loop, walk_->rows(e.loop)[i], i);
    const Value where = evaluate(e.operands[0], inner);
    if (where.failed()) return failed();
    if (where.is_true()) return evaluate(e.operands[1], inner);
  }
  return {};
}

// Replaces a present value by what the functions of the expression make of it.
void Evaluator::call_functions(const Expression& e, const Scope& scope, Value& value) {
  std::string_view text = value.text;
  for (const Call& call : e.calls) {
    Day day;
    if (call.day >= 0) {
      if (scratch_.holds(text)) text = texts_->store(text);  // The day's own functions write there.
      const std::optional<Day> found = day_of(call, e, scope, value.place);
      if (!found) {
        value = failed();
        return;
      }
      day = *found;
    }
    const std::string_view before = text;
    if (recorder_ != nullptr) recorder_->calling(call, text);
    const Trouble trouble = call.function == Function::map
                                ? look_up(plan_->maps[call.number], day, text)
                                : apply(call, text, scratch_);
    if (trouble != Trouble::none) {
      value = trouble == Trouble::absent ? Value{}
                                         : refuse(trouble, call, e, scope, value.place, before);
      return;
    }
    if (recorder_ != nullptr) recorder_->gave(text);
  }
  value.text = scratch_.holds(text) ? texts_->store(text) : text;
  value.type = e.type;
}

// The day on which an entry of a code list must be valid; nothing, with an issue, without one.
std::optional<Day> Evaluator::day_of(const Call& call, const Expression& e, const Scope& scope,
                                     const SlotReference* place) {
  const Value day = evaluate(call.day, scope);
  if (day.present()) return parse_day(day.text);
  if (!day.failed()) {
    fail(e, scope, place, "value-missing", "The day on which the code must be valid is missing.");
  }
  return std::nullopt;
}

Value Evaluator::refuse(Trouble trouble, const Call& call, const Expression& e, const Scope& scope,
                        const SlotReference* place, std::string_view text) {
  const std::string begin = "The value `" + shape(text) + "` is ";
  if (trouble == Trouble::unmapped) {
    return fail(e, scope, place, "value-unmapped", begin + "not in the code list of the adapter.");
  }
  if (trouble == Trouble::invalid_then) {
    return fail(e, scope, place, "value-unmapped",
                begin + "in the code list of the adapter, but not valid on that day.");
  }
  if (trimmed(text).empty()) {
    return fail(e, scope, place, "value-malformed", "The value is empty.");
  }
  return fail(e, scope, place, "value-malformed",
              begin + std::string(signature(call.function).refusal) + ".");
}

}  // namespace flora::adapter
