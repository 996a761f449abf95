// Each bundle against the mistakes that are generated from its rules and fixtures, and the
// generator against bundles that are wrong.
#include "adapters/negatives.h"

#include <doctest/doctest.h>

#include <clocale>
#include <cstdlib>
#include <ctime>

#include "adapters/formats/rewriter.h"
#include "tests/adapters/installed_bundles.h"

namespace flora::adapter {
namespace {

NegativeRun run(const std::string& folder) {
  return required(run_negatives(folder, &canon().types,
                                [](std::string_view event) { return canon().judge(event); }));
}

}  // namespace

TEST_CASE("no mistake of a sender makes an event that is none") {
  for (const std::string& folder : bundle_folders()) {
    const NegativeRun result = run(folder);
    for (const std::string& failure : result.failures) FAIL_CHECK(folder << ": " << failure);
    const std::string format = load_bundle(folder)->info().format;
    for (const char* kind : {"emptied", "malformed", "over-long", "day", "truncated", "charset",
                             "other-form", "deleted"}) {
      const auto count = result.messages.find(kind);
      REQUIRE_MESSAGE(count != result.messages.end(), folder << ": " << kind);
      CHECK(count->second >= (std::string(kind) == "other-form" ? 4 : 20));
    }
    CHECK(result.messages.contains("doctype") == (format == "xml"));
    CHECK(result.messages.contains("nesting") == (format != "csv"));
  }
}

TEST_CASE("another time zone and locale give the same bytes") {
  std::string before, after;
  const auto all = [] {
    std::string out;
    for (const std::string& folder : bundle_folders()) {
      const std::unique_ptr<Adapter> bundle = load_bundle(folder);
      for (const Fixture& fixture : find_fixtures(folder).fixtures) {
        out += render(bundle->translate(read_whole(fixture.message)));
      }
    }
    return out;
  };
  before = all();
  setenv("TZ", "Pacific/Kiritimati", 1);
  tzset();
  for (const char* locale : {"de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8"})
    std::setlocale(LC_ALL, locale);
  after = all();
  std::setlocale(LC_ALL, "C");
  unsetenv("TZ");
  tzset();
  CHECK(before == after);
}

TEST_CASE("a message that is sent again has the same identities") {
  for (const std::string& folder : bundle_folders()) {
    const std::unique_ptr<Adapter> first = load_bundle(folder);
    const std::unique_ptr<Adapter> second = load_bundle(folder);
    for (const Fixture& fixture : find_fixtures(folder).fixtures) {
      const std::string message = read_whole(fixture.message);
      const std::string copy = message;
      const Translation a = first->translate(message);
      const Translation b = second->translate(copy);
      REQUIRE(a.items.size() == b.items.size());
      for (std::size_t i = 0; i < a.items.size(); ++i) {
        CHECK(a.items[i].event == b.items[i].event);
        CHECK(a.items[i].native_record == b.items[i].native_record);
      }
    }
  }
}

}  // namespace flora::adapter
