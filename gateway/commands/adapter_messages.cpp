// `adapter explain`, `adapter try`, `adapter bench`: what becomes of one message.
#include <array>
#include <cstdio>
#include <iostream>
#include <set>

#include "adapters/engine/mistakes.h"
#include "adapters/issues.h"
#include "gateway/base/json.h"
#include "gateway/commands/adapter_tools.h"

namespace flora::commands::tools {
namespace {

using adapter::Issue;
using adapter::Item;

// The line in "adapter.yaml:line:column"; 0 if there is none.
int line_of(const std::string& rule) {
  const std::size_t colon = rule.find(':');
  return colon == std::string::npos ? 0 : std::atoi(rule.c_str() + colon + 1);
}

Json to_json(const std::vector<Issue>& issues, const Subject& subject) {
  Json out = Json::array();
  for (const Issue& issue : issues) {
    Json json = {{"code", issue.code}, {"detail", issue.detail}};
    json.update(tools::to_json(issue.at));
    json["rule"] = issue.rule;
    json["ruleText"] = rule_text(subject, {line_of(issue.rule), 1});
    json["advice"] = adapter::advice_for(issue.code);
    out.push_back(std::move(json));
  }
  return out;
}

// Shows issues to people, with the advice for each code once.
class IssuePrinter {
 public:
  explicit IssuePrinter(const Subject& subject) : subject_(subject) {}

  void print(const std::vector<Issue>& issues) {
    for (const Issue& issue : issues) {
      std::cout << "  " << issue.code << " at " << to_text(issue.at) << '\n'
                << "    " << issue.detail << '\n'
                << "    rule: " << issue.rule << "   "
                << rule_text(subject_, {line_of(issue.rule), 1}) << '\n';
      if (!advised_.insert(issue.code).second) continue;
      std::cout << "    what to do: " << adapter::advice_for(issue.code) << '\n';
    }
  }

 private:
  const Subject& subject_;
  std::set<std::string> advised_;
};

void explain_text(const Subject& subject, const adapter::Translation& translation) {
  IssuePrinter issues(subject);
  if (!translation.rejection.empty()) {
    std::cout << subject.file << ": the message as a whole is rejected\n";
    issues.print(translation.rejection);
    return;
  }
  std::cout << subject.file << ": " << number_of(translation.events, "event") << ", "
            << number_of(translation.rejected, "item") << " rejected, " << translation.skipped
            << " skipped\n";
  for (const Item& item : translation.items) {
    if (item.outcome == Item::Outcome::event) continue;
    std::cout << "item " << item.number << " (" << to_text(item.at)
              << "): " << to_text(item.outcome) << '\n';
    issues.print(item.issues);
  }
}

Json explain_json(const Subject& subject, const adapter::Translation& translation) {
  Json items = Json::array();
  for (const Item& item : translation.items) {
    Json json = {{"number", item.number}, {"outcome", to_text(item.outcome)}};
    json.update(tools::to_json(item.at));
    json["issues"] = to_json(item.issues, subject);
    items.push_back(std::move(json));
  }
  return {{"file", subject.file},
          {"rejection", to_json(translation.rejection, subject)},
          {"items", std::move(items)}};
}

int explain_number(const Call& call) {
  const adapter::MistakeKind* kind = adapter::find_mistake(call.words[0]);
  if (kind == nullptr) {
    return fail({Errc::invalid, "there is no mistake " + call.words[0] +
                                    "; to explain a message, name the folder of the bundle too"});
  }
  if (call.json) {
    print({{"number", adapter::number_of(kind->mistake)},
           {"name", kind->name},
           {"meaning", kind->meaning},
           {"wrong", kind->wrong},
           {"right", kind->right}});
    return 0;
  }
  const auto indented = [](std::string_view text) {
    std::string out = "  ";
    for (const char c : text) out += c == '\n' ? "\n  " : std::string(1, c);
    return out + '\n';
  };
  std::cout << adapter::number_of(kind->mistake) << ' ' << kind->name << "\n\n"
            << kind->meaning << "\n\nWrong:\n"
            << indented(kind->wrong) << "\nRight:\n"
            << indented(kind->right);
  return 0;
}

// The item of a YAML flow sequence that begins here: a word, or a mapping with its braces.
std::string flow_item(const std::string& text) {
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == ']' || c == '}' || c == ' ')) {
      return text.substr(0, i);
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return text.substr(0, i + 1);
    }
  }
  return text;
}

