// How a trace shows the way of each value, and that recording changes no translation.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "adapters/fixtures.h"
#include "adapters/trace.h"
#include "tests/adapters/installed_bundles.h"
#include "tests/adapters/small_bundle.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {
namespace {

TracedTranslation traced(const std::string& message, const std::string& yaml = kSmallBundle) {
  TemporaryFolder folder;
  std::ofstream(folder.path() + "/adapter.yaml") << yaml;
  Result<std::unique_ptr<Adapter>> adapter = Adapter::load(folder.path());
  REQUIRE_MESSAGE(adapter, (adapter ? "" : adapter.error().message));
  return (*adapter)->trace(message);
}

const TraceMember& member(const TraceItem& item, std::string_view name) {
  const auto found = std::find_if(item.members.begin(), item.members.end(),
                                  [&](const TraceMember& m) { return m.name == name; });
  REQUIRE_MESSAGE(found != item.members.end(), name);
  return *found;
}

}  // namespace

TEST_CASE("a trace shows the way of a value from the message to the event") {
  const TracedTranslation t = traced(kAcceptedMessage);
  REQUIRE(t.trace.items.size() == 2);
  CHECK(t.trace.complete);
  CHECK(t.trace.items[0].name == "message");
  CHECK(t.trace.items[0].outcome == TraceItem::Outcome::none);
  const TraceItem& item = t.trace.items[1];
  CHECK(item.name == "event");
  CHECK(item.at.path == "/*/item[1]");
  CHECK(item.outcome == TraceItem::Outcome::event);
  CHECK(item.event == t.translation.items[0].event);

  const TraceMember& day = member(item, "occurredOn");
  CHECK(day.rule.line == 15);
  REQUIRE(day.steps.size() == 1);
  const TraceStep& from = day.steps[0];
  CHECK(from.kind == "from");
  CHECK(from.result == "2026-11-09");
  REQUIRE(from.places.size() == 1);
  CHECK(from.places[0].at.path == "/*/item[1]/day");
  CHECK(from.places[0].at.line == 3);
  CHECK(from.places[0].at.column == 27);
  CHECK(from.places[0].text == " 09.11.2026 ");
  REQUIRE(from.calls.size() == 2);
  CHECK(from.calls[0].function == "trim");
  CHECK(from.calls[0].result == "09.11.2026");
  CHECK(from.calls[1].function == "date");
  CHECK(from.calls[1].input == "09.11.2026");
  CHECK(from.calls[1].result == "2026-11-09");

  const TraceStep& id = member(item, "id").steps.at(0);
  CHECK(id.kind == "concat");
  REQUIRE(id.parts.size() == 3);
  CHECK(id.parts[0].kind == "$key");
  CHECK(id.parts[0].parts.at(0).places.at(0).text == "9E8D7C6B-5A49-4001-8ABC-000000000001");
  CHECK(id.parts[2].kind == "$index");
  CHECK(id.parts[2].result == "1");
  CHECK(member(item, "procedure.identifiers AZR_NUMMER").steps.at(1).result == "990101000001");
}

TEST_CASE("a trace goes as far as the value came") {
  const TracedTranslation t = traced(kRejectedMessage);
  const TraceItem& item = t.trace.items.at(1);
  CHECK(item.outcome == TraceItem::Outcome::rejected);
  REQUIRE(item.issues.size() == 1);
  const TraceStep& from = member(item, "occurredOn").steps.at(0);
  CHECK(from.state == TraceStep::State::failed);
  CHECK(from.issue == "value-malformed");
  CHECK(from.calls.at(0).result == "9.11.2026");
  CHECK(!from.calls.at(1).result);
}

TEST_CASE("a skipped message and one that cannot be read have their reasons") {
  const TracedTranslation skipped = traced(kSkippedMessage);
  REQUIRE(skipped.trace.items.size() == 1);
  CHECK(skipped.trace.items[0].outcome == TraceItem::Outcome::skipped);
  const TraceStep& exists = member(skipped.trace.items[0], "is-a-note").steps.at(0);
  CHECK(exists.kind == "exists");
  CHECK(exists.result == "true");
  CHECK(exists.places.at(0).at.line == 3);
  CHECK(!exists.places.at(0).text);

  const TracedTranslation unreadable = traced("<m>");
  CHECK(unreadable.trace.items.empty());
  CHECK(unreadable.translation.rejection.size() == 1);
}

TEST_CASE("values that need each other again and again end a trace, not the program") {
  std::string yaml = kSmallBundle;
  std::string lets = "  l0: { value: $key }\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "${l" + std::to_string(i - 1) + "}";
    lets += "  l" + std::to_string(i) + ": { first: [ { concat: \"" + before + "x" + before +
            "\", do: [ { max_length: 60 } ], on_malformed: absent }, $key ] }\n";
  }
  yaml.insert(yaml.find("skip:"), lets + "require: [ $l29 ]\n");
  const TracedTranslation t = traced(kAcceptedMessage, yaml);
  CHECK(!t.trace.complete);
  CHECK(t.translation.events == 1);
}

TEST_CASE("recording changes no translation, and each item stands in the trace") {
  std::size_t compared = 0;
  for (const std::string& folder : bundle_folders()) {
    const std::unique_ptr<Adapter> bundle = load_bundle(folder);
    for (const Fixture& fixture : find_fixtures(folder).fixtures) {
      const std::string message = read_whole(fixture.message);
      const TracedTranslation t = bundle->trace(message);
      CHECK_MESSAGE(render(t.translation) == render(bundle->translate(message)), fixture.message);
      std::vector<std::string> events;
      for (const TraceItem& item : t.trace.items) {
        if (item.outcome == TraceItem::Outcome::event) events.push_back(item.event);
        CHECK((item.outcome == TraceItem::Outcome::event ||
               item.outcome == TraceItem::Outcome::none) == item.issues.empty());
      }
      std::size_t same = 0;
      for (const Item& item : t.translation.items) {
        if (item.outcome != Item::Outcome::event) continue;
        CHECK_MESSAGE((same < events.size() && events[same] == item.event), fixture.message);
        ++same;
      }
      ++compared;
    }
  }
  CHECK(compared > 100);
}

}  // namespace flora::adapter
