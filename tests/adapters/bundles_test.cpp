// What holds of every bundle of adapters/: its fixtures, and that it holds no code.
#include <doctest/doctest.h>

#include "adapters/fixtures.h"
#include "tests/adapters/installed_bundles.h"

namespace flora::adapter {

TEST_CASE("each bundle passes its own fixtures, and its events are canonical status events") {
  for (const std::string& folder : bundle_folders()) {
    const std::unique_ptr<Adapter> bundle = load_bundle(folder);
    const FixtureRun run =
        run_fixtures(*bundle, folder, [](std::string_view event) { return canon().judge(event); });
    CHECK(run.fixtures > 20);
    for (const std::string& failure : run.failures) FAIL_CHECK(folder << ": " << failure);
  }
}

TEST_CASE("a bundle is data: adapter.yaml, code lists, fixtures and a README") {
  for (const std::string& folder : bundle_folders()) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      const bool known = name == "adapter.yaml" || name == "README.md" || name == "fixtures" ||
                         name.ends_with(".map.csv");
      CHECK_MESSAGE(known, entry.path());
    }
    const std::string readme = read_whole(folder + "/README.md");
    CHECK_MESSAGE(readme.find("simulation") != std::string::npos,
                  folder << ": no dialect of a Land is published, and the README says so");
  }
}

}  // namespace flora::adapter
