// Bundles that are installed together, and replaced one by one.
#include "adapters/installed.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/adapters/small_bundle.h"
#include "tests/temporary_folder.h"

using namespace flora;
using namespace flora::adapter;

namespace {

void write_file(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

std::string yaml_of(const std::string& id, const std::string& version) {
  std::string text = kSmallBundle;
  text.replace(text.find("de-xx-small"), 11, id);
  return text.replace(text.find("1.0.0"), 5, version);
}

/// A bundle with its fixtures, in a folder of its own.
std::string make_bundle(const TemporaryFolder& parent, const std::string& id) {
  const std::string folder = parent.file(id);
  write_file(folder + "/adapter.yaml", yaml_of(id, "1.0.0"));
  write_file(folder + "/fixtures/accepted/one.xml", kAcceptedMessage);
  write_file(folder + "/fixtures/rejected/day.xml", kRejectedMessage);
  write_file(folder + "/fixtures/skipped/note.xml", kSkippedMessage);
  const auto adapter = Adapter::load(folder);
  REQUIRE_MESSAGE(adapter.has_value(), adapter.error().message);
  REQUIRE(write_expected(**adapter, folder).has_value());
  return folder;
}

CanonicalTypes types() { return {{{"ANKUNFT_AE", {}}}}; }

Result<void> accept(const Adapter&) { return {}; }

}  // namespace

TEST_CASE("adapters are found by their id and listed in its order") {
  const TemporaryFolder parent;
  const auto installed =
      Installed::load({make_bundle(parent, "de-xx-b"), make_bundle(parent, "de-xx-a")}, types());
  REQUIRE_MESSAGE(installed.has_value(), installed.error().message);
  CHECK((*installed)->find("de-xx-a")->info().id == "de-xx-a");
  CHECK((*installed)->find("de-xx-c") == nullptr);
  const std::vector<InstalledBundle> list = (*installed)->list();
  REQUIRE(list.size() == 2);
  CHECK(list[0].adapter->info().id == "de-xx-a");
  CHECK(list[0].fixtures == 3);
  CHECK(list[1].refused.empty());
}

TEST_CASE("all reasons of all bundles are told at once") {
  const TemporaryFolder parent;
  const std::string bad = make_bundle(parent, "de-xx-bad");
  write_file(bad + "/adapter.yaml", yaml_of("de-xx-bad", "one"));
  const std::string failing = make_bundle(parent, "de-xx-failing");
  write_file(failing + "/fixtures/accepted/one.expected.json", "{}\n");
  const std::string twin = parent.file("de-xx-twin");
  const std::string good = make_bundle(parent, "de-xx-good");
  std::filesystem::copy(good, twin, std::filesystem::copy_options::recursive);
  const auto installed = Installed::load({bad, failing, good, twin, parent.file("none")}, types());
  REQUIRE_FALSE(installed.has_value());
  const std::string& message = installed.error().message;
  CHECK(message.find("de-xx-bad/adapter.yaml:1:") != std::string::npos);
  CHECK(message.find("\nde-xx-failing/fixtures/accepted/one.xml: ") != std::string::npos);
  CHECK(message.find("\nde-xx-twin: an adapter with the id de-xx-good") != std::string::npos);
  CHECK(message.find("\nnone: ") != std::string::npos);
}

TEST_CASE("events of fixtures are held against the check that is given") {
  const TemporaryFolder parent;
  const auto installed = Installed::load({make_bundle(parent, "de-xx-a")}, types(),
                                         [](std::string_view) { return "not to my taste"; });
  REQUIRE_FALSE(installed.has_value());
  CHECK(installed.error().message.find("not to my taste") != std::string::npos);
}

TEST_CASE("a new version takes the place of the old one, which lives as long as someone has it") {
  const TemporaryFolder parent;
  const std::string folder = make_bundle(parent, "de-xx-a");
  const auto installed = Installed::load({folder}, types());
  REQUIRE(installed.has_value());
  const std::shared_ptr<const Adapter> old = (*installed)->find("de-xx-a");
  write_file(folder + "/adapter.yaml", yaml_of("de-xx-a", "1.1.0"));
  std::string prepared;
  (*installed)->reload([&](const Adapter& adapter) -> Result<void> {
    prepared = adapter.info().version;
    CHECK((*installed)->find("de-xx-a") == old);
    return {};
  });
  CHECK(prepared == "1.1.0");
  CHECK((*installed)->find("de-xx-a")->info().version == "1.1.0");
  CHECK(old->info().version == "1.0.0");
  CHECK(old->translate(kAcceptedMessage).items.size() == 1);
}

TEST_CASE("what cannot be prepared does not come into use") {
  const TemporaryFolder parent;
  const std::string folder = make_bundle(parent, "de-xx-a");
  const auto installed = Installed::load({folder}, types());
  REQUIRE(installed.has_value());
  write_file(folder + "/adapter.yaml", yaml_of("de-xx-a", "1.1.0"));
  (*installed)->reload([](const Adapter&) -> Result<void> {
    return Error{Errc::unavailable, "the disk is gone"};
  });
  CHECK((*installed)->find("de-xx-a")->info().version == "1.0.0");
  REQUIRE((*installed)->list()[0].refused.size() == 1);
  CHECK((*installed)->list()[0].refused[0] == "de-xx-a: the disk is gone");
  (*installed)->reload(accept);
  CHECK((*installed)->find("de-xx-a")->info().version == "1.1.0");
  CHECK((*installed)->list()[0].refused.empty());
}

TEST_CASE("one bundle that fails does not hold back the others") {
  const TemporaryFolder parent;
  const std::string a = make_bundle(parent, "de-xx-a");
  const std::string b = make_bundle(parent, "de-xx-b");
  const auto installed = Installed::load({a, b}, types());
  REQUIRE(installed.has_value());
  write_file(a + "/adapter.yaml", "adapter: [");
  write_file(b + "/adapter.yaml", yaml_of("de-xx-b", "1.1.0"));
  (*installed)->reload(accept);
  CHECK((*installed)->find("de-xx-a")->info().version == "1.0.0");
  CHECK((*installed)->find("de-xx-b")->info().version == "1.1.0");
}
