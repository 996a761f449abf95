// The bundle de-ni-xauslaender and its fixtures, and translations as text for comparisons.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/fixtures.h"

namespace flora::adapter {

inline std::string read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline std::string bundle_folder() {
  return std::string(FLORA_SOURCE_DIR) + "/adapters/de-ni-xauslaender";
}

/// The messages of the bundle's fixtures of one kind (accepted, rejected, skipped), by name.
inline std::vector<std::filesystem::path> fixtures(const std::string& kind) {
  std::vector<std::filesystem::path> found;
  for (const Fixture& fixture : find_fixtures(bundle_folder()).fixtures) {
    if (fixture.kind == kind) found.emplace_back(fixture.message);
  }
  return found;
}

inline std::vector<std::filesystem::path> all_fixtures() {
  std::vector<std::filesystem::path> all;
  for (const Fixture& fixture : find_fixtures(bundle_folder()).fixtures) {
    all.emplace_back(fixture.message);
  }
  return all;
}

/// What must not change when only the writing of a message changes: events and codes, no places.
inline std::string essence(const Translation& translation) {
  std::string out;
  for (const Issue& issue : translation.rejection) out += "rejection " + issue.code + "\n";
  for (const Item& item : translation.items) {
    out += std::to_string(static_cast<int>(item.outcome)) + " " + item.event;
    for (const Issue& issue : item.issues) out += " " + issue.code + " " + issue.at.path;
    out += "\n";
  }
  return out;
}

}  // namespace flora::adapter