// How `try` shows a trace.
class TracePrinter {
 public:
  explicit TracePrinter(const Subject& subject) : subject_(subject), issues_(subject) {}

  void item(const adapter::TraceItem& item) {
    std::cout << '\n'
              << item.name << " (" << to_text(item.at) << "), rule " << at(item.rule) << ": "
              << (item.outcome == adapter::TraceItem::Outcome::none ? "decides nothing"
                                                                    : outcome(item.outcome))
              << '\n';
    for (const adapter::TraceMember& member : item.members) {
      std::cout << "  " << member.name << "   " << at(member.rule) << '\n';
      for (const adapter::TraceStep& one : member.steps) step(one, 4);
    }
    issues_.print(item.issues);
    if (!item.event.empty()) std::cout << "  event: " << item.event << '\n';
  }

  static std::string_view outcome(adapter::TraceItem::Outcome outcome) {
    constexpr std::array<std::string_view, 4> kWords = {"none", "event", "rejected", "skipped"};
    return kWords[static_cast<std::size_t>(outcome)];
  }

 private:
  static std::string at(const adapter::RulePlace& rule) {
    return "adapter.yaml:" + std::to_string(rule.line) + ":" + std::to_string(rule.column);
  }

  static std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
  }

  static std::string result_of(const adapter::TraceStep& step) {
    if (step.state == adapter::TraceStep::State::present) return " = " + quoted(step.result);
    if (step.state == adapter::TraceStep::State::absent) return ": absent";
    return ": failed" + (step.issue ? " (" + *step.issue + ")" : "");
  }

  void step(const adapter::TraceStep& step, std::size_t indent) const {
    const std::string space(indent, ' ');
    std::cout << space << step.kind << result_of(step) << "   " << at(step.rule) << '\n';
    for (const adapter::TracePlace& place : step.places) {
      std::cout << space << "  " << to_text(place.at);
      if (place.text) std::cout << ": " << quoted(*place.text);
      if (place.at.line == 0) std::cout << ": not there";
      std::cout << '\n';
    }
    for (const adapter::TraceStep& part : step.parts) this->step(part, indent + 2);
    for (const adapter::TraceCall& call : step.calls) {
      std::cout << space << "  " << function_of(call) << " of " << quoted(call.input)
                << (call.result ? " = " + quoted(*call.result) : ": no value") << '\n';
    }
  }

  // The function with its argument, as adapter.yaml writes it.
  std::string function_of(const adapter::TraceCall& call) const {
    const std::string written = flow_item(rule_text(subject_, call.rule));
    return written.find(call.function) == std::string::npos ? call.function : written;
  }

  const Subject& subject_;
  IssuePrinter issues_;
};

Json to_json(const adapter::RulePlace& rule) {
  return {{"line", rule.line}, {"column", rule.column}};
}

Json to_json(const adapter::TraceStep& step) {
  constexpr std::array<std::string_view, 3> kStates = {"absent", "present", "failed"};
  Json places = Json::array(), parts = Json::array(), calls = Json::array();
  for (const adapter::TracePlace& place : step.places) {
    Json json = tools::to_json(place.at);
    if (place.text) json["text"] = *place.text;
    places.push_back(std::move(json));
  }
  for (const adapter::TraceStep& part : step.parts) parts.push_back(to_json(part));
  for (const adapter::TraceCall& call : step.calls) {
    Json json = {{"function", call.function}, {"rule", to_json(call.rule)}, {"input", call.input}};
    if (call.result) json["result"] = *call.result;
    calls.push_back(std::move(json));
  }
  Json out = {{"kind", step.kind},
              {"rule", to_json(step.rule)},
              {"state", kStates[static_cast<std::size_t>(step.state)]}};
  if (step.state == adapter::TraceStep::State::present) out["result"] = step.result;
  if (step.issue) out["issue"] = *step.issue;
  out["places"] = std::move(places);
  out["calls"] = std::move(calls);
  out["parts"] = std::move(parts);
  return out;
}

