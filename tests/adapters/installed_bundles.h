// The bundles of adapters/, with the gateway's own view of what a canonical status event is.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/commands/definitions.h"
#include "gateway/intake/event_parser.h"
#include "tests/adapters/golden.h"

namespace flora::adapter {

/// Document, catalogue and what is made of them, read once.
struct Canon {
  openapi::Document document;
  Catalogue catalogue;
  intake::EventParser parser;
  CanonicalTypes types;

  /// Why an event is not a canonical status event; empty if it is one.
  std::string judge(std::string_view event) const {
    const intake::ParseResult parsed = parser.parse(event);
    const auto* problem = std::get_if<Problem>(&parsed);
    if (problem == nullptr) return {};
    std::string why = std::string(problem->name);
    for (const ProblemCause& cause : problem->causes)
      why += " " + cause.pointer + " " + cause.detail;
    return why;
  }
};

inline const Canon& canon() {
  static const Canon made = [] {
    Result<openapi::Document> document = openapi::Document::load();
    REQUIRE_MESSAGE(document, (document ? "" : document.error().message));
    const std::string path = std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml";
    Result<Catalogue> catalogue = Catalogue::parse(read_whole(path), path);
    REQUIRE_MESSAGE(catalogue, (catalogue ? "" : catalogue.error().message));
    Result<intake::EventParser> parser = intake::EventParser::make(*document, *catalogue);
    REQUIRE_MESSAGE(parser, (parser ? "" : parser.error().message));
    CanonicalTypes types = commands::canonical_types(*document, *catalogue);
    return Canon{std::move(*document), std::move(*catalogue), std::move(*parser), std::move(types)};
  }();
  return made;
}

/// The folders of all bundles, by name.
inline std::vector<std::string> bundle_folders() {
  std::vector<std::string> out;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(FLORA_SOURCE_DIR) + "/adapters")) {
    if (entry.path().filename().string().starts_with("de-")) out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

inline std::unique_ptr<Adapter> load_bundle(const std::string& folder) {
  Result<std::unique_ptr<Adapter>> loaded = Adapter::load(folder, &canon().types);
  REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().message));
  return std::move(*loaded);
}

}  // namespace flora::adapter
