// The adapters that the gateway works with, replaceable while requests run: what lies in the folder
// of a bundle is compiled and tested aside, and takes the place of the old version at once. A
// request keeps the adapter that it began with.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/fixtures.h"

namespace flora::adapter {

/// A bundle in use.
struct InstalledBundle {
  std::shared_ptr<const Adapter> adapter;
  std::size_t fixtures = 0;  ///< Of its folder; it has passed all.
  /// Why what lies in the folder now is not in use. Empty: it is.
  std::vector<std::string> refused;
};

/// Thread-safe.
class Installed {
 public:
  /// Called with an adapter before it comes into use. If it fails, the adapter does not.
  using BeforeUse = std::function<Result<void>(const Adapter&)>;

  /// Compiles each folder's bundle and runs its fixtures. Errors: invalid, with all reasons of all
  /// bundles, one per line; also where two bundles have the same id. `types` and `check` as in
  /// Adapter::load and run_fixtures.
  static Result<std::unique_ptr<Installed>> load(const std::vector<std::string>& folders,
                                                 CanonicalTypes types, EventCheck check = {});

  /// Does the same again, and replaces each bundle for which all of it succeeds, `before_use`
  /// included. The others stay as they are, with the reasons in InstalledBundle::refused. No bundle
  /// comes or goes: a folder whose adapter has another id now is refused. Blocks. One at a time.
  void reload(const BeforeUse& before_use);

  /// nullptr if there is none of this id.
  std::shared_ptr<const Adapter> find(std::string_view id) const;

  /// By id.
  std::vector<InstalledBundle> list() const;

 private:
  struct Place {
    std::string folder;
    InstalledBundle bundle;
  };

  Installed(CanonicalTypes types, EventCheck check)
      : types_(std::move(types)), check_(std::move(check)) {}
  InstalledBundle examine(const std::string& folder) const;
  InstalledBundle replacement(const Place& place, const BeforeUse& before_use) const;

  const CanonicalTypes types_;
  const EventCheck check_;
  mutable std::mutex mutex_;
  std::map<std::string, Place, std::less<>> places_;  // By id; only the bundles change.
};

}  // namespace flora::adapter
