// How each value of a translation came about, from the sender's text to the event. For the author's
// own files on the author's own machine: unlike issues, a trace holds texts of the message, so it
// must reach no log and no answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"

namespace flora::adapter {

/// Where a rule stands in adapter.yaml.
struct RulePlace {
  int line = 0;    ///< From 1.
  int column = 0;  ///< From 1, in characters.
};

/// A place of the message that a rule reads.
struct TracePlace {
  Location at;                      ///< line 0: nothing stands there.
  std::optional<std::string> text;  ///< As the format reads it; nothing if there is no text.
};

/// One function of `do`.
struct TraceCall {
  std::string function;
  RulePlace rule;
  std::string input;
  std::optional<std::string> result;  ///< Nothing: it refused the input, or made it absent.
};

/// One expression, and what it is made of.
struct TraceStep {
  enum class State { absent, present, failed };
  std::string kind;  ///< As adapter.yaml names it: `from`, `concat`, `$name` …
  RulePlace rule;
  std::vector<TracePlace> places;
  std::vector<TraceStep> parts;  ///< In the order of their evaluation; those that were needed.
  std::vector<TraceCall> calls;
  State state = State::absent;
  std::string result;                ///< State::present.
  std::optional<std::string> issue;  ///< The code of the issue that arose here.
};

/// A member of the event, or a condition of the rule.
struct TraceMember {
  std::string name;  ///< Such as `occurredOn`; `require`, `when`, or the code of a reject or skip.
  RulePlace rule;
  std::vector<TraceStep> steps;
};

/// One event rule with one row of the message, or what concerns the message as a whole.
struct TraceItem {
  enum class Outcome { none, event, rejected, skipped };
  std::string name;  ///< `message`, or the name of the event rule.
  RulePlace rule;
  Location at;
  std::vector<TraceMember> members;
  Outcome outcome = Outcome::none;  ///< none: nothing was decided, the translation went on.
  std::vector<Issue> issues;
  std::string event;
};

struct Trace {
  std::vector<TraceItem> items;  ///< In the order of their evaluation.
  bool complete = true;          ///< False: there were so many steps that later ones are left out.
};

struct TracedTranslation {
  Translation translation;
  Trace trace;  ///< Without items if the message could not be read.
};

}  // namespace flora::adapter
