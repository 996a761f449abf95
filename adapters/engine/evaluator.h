// Evaluates the rules of one message over the rows of a walk, and writes events as JSON text.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/arena.h"
#include "adapters/engine/functions.h"
#include "adapters/engine/plan.h"
#include "adapters/engine/recorder.h"
#include "adapters/engine/walk.h"
#include "adapters/formats/text_position.h"

namespace flora::adapter {

/// The rows that an expression may look at, from the message inwards.
struct Scope {
  static constexpr int kMost = 4;
  std::array<const Row*, kMost> rows{};
  std::array<std::size_t, kMost> numbers{};  ///< Of each row in its loop, from 0.
  std::array<int, kMost> loops{};
  int depth = 1;

  Scope with(int loop, const Row& row, std::size_t number) const {
    Scope inner = *this;
    const auto at = static_cast<std::size_t>(depth);
    inner.rows[at] = &row;
    inner.numbers[at] = number;
    inner.loops[at] = loop;
    ++inner.depth;
    return inner;
  }
};

struct Value {
  enum class State : std::uint8_t { absent, present, failed };
  std::string_view text;
  const SlotReference* place = nullptr;  ///< Where it came from, if from one place.
  const CodeList* code_list = nullptr;   ///< Type::code.
  const CodeList::Version* version = nullptr;
  State state = State::absent;
  Type type = Type::text;

  bool present() const { return state == State::present; }
  bool failed() const { return state == State::failed; }
  bool is_true() const { return present() && text == "true"; }
};

/// "adapter.yaml:line:column".
std::string rule_at(yaml::Position at);

/// Reused from message to message; after warm-up it allocates nothing for an event. Not
/// thread-safe.
class Evaluator {
 public:
  /// All must outlive the evaluation. The message plan is the walk's; `message` is a document, or
  /// one record, which begins at `origin` of its file. A recorder is told how each value comes
  /// about.
  void begin(const Plan& plan, const Walk& walk, std::string_view message,
             const TextOrigin& origin = {}, Recorder* recorder = nullptr);

  /// Makes the next item but for its number; false at the end, or if the message is rejected.
  bool next(Item& item);

  /// Why the message is rejected as a whole, once next() returned false.
  std::vector<Issue>& rejection() { return rejection_; }

 private:
  struct CachedLet {
    std::size_t stamp = 0;
    Value value;
  };

  // A row may be looked at so many times the items of a message.
  static constexpr std::size_t kMostVisits = 32;
  static constexpr std::size_t kMostIssues = 64;  // Of one item: nobody reads more.

  bool next_unbounded(Item& item);
  Scope message_scope() const;
  const SlotReference* place_of(const Expression& e) const;
  void message_verdicts(const Scope& scope);
  void begin_row();
  bool next_of_row(const Group& group, const Scope& scope, Item& item);
  bool run_event(const EventRule& rule, const Scope& scope, Item& item);
  void write_event(const EventRule& rule, const Scope& scope, Item& item);
  bool judge(const std::vector<Verdict>& verdicts, const Scope& scope);
  void without_event(const Scope& scope, Item& item);
  void finish(Item::Outcome outcome, const Scope& scope, Item& item);
  void report(std::string_view code, std::string_view detail, yaml::Position rule,
              const SlotReference* place, const Scope& scope);

  Value evaluate(int expression, const Scope& scope);
  Value evaluate_unrecorded(const Expression& e, const Scope& scope);
  Value evaluate_when(const Expression& e, const Scope& scope);
  Value evaluate_always(const Expression& e, const Scope& scope);
  Value evaluate_bare(const Expression& e, const Scope& scope);
  Value evaluate_position(const Expression& e, const Scope& scope);
  Value evaluate_slot(const Expression& e, const Scope& scope);
  std::string_view in_normal_form(std::string_view text);
  Value evaluate_coded(const Expression& e, const Scope& scope);
  Value evaluate_let(const Expression& e, const Scope& scope);
  Value evaluate_concat(const Expression& e, const Scope& scope);
  Value evaluate_first(const Expression& e, const Scope& scope);
  Value evaluate_equal(const Expression& e, const Scope& scope);
  Value evaluate_logic(const Expression& e, const Scope& scope);
  Value evaluate_more_than(const Expression& e, const Scope& scope);
  Value evaluate_pick(const Expression& e, const Scope& scope);
  void call_functions(const Expression& e, const Scope& scope, Value& value);
  std::optional<Day> day_of(const Call& call, const Expression& e, const Scope& scope,
                            const SlotReference* place);
  Value refuse(Trouble trouble, const Call& call, const Expression& e, const Scope& scope,
               const SlotReference* place, std::string_view text);
  const CodeList::Version* version_of(const Expression& e, const Scope& scope,
                                      const CodeList& list);
  Value fail(const Expression& e, const Scope& scope, const SlotReference* place,
             std::string_view code, std::string_view detail);

  // record.cpp; only with a recorder.
  void record_item(std::string_view name, yaml::Position rule, const Scope& scope);
  Value evaluate_recorded(const Expression& e, const Scope& scope);
  TraceStep step_of(const Expression& e, const Scope& scope, const Value& value);
  TracePlace record_place(const SlotReference& place, const Scope& scope);

  const Slot& slot(const SlotReference& reference, const Scope& scope) const;
  void append_path(const SlotReference* place, const Scope& scope, std::string& out) const;
  std::size_t first_of_parent(const Scope& scope, std::size_t level) const;
  std::size_t rows_of(int loop, const Scope& scope, std::size_t& first);

  bool write(const OutputNode& node, const Scope& scope, std::string& out);
  bool write_kept(const OutputNode& node, const Scope& scope, std::string& out);
  bool write_node(const OutputNode& node, const Scope& scope, std::string& out);
  bool write_members(const OutputNode& node, const Scope& scope, std::string& out);
  bool write_leaf(const OutputNode& node, const Scope& scope, std::string& out);
  bool write_rows(const OutputNode& node, const Scope& scope, std::string& out);

  const Plan* plan_ = nullptr;
  const MessagePlan* rules_ = nullptr;
  const Expression* expressions_ = nullptr;  // Of rules_: the plan's own numbers need no check.
  const Walk* walk_ = nullptr;
  std::string_view message_;
  Recorder* recorder_ = nullptr;
  PositionIndex positions_;
  Arena message_texts_;
  Arena row_texts_;
  Arena* texts_ = nullptr;  // Where the expression at hand keeps its texts.
  Scratch scratch_;
  std::vector<CachedLet> lets_;
  std::vector<std::optional<std::string_view>> kept_;  // By OutputNode::kept; empty: absent.
  std::array<std::size_t, Scope::kMost> stamps_{};
  std::size_t stamp_ = 0;
  std::string joined_;  // The parts of the concatenations under way.
  std::vector<Issue> issues_;
  std::size_t reports_ = 0;  // Also of issues that stand in issues_ already, or found no room.
  std::size_t visits_ = 0;   // Of rows, by `each`, `count` and `pick`.
  bool exhausted_ = false;
  std::size_t place_ = 0;          // Of the row of the item that was made last.
  std::size_t number_in_row_ = 0;  // Of that item.
  std::vector<Issue> rejection_;
  bool skipped_ = false;  // The message as a whole, which is then its only item.
  bool done_ = false;
  bool any_item_ = false;
  bool any_of_row_ = false;
  std::size_t group_ = 0;
  std::size_t row_ = 0;
  std::size_t rule_ = 0;
  int times_ = 0;  // Members of the event at hand that say when it occurred.
};

}  // namespace flora::adapter
