#include "adapters/lint.h"

#include <map>

#include "adapters/engine/bundle_files.h"
#include "adapters/engine/mistakes.h"

namespace flora::adapter {

std::string to_string(const Finding& finding) {
  return finding.file + ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column) +
         ": " + finding.message + " [" + finding.number + "]";
}

std::vector<Finding> lint(const std::vector<std::string>& folders, const CanonicalTypes* types) {
  std::vector<Finding> found;
  std::map<std::string, std::string> folder_of;  // By id.
  for (const std::string& folder : folders) {
    const Result<BundleFiles> files = read_bundle(folder);
    if (!files) {
      found.push_back({folder + "/adapter.yaml", 1, 1, number_of(Mistake::file_missing),
                       files.error().message});
      continue;
    }
    Compilation compilation = examine(*files, types);
    const std::string& id = compilation.plan->info.id;
    const auto [other, first] = folder_of.try_emplace(id, folder);
    if (!id.empty() && !first) {
      const yaml::Position at = compilation.plan->id_at;
      compilation.findings.push_back({"adapter.yaml", at.line, at.column,
                                      number_of(Mistake::id_twice),
                                      "the bundle in " + other->second + " has the same id"});
    }
    for (Finding& finding : compilation.findings) {
      finding.file = folder + "/" + finding.file;
      found.push_back(std::move(finding));
    }
  }
  return found;
}

}  // namespace flora::adapter
