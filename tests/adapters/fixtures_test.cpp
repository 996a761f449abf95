// Fixtures as adapters/fixtures.h understands them, with a small bundle in a temporary folder.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "adapters/fixtures.h"
#include "tests/adapters/small_bundle.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {
namespace {

using Failures = std::vector<std::string>;

// A bundle with one fixture of each kind, and expected results.
class BundleFolder {
 public:
  BundleFolder() {
    write("adapter.yaml", kSmallBundle);
    write("fixtures/accepted/day.xml", kAcceptedMessage);
    write("fixtures/rejected/bad-day.xml", kRejectedMessage);
    write("fixtures/skipped/note.xml", kSkippedMessage);
    Result<std::unique_ptr<Adapter>> loaded = Adapter::load(path());
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
    adapter_ = std::move(*loaded);
    REQUIRE(write_expected(*adapter_, path()).value() == 3);
  }

  const std::string& path() const { return folder_.path(); }
  const Adapter& adapter() const { return *adapter_; }

  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path() + "/" + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  void remove(const std::string& name) const { std::filesystem::remove(path() + "/" + name); }
  FixtureRun run(const EventCheck& check = {}) const {
    return run_fixtures(adapter(), path(), check);
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Adapter> adapter_;
};

}  // namespace

TEST_CASE("fixtures with their expected results pass") {
  const BundleFolder bundle;
  const FixtureRun run = bundle.run();
  CHECK(run.fixtures == 3);
  CHECK(run.failures == Failures{});
  CHECK(write_expected(bundle.adapter(), bundle.path()).value() == 0);
}

TEST_CASE("a result that differs is told with its line and no text of it") {
  const BundleFolder bundle;
  bundle.write("fixtures/accepted/day.expected.json", "{\n  \"items\": []\n}\n");
  CHECK(bundle.run().failures ==
        Failures{"accepted/day.xml: the result differs from the expected one, from its line 2"});
}

TEST_CASE("a bundle without accepted and rejected fixtures fails") {
  const BundleFolder bundle;
  for (const char* name : {"accepted/day.xml", "accepted/day.expected.json", "rejected/bad-day.xml",
                           "rejected/bad-day.expected.json"}) {
    bundle.remove(std::string("fixtures/") + name);
  }
  CHECK(bundle.run().failures == Failures{"accepted: no fixture", "rejected: no fixture"});
  std::filesystem::remove_all(bundle.path() + "/fixtures");
  const FixtureRun run = bundle.run();
  CHECK(run.fixtures == 0);
  CHECK(run.failures.size() == 3);
}

TEST_CASE("files that belong to no fixture fail") {
  const BundleFolder bundle;
  bundle.remove("fixtures/skipped/note.expected.json");
  bundle.write("fixtures/skipped/gone.expected.json", "{}");
  bundle.write("fixtures/accepted/day.txt", "another");
  bundle.write("fixtures/accepted/deeper/day.xml", "deeper");
  bundle.write("fixtures/todo/day.xml", "unknown folder");
  bundle.write("fixtures/notes.md", "unknown file");
  CHECK(bundle.run().failures ==
        Failures{"accepted/day: several messages have this name", "accepted/deeper: not a file",
                 "notes.md: not one of accepted, rejected and skipped",
                 "skipped/gone: there is no message of this name",
                 "skipped/note: there is no expected result",
                 "todo: not one of accepted, rejected and skipped", "accepted: no fixture"});
}

TEST_CASE("a fixture must be what its folder says") {
  const BundleFolder bundle;
  bundle.write("fixtures/accepted/wrong.xml", kRejectedMessage);
  bundle.write("fixtures/rejected/wrong.xml", kAcceptedMessage);
  bundle.write("fixtures/skipped/wrong.xml", kAcceptedMessage);
  REQUIRE(write_expected(bundle.adapter(), bundle.path()).value() == 3);
  CHECK(bundle.run().failures ==
        Failures{"accepted/wrong.xml: it gives no event, or something of it is rejected",
                 "rejected/wrong.xml: nothing of it is rejected",
                 "skipped/wrong.xml: not all of it is skipped"});
}

TEST_CASE("each event is shown to the check") {
  const BundleFolder bundle;
  std::size_t shown = 0;
  const FixtureRun run = bundle.run([&](std::string_view event) {
    ++shown;
    return event.starts_with("{\"id\":") ? "no" : "";
  });
  CHECK(shown == 1);
  CHECK(run.failures == Failures{"accepted/day.xml: item 0: no"});
}

}  // namespace flora::adapter
