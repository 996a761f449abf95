// Which of the files that are read again while the gateway runs are in force as they lie there, for
// the operators.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flora::api {

/// Thread-safe.
class ConfigurationState {
 public:
  using Reasons = std::vector<std::string>;

  /// Why a part, such as `policy`, is not in force as it lies there. No reason: it is.
  void set(std::string_view part, Reasons reasons) {
    const std::lock_guard lock(mutex_);
    parts_.insert_or_assign(std::string(part), std::move(reasons));
  }

  /// By part.
  std::map<std::string, Reasons> all() const {
    const std::lock_guard lock(mutex_);
    return parts_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Reasons> parts_;
};

}  // namespace flora::api
