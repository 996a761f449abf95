// Messages through bundles of a few lines, and what became of them in one line of text.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "tests/temporary_folder.h"

namespace flora::adapter {

/// A bundle that makes one event of each message or record, with its identifier from `azr`.
inline std::string bundle(const std::string& input, const std::string& azr,
                          const std::string& more) {
  return R"yaml(adapter: { id: de-xx-test, version: "1.0.0", land: DE-SN, title: "Test" }
)yaml" + input +
         R"yaml(
event:
  set:
    id: { from: ')yaml" +
         azr + R"yaml(' }
    source: { const: "test" }
    status: { const: "ANKUNFT_AE" }
    occurredOn: { const: "2026-11-09", do: [ date ] }
    procedure.identifiers: [ { type: AZR_NUMMER, value: { from: ')yaml" +
         azr + R"yaml(' } } ]
    reporter.authority: { const: "000250" }
)yaml" + more;
}

/// An adapter of the text of its rules.
class Translator {
 public:
  explicit Translator(const std::string& yaml) {
    std::ofstream(folder_.path() + "/adapter.yaml") << yaml;
    Result<std::unique_ptr<Adapter>> loaded = Adapter::load(folder_.path());
    REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
    adapter_ = std::move(*loaded);
  }

  /// How many events there are; behind them each issue as "code line:column".
  std::string operator()(const std::string& message) const {
    const Translation t = adapter_->translate(message);
    std::size_t events = 0;
    std::string issues;
    const auto add = [&](const std::vector<Issue>& found) {
      for (const Issue& issue : found) {
        issues += " " + issue.code + " " + std::to_string(issue.at.line) + ":" +
                  std::to_string(issue.at.column);
      }
    };
    add(t.rejection);
    for (const Item& item : t.items) {
      events += item.outcome == Item::Outcome::event;
      add(item.issues);
    }
    return std::to_string(events) + issues;
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Adapter> adapter_;
};

inline const std::string kAnyEvents = "events: [ { name: one } ]\n";

}  // namespace flora::adapter
