// The last check before a transaction is written: nothing that could name a person passes. It is
// structural, a closed schema with closed lists, because a search for patterns alone does not do
// (most hashes hold seven digits in a row).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/model/catalogue.h"
#include "gateway/model/status_event.h"
#include "gateway/model/transaction.h"
#include "gateway/privacy/known_adapters.h"
#include "openapi/document.h"

namespace flora::privacy {

/// The lists that the configuration closes; the schemas of the OpenAPI document close the others.
struct ClosedLists {
  std::set<std::string, std::less<>> channels;
  std::set<std::string, std::less<>> catalogues;  ///< Versions of the status catalogue.
  const KnownAdapters* adapters = nullptr;        ///< Outlives the guard; null: there are none.
};

/// The lists that the policy in force closes; views of them.
struct PolicyLists {
  const std::set<std::string, std::less<>>& authorities;
  const std::set<std::string, std::less<>>& sites;
};

/// Immutable and thread-safe.
class Guard {
 public:
  /// Errors: not_found (a schema that the catalogue names is not in the document).
  static Result<Guard> make(const openapi::Document& document, const Catalogue& catalogue,
                            ClosedLists lists);

  /// Checks a transaction on its way to the ledger against the event that it came from. Its
  /// generated members may still be empty: they are made by the gateway in their exact shape.
  /// Errors: invalid, naming the member, never a value.
  Result<void> check(const Transaction& transaction, const StatusEvent& event,
                     const PolicyLists& policy) const;

  /// The same for a tombstone, which comes from no event.
  Result<void> check(const Tombstone& tombstone, const PolicyLists& policy) const;

 private:
  Guard() = default;
  openapi::Schema transaction_;
  openapi::Schema tombstone_;
  std::map<std::string, openapi::Schema, std::less<>> details_;  // By status.
  ClosedLists lists_;
};

}  // namespace flora::privacy
