// The fixtures of a bundle: messages under fixtures/accepted, rejected and skipped, each beside its
// expected result. A file that ends in `.expected.json` is an expected result, every other file is
// a message; both have the same name up to its last dot: `late.xml` and `late.expected.json`.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"

namespace flora::adapter {

/// All that the sender is told, as JSON, one item or issue to a line. The place of the rule is left
/// out: it changes with every edit of adapter.yaml.
std::string render(const Translation& translation);

struct Fixture {
  std::string kind;      ///< accepted, rejected or skipped.
  std::string name;      ///< Within the folder of fixtures, such as `accepted/late.xml`.
  std::string message;   ///< The path of the message.
  std::string expected;  ///< The path of its expected result.
};

struct FixtureList {
  std::vector<Fixture> fixtures;      ///< By name.
  std::vector<std::string> failures;  ///< Files and folders that belong to no fixture.
};

/// What lies in the folder of a bundle. Both files of each fixture are there, but for the expected
/// results, whose lack is a failure too.
FixtureList find_fixtures(const std::string& folder);

struct FixtureRun {
  std::size_t fixtures = 0;
  std::vector<std::string> failures;  ///< One sentence each, with the fixture's name and no text
                                      ///< of a message. Empty: all is well.
};

/// Why an event is not a canonical status event; empty if it is one.
using EventCheck = std::function<std::string(std::string_view event)>;

/// Translates each fixture of the bundle in `folder` and compares the result with the expected one;
/// then all of them twice more, shuffled. A bundle without an accepted and a rejected fixture
/// fails, so does one whose fixtures are not what their folder says.
FixtureRun run_fixtures(const Adapter& adapter, const std::string& folder,
                        const EventCheck& check = {});

/// Writes the expected result of each fixture anew, to be read before it is committed. Returns how
/// many changed. Errors: unavailable, not_found.
Result<std::size_t> write_expected(const Adapter& adapter, const std::string& folder);

}  // namespace flora::adapter
