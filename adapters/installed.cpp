#include "adapters/installed.h"

#include <filesystem>
#include <sstream>
#include <utility>

namespace flora::adapter {
namespace {

// The bundle's folder in words: without the folders that lead to it.
std::string name_of(const std::string& folder) {
  const std::filesystem::path path(folder);
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

// One reason for each line of an error; each mistake of an author begins with the name of its file.
std::vector<std::string> reasons_of(const std::string& folder, const Error& error) {
  if (error.code != Errc::invalid) return {name_of(folder) + ": " + error.message};
  std::vector<std::string> reasons;
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) {
    reasons.push_back(name_of(folder) + '/' + line);
  }
  return reasons;
}

}  // namespace

// With an adapter, or with reasons why there is none that may be used.
InstalledBundle Installed::examine(const std::string& folder) const {
  InstalledBundle bundle;
  Result<std::unique_ptr<Adapter>> adapter = Adapter::load(folder, &types_);
  if (!adapter) {
    bundle.refused = reasons_of(folder, adapter.error());
    return bundle;
  }
  bundle.adapter = std::move(*adapter);
  const FixtureRun run = run_fixtures(*bundle.adapter, folder, check_);
  bundle.fixtures = run.fixtures;
  for (const std::string& failure : run.failures) {
    bundle.refused.push_back(name_of(folder) + "/fixtures/" + failure);
  }
  return bundle;
}

Result<std::unique_ptr<Installed>> Installed::load(const std::vector<std::string>& folders,
                                                   CanonicalTypes types, EventCheck check) {
  std::unique_ptr<Installed> installed(new Installed(std::move(types), std::move(check)));
  std::vector<std::string> reasons;
  for (const std::string& folder : folders) {
    InstalledBundle bundle = installed->examine(folder);
    reasons.insert(reasons.end(), bundle.refused.begin(), bundle.refused.end());
    if (!bundle.refused.empty()) continue;
    const std::string id = bundle.adapter->info().id;
    if (!installed->places_.emplace(id, Place{folder, std::move(bundle)}).second) {
      reasons.push_back(name_of(folder) + ": an adapter with the id " + id + " is there already");
    }
  }
  if (reasons.empty()) return installed;
  std::string message;
  for (const std::string& reason : reasons) message += (message.empty() ? "" : "\n") + reason;
  return Error{Errc::invalid, std::move(message)};
}

void Installed::reload(const BeforeUse& before_use) {
  std::vector<std::pair<std::string, Place>> places;
  {
    const std::lock_guard lock(mutex_);
    places.assign(places_.begin(), places_.end());
  }
  for (const auto& [id, place] : places) {
    InstalledBundle bundle = replacement(place, before_use);
    const std::lock_guard lock(mutex_);
    places_.at(id).bundle = std::move(bundle);
  }
}

InstalledBundle Installed::replacement(const Place& place, const BeforeUse& before_use) const {
  InstalledBundle next = examine(place.folder);
  if (next.refused.empty() && next.adapter->info().id != place.bundle.adapter->info().id) {
    next.refused.push_back(name_of(place.folder) +
                           ": the id is another one; adapters come and go with a restart");
  }
  if (next.refused.empty()) {
    if (const Result<void> ready = before_use(*next.adapter); !ready) {
      next.refused = reasons_of(place.folder, ready.error());
    }
  }
  if (next.refused.empty()) return next;
  return {place.bundle.adapter, place.bundle.fixtures, std::move(next.refused)};
}

std::shared_ptr<const Adapter> Installed::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto at = places_.find(id);
  return at == places_.end() ? nullptr : at->second.bundle.adapter;
}

std::vector<InstalledBundle> Installed::list() const {
  std::vector<InstalledBundle> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, place] : places_) out.push_back(place.bundle);
  return out;
}

}  // namespace flora::adapter
