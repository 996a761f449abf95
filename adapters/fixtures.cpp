#include "adapters/fixtures.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <random>

#include "gateway/base/env.h"
#include "gateway/base/json.h"

namespace flora::adapter {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kKinds = {"accepted", "rejected", "skipped"};
constexpr std::string_view kExpected = ".expected.json";
constexpr std::size_t kMostBytes = 64u << 20;

void render_issues(const std::vector<Issue>& issues, std::string& out) {
  out += "[";
  for (const Issue& issue : issues) {
    out += &issue == &issues.front() ? "\n    " : ",\n    ";
    out += "{\"code\":";
    json::append_string(out, issue.code);
    out += ",\"line\":" + std::to_string(issue.at.line) +
           ",\"column\":" + std::to_string(issue.at.column);
    out += ",\"path\":";
    json::append_string(out, issue.at.path);
    out += ",\"detail\":";
    json::append_string(out, issue.detail);
    out += "}";
  }
  out += "]";
}

// The name up to its last dot, or up to `.expected.json`.
std::string stem_of(const std::string& name) {
  if (name.ends_with(kExpected)) return name.substr(0, name.size() - kExpected.size());
  return name.substr(0, name.rfind('.'));
}

// The files of one kind that have a name in common.
struct FixtureFiles {
  std::vector<std::string> messages;
  bool expected = false;
};

std::string fault_of(const FixtureFiles& group) {
  if (group.messages.empty()) return "there is no message of this name";
  if (group.messages.size() > 1) return "several messages have this name";
  return group.expected ? "" : "there is no expected result";
}

void find_kind(const std::string& folder, std::string_view kind, FixtureList& out) {
  std::map<std::string, FixtureFiles> groups;
  std::error_code error;
  const std::string where = std::string(kind) + "/";
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file()) {
      out.failures.push_back(where + name + ": not a file");
      continue;
    }
    FixtureFiles& group = groups[stem_of(name)];
    if (name.ends_with(kExpected)) {
      group.expected = true;
    } else {
      group.messages.push_back(name);
    }
  }
  for (const auto& [stem, group] : groups) {
    const std::string fault = fault_of(group);
    if (!fault.empty()) out.failures.push_back(where + stem + ": " + fault);
    if (group.messages.size() != 1) continue;
    const std::string& message = group.messages.front();
    out.fixtures.push_back({std::string(kind), where + message, folder + "/" + message,
                            folder + "/" + stem + std::string(kExpected)});
  }
}

// The line, from 1, where two texts begin to differ.
std::size_t first_difference(std::string_view a, std::string_view b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  return static_cast<std::size_t>(std::count(a.begin(), at, '\n')) + 1;
}

std::string contradiction(const Translation& translation, std::string_view kind) {
  std::size_t events = 0, rejected = 0, skipped = 0;
  for (const Item& item : translation.items) {
    events += item.outcome == Item::Outcome::event;
    rejected += item.outcome == Item::Outcome::rejected;
    skipped += item.outcome == Item::Outcome::skipped;
  }
  rejected += !translation.rejection.empty();
  if (kind == "accepted" && (events == 0 || rejected > 0)) {
    return "it gives no event, or something of it is rejected";
  }
  if (kind == "rejected" && rejected == 0) return "nothing of it is rejected";
  if (kind == "skipped" && (skipped == 0 || events + rejected > 0)) {
    return "not all of it is skipped";
  }
  return {};
}

class Runner {
 public:
  Runner(const Adapter& adapter, const EventCheck& check) : adapter_(adapter), check_(check) {}

  FixtureRun run(const std::string& folder) {
    FixtureList list = find_fixtures(folder);
    run_.fixtures = list.fixtures.size();
    run_.failures = std::move(list.failures);
    for (const std::string_view kind : {kKinds[0], kKinds[1]}) {
      const bool some = std::any_of(list.fixtures.begin(), list.fixtures.end(),
                                    [&](const Fixture& fixture) { return fixture.kind == kind; });
      if (!some) run_.failures.push_back(std::string(kind) + ": no fixture");
    }
    for (const Fixture& fixture : list.fixtures) first(fixture);
    again();
    return std::move(run_);
  }

