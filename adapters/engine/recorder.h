// Collects a trace while an Evaluator works.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "adapters/engine/plan.h"
#include "adapters/trace.h"

namespace flora::adapter {

inline RulePlace rule_place(yaml::Position at) { return {at.line, at.column}; }

/// Expressions that contain each other are opened and closed like brackets. Not thread-safe.
class Recorder {
 public:
  /// Begins an item; the one before it has ended.
  void begin_item(TraceItem item) {
    trace_.items.push_back(std::move(item));
    steps_ = 0;
  }
  void end_item(TraceItem::Outcome outcome, const std::vector<Issue>& issues,
                std::string_view event);

  /// An item of which nothing could be read.
  void broken(std::string_view name, const Item& item);

  /// The steps that follow belong to this member of the item.
  void begin_member(std::string_view name, yaml::Position rule);

  void open() { open_.emplace_back(); }
  /// Ends the expression that was opened last. `step` says what it is and what came of it.
  void close(TraceStep step);

  /// Within an expression: a function is about to be called, and what it gave.
  void calling(const Call& call, std::string_view input);
  void gave(std::string_view result);
  void issue(const Issue& issue);

  /// So many steps that values must not be computed again for their record.
  bool is_full() const { return steps_ >= kMostSteps; }
  /// So many items that the translation can end.
  bool is_done() const { return trace_.items.size() >= kMostItems; }

  Trace take() {
    trace_.complete = trace_.complete && !is_done();
    return std::exchange(trace_, {});
  }

 private:
  static constexpr std::size_t kMostSteps = 5000;  // Of one item.
  static constexpr std::size_t kMostItems = 1000;

  Trace trace_;
  std::vector<TraceStep> open_;
  std::size_t steps_ = 0;
};

}  // namespace flora::adapter
