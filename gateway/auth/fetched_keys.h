// The issuer's keys, fetched from its JWKS URI by a thread of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "gateway/auth/key_source.h"
#include "gateway/base/env.h"
#include "gateway/base/result.h"

namespace flora::auth {

struct FetchOptions {
  using ms = std::chrono::milliseconds;
  std::string uri;
  std::string ca_file;       ///< PEM; empty: the system's CAs.
  ms refresh{300'000};       ///< Age at which the set is fetched again.
  ms least_pause{5000};      ///< Between two fetches, whatever asks for them.
  ms longest_pause{60'000};  ///< After a failure; the first one is least_pause, each then doubled.
  ms timeout{5000};          ///< Of one fetch.
  /// Called on the thread, first before any set is there: why the set in use is none or not the
  /// newest; empty if it is. May be left out.
  std::function<void(const std::string& reason)> tell;
};

/// A set that cannot be used leaves the last good one in force, for as long as it takes.
class FetchedKeys final : public KeySource {
 public:
  /// Begins to fetch; does not wait for it. Errors: unavailable (libcurl cannot be used).
  static Result<std::unique_ptr<FetchedKeys>> start(FetchOptions options, Env& env);

  /// A fetch under way is broken off.
  ~FetchedKeys() override;

  std::shared_ptr<const KeySet> current() const override;
  void ask() override;

 private:
  class Fetcher;
  explicit FetchedKeys(std::unique_ptr<Fetcher> fetcher);
  std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace flora::auth