Json to_json(const adapter::TraceItem& item, const Subject& subject) {
  Json members = Json::array();
  for (const adapter::TraceMember& member : item.members) {
    Json steps = Json::array();
    for (const adapter::TraceStep& step : member.steps) steps.push_back(to_json(step));
    members.push_back(
        {{"name", member.name}, {"rule", to_json(member.rule)}, {"steps", std::move(steps)}});
  }
  Json out = {{"name", item.name},
              {"outcome", TracePrinter::outcome(item.outcome)},
              {"rule", to_json(item.rule)}};
  out.update(tools::to_json(item.at));
  out["members"] = std::move(members);
  out["issues"] = to_json(item.issues, subject);
  if (!item.event.empty()) out["event"] = Json::parse(item.event, nullptr, false);
  return out;
}

int explain_message(const Call& call, const Subject& subject) {
  const adapter::Translation translation = subject.adapter->translate(subject.message);
  if (call.json) {
    print(explain_json(subject, translation));
  } else {
    explain_text(subject, translation);
  }
  return exit_code(translation);
}

int show_trace(const Call& call, const Subject& subject) {
  const adapter::TracedTranslation traced = subject.adapter->trace(subject.message);
  const adapter::Trace& trace = traced.trace;
  if (call.json) {
    Json items = Json::array();
    for (const adapter::TraceItem& item : trace.items) items.push_back(to_json(item, subject));
    print({{"file", subject.file},
           {"rejection", to_json(traced.translation.rejection, subject)},
           {"items", std::move(items)},
           {"complete", trace.complete}});
  } else {
    std::cout << subject.file << ": this shows values of the message, do not pass it on\n";
    TracePrinter printer(subject);
    for (const adapter::TraceItem& item : trace.items) printer.item(item);
    if (trace.items.empty()) IssuePrinter(subject).print(traced.translation.rejection);
    if (!trace.complete) std::cout << "There were too many steps to show all of them.\n";
  }
  return exit_code(traced.translation);
}

int measure(const Call& call, const Subject& subject) {
  constexpr std::int64_t kNanoseconds = 2'000'000'000;
  std::size_t messages = 0, events = 0;
  const std::int64_t begin = call.env->steady_ns();
  std::int64_t passed = 0;
  do {
    for (const Item& item : subject.adapter->translate(subject.message).items) {
      events += item.outcome == Item::Outcome::event;
    }
    ++messages;
    passed = call.env->steady_ns() - begin;
  } while (passed < kNanoseconds);
  const double seconds = static_cast<double>(passed) / 1e9;
  const double megabytes =
      static_cast<double>(messages) * static_cast<double>(subject.message.size()) / 1e6;
  const auto rate = [&](double count) { return count / seconds; };
  if (call.json) {
    print({{"file", subject.file},
           {"bytes", subject.message.size()},
           {"seconds", seconds},
           {"messagesPerSecond", rate(static_cast<double>(messages))},
           {"eventsPerSecond", rate(static_cast<double>(events))},
           {"megabytesPerSecond", rate(megabytes)}});
    return 0;
  }
  std::printf("%s: %zu bytes, one thread, %.1f s\n%.0f messages/s, %.0f events/s, %.1f MB/s\n",
              subject.file.c_str(), subject.message.size(), seconds,
              rate(static_cast<double>(messages)), rate(static_cast<double>(events)),
              rate(megabytes));
  return 0;
}

}  // namespace

int explain(const Call& call) {
  if (call.words.size() == 1) return explain_number(call);
  return with_subject(call, explain_message);
}

int try_message(const Call& call) { return with_subject(call, show_trace); }

int bench(const Call& call) { return with_subject(call, measure); }

}  // namespace flora::commands::tools
