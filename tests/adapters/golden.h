// Translations as text, for golden files and comparisons.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/base/json.h"

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

/// The messages of a bundle's fixtures of one kind (accepted, rejected, skipped), by name.
inline std::vector<std::filesystem::path> fixtures(const std::string& kind) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(bundle_folder() + "/fixtures/" + kind)) {
    if (entry.path().extension() == ".xml") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline std::vector<std::filesystem::path> all_fixtures() {
  std::vector<std::filesystem::path> all;
  for (const char* kind : {"accepted", "rejected", "skipped"}) {
    for (const auto& path : fixtures(kind)) all.push_back(path);
  }
  return all;
}

/// All that the sender is told, one item or issue to a line. The place of the rule is left out: it
/// changes with every edit of adapter.yaml.
inline std::string render(const Translation& translation) {
  std::string out = "{\n";
  const auto issues = [&out](const std::vector<Issue>& list) {
    out += "[";
    for (const Issue& issue : list) {
      out += &issue == &list.front() ? "\n    " : ",\n    ";
      out += "{\"code\":";
      json::append_string(out, issue.code);
      out += ",\"line\":" + std::to_string(issue.at.line) +
             ",\"column\":" + std::to_string(issue.at.column);
      out += ",\"path\":";
      json::append_string(out, issue.at.path);
      out += ",\"detail\":";
      json::append_string(out, issue.detail);
      out += "}";
    }
    out += "]";
  };
  if (!translation.rejection.empty()) {
    out += "  \"rejection\": ";
    issues(translation.rejection);
    return out + "\n}\n";
  }
  out += "  \"items\": [";
  for (const Item& item : translation.items) {
    out += item.number == 0 ? "\n" : ",\n";
    out += "  {\"number\":" + std::to_string(item.number) +
           ",\"line\":" + std::to_string(item.at.line) +
           ",\"column\":" + std::to_string(item.at.column) + ",\n   ";
    if (item.outcome == Item::Outcome::event) {
      out += "\"event\":" + item.event + "}";
      continue;
    }
    out += item.outcome == Item::Outcome::rejected ? "\"rejected\":" : "\"skipped\":";
    issues(item.issues);
    out += "}";
  }
  return out + "\n  ]\n}\n";
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
