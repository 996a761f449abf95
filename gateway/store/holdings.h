// What the store holds that an identifier leads to: for the report that a person may ask for
// (Art. 15 DSGVO).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"
#include "gateway/base/sql.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"

namespace flora::store {

/// An event that was accepted.
struct HeldSubmission {
  Uuid transaction_id;
  std::string authority;  ///< That reported it.
  bool in_outbox = false;
};

/// Of one procedure.
struct Holding {
  Uuid procedure;
  std::optional<Uuid> merged_into;
  /// Of a ledger network of several, those that hold its entries; none: not known, or there is one.
  std::vector<std::string> channels;
  std::vector<IdentifierType> types;        ///< Of the identifiers that are kept, one for each.
  std::vector<HeldSubmission> submissions;  ///< In the order of acceptance.
  std::int64_t kept_answers = 0;
  Instant answers_until;  ///< The last of them goes then.
};

/// The procedures that carry the identifier under one of its hashes, one for each lookup key, and
/// all that these are merged with. Within a transaction, since rows change their keys. Blocks on
/// the disk.
Result<std::vector<Holding>> holdings_of(sql::Database& database,
                                         const std::vector<Digest>& identifier_hashes);

/// The same, of a store's file beside a running gateway. Errors: also not_found.
Result<std::vector<Holding>> holdings_of(const sql::Place& place,
                                         const std::vector<Digest>& identifier_hashes);

}  // namespace flora::store
