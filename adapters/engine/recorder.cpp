#include "adapters/engine/recorder.h"

#include "adapters/engine/functions.h"

namespace flora::adapter {

void Recorder::end_item(TraceItem::Outcome outcome, const std::vector<Issue>& issues,
                        std::string_view event) {
  TraceItem& item = trace_.items.back();
  item.outcome = outcome;
  item.issues = issues;
  item.event = event;
}

void Recorder::broken(std::string_view name, const Item& item) {
  TraceItem out;
  out.name = name;
  out.rule = {1, 1};
  out.at = item.at;
  begin_item(std::move(out));
  end_item(TraceItem::Outcome::rejected, item.issues, {});
}

void Recorder::begin_member(std::string_view name, yaml::Position rule) {
  trace_.items.back().members.push_back({std::string(name), rule_place(rule), {}});
}

void Recorder::close(TraceStep step) {
  TraceStep& opened = open_.back();
  step.parts = std::move(opened.parts);
  step.calls = std::move(opened.calls);
  step.issue = std::move(opened.issue);
  open_.pop_back();
  if (is_full()) {
    trace_.complete = false;
    return;
  }
  ++steps_;
  std::vector<TraceStep>& outer =
      open_.empty() ? trace_.items.back().members.back().steps : open_.back().parts;
  outer.push_back(std::move(step));
}

void Recorder::calling(const Call& call, std::string_view input) {
  open_.back().calls.push_back(
      {std::string(signature(call.function).name), rule_place(call.at), std::string(input), {}});
}

void Recorder::gave(std::string_view result) { open_.back().calls.back().result = result; }

void Recorder::issue(const Issue& issue) {
  if (!open_.empty()) open_.back().issue = issue.code;
}

}  // namespace flora::adapter
