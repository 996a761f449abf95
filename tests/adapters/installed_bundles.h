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

template <typename T>
T required(Result<T> result) {
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  return std::move(*result);
}

/// Document, catalogue and what is made of them. The parser refers to both.
struct Canon {
  const std::string file = std::string(FLORA_SOURCE_DIR) + "/config/statuses.yaml";
  const openapi::Document document = required(openapi::Document::load());
  const Catalogue catalogue = required(Catalogue::parse(read_whole(file), file));
  const intake::EventParser parser = required(intake::EventParser::make(document, catalogue));
  const CanonicalTypes types = commands::canonical_types(document, catalogue);

  Canon() = default;
  Canon(const Canon&) = delete;
  Canon& operator=(const Canon&) = delete;

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
  static const Canon made;
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
  return required(Adapter::load(folder, &canon().types));
}

}  // namespace flora::adapter
