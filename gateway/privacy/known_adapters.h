// The adapters whose names may stand on the ledger. The list grows when a new version of a bundle
// comes into use; what an earlier version made and is on its way stays good.
#pragma once

#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <tuple>

#include "gateway/model/transaction.h"

namespace flora::privacy {

/// Thread-safe.
class KnownAdapters {
 public:
  /// Only for what is durably kept: whoever reads the ledger must be able to look it up.
  void add(const AdapterMark& mark) {
    const std::unique_lock lock(mutex_);
    marks_.emplace(mark.id, mark.version, mark.hash);
  }

  bool contains(const AdapterMark& mark) const {
    const std::shared_lock lock(mutex_);
    return marks_.contains(std::tie(mark.id, mark.version, mark.hash));
  }

 private:
  mutable std::shared_mutex mutex_;
  std::set<std::tuple<std::string, std::string, std::string>, std::less<>> marks_;
};

}  // namespace flora::privacy