 private:
  struct Case {
    std::string name;
    std::string message;
    std::string result;
  };

  void fail(const std::string& name, const std::string& why) {
    run_.failures.push_back(name + ": " + why);
  }

  void first(const Fixture& fixture) {
    Env& env = Env::system();
    Result<std::string> message = env.read_file(fixture.message, kMostBytes);
    if (!message) return fail(fixture.name, message.error().message);
    const Translation translation = adapter_.translate(*message);
    std::string result = render(translation);
    const std::string why = contradiction(translation, fixture.kind);
    if (!why.empty()) fail(fixture.name, why);
    const Result<std::string> expected = env.read_file(fixture.expected, kMostBytes);
    if (expected && *expected != result) {
      fail(fixture.name, "the result differs from the expected one, from its line " +
                             std::to_string(first_difference(*expected, result)));
    }
    check_events(fixture, translation);
    cases_.push_back({fixture.name, std::move(*message), std::move(result)});
  }

  void check_events(const Fixture& fixture, const Translation& translation) {
    if (!check_) return;
    for (const Item& item : translation.items) {
      if (item.outcome != Item::Outcome::event) continue;
      const std::string why = check_(item.event);
      if (!why.empty()) fail(fixture.name, "item " + std::to_string(item.number) + ": " + why);
    }
  }

  // The same bytes give the same result, whatever was translated before.
  void again() {
    std::vector<const Case*> order;
    for (const Case& one : cases_) order.insert(order.end(), 2, &one);
    std::mt19937 random(7);
    std::shuffle(order.begin(), order.end(), random);
    for (const Case* one : order) {
      if (render(adapter_.translate(one->message)) != one->result) {
        fail(one->name, "the same message gives another result when it is repeated");
      }
    }
  }

  const Adapter& adapter_;
  const EventCheck& check_;
  FixtureRun run_;
  std::vector<Case> cases_;
};

}  // namespace

std::string render(const Translation& translation) {
  std::string out = "{\n";
  if (!translation.rejection.empty()) {
    out += "  \"rejection\": ";
    render_issues(translation.rejection, out);
    return out + "\n}\n";
  }
  out += "  \"items\": [";
  for (const Item& item : translation.items) {
    out += item.number == 0 ? "\n" : ",\n";
    out += "  {\"number\":" + std::to_string(item.number) +
           ",\"line\":" + std::to_string(item.at.line) +
           ",\"column\":" + std::to_string(item.at.column) + ",\n   ";
    if (item.outcome == Item::Outcome::event) {
      out += "\"event\":" + item.event + "}";
      continue;
    }
    out += item.outcome == Item::Outcome::rejected ? "\"rejected\":" : "\"skipped\":";
    render_issues(item.issues, out);
    out += "}";
  }
  return out + "\n  ]\n}\n";
}

FixtureList find_fixtures(const std::string& folder) {
  FixtureList out;
  const std::string root = folder + "/fixtures";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    const bool known =
        entry.is_directory() && std::find(kKinds.begin(), kKinds.end(), name) != kKinds.end();
    if (!known) out.failures.push_back(name + ": not one of accepted, rejected and skipped");
  }
  if (error) out.failures.push_back("the folder `fixtures` cannot be listed");
  for (const std::string_view kind : kKinds) find_kind(root + "/" + std::string(kind), kind, out);
  std::sort(out.failures.begin(), out.failures.end());
  return out;
}

FixtureRun run_fixtures(const Adapter& adapter, const std::string& folder,
                        const EventCheck& check) {
  return Runner(adapter, check).run(folder);
}

Result<std::size_t> write_expected(const Adapter& adapter, const std::string& folder) {
  Env& env = Env::system();
  std::size_t changed = 0;
  for (const Fixture& fixture : find_fixtures(folder).fixtures) {
    FLORA_ASSIGN(const std::string message, env.read_file(fixture.message, kMostBytes));
    const std::string result = render(adapter.translate(message));
    const Result<std::string> present = env.read_file(fixture.expected, kMostBytes);
    if (present && *present == result) continue;
    FLORA_TRY(env.replace_file(fixture.expected, result, 0644));
    ++changed;
  }
  return changed;
}

}  // namespace flora::adapter
