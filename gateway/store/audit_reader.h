// For operators and auditors: the audit trail as it stands in a store's file, also beside a running
// gateway; and how it goes on after records were lost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/store/store.h"

namespace flora::store {

/// Read-only. Not thread-safe.
class AuditReader {
 public:
  /// Errors: not_found (there is no file, or it is of a version without audit trail), unavailable,
  /// corrupt.
  static Result<AuditReader> open(const sql::Place& place);

  /// From here on everything is read as it stands now. While it lasts the gateway's write-ahead log
  /// grows: for what ends soon.
  Result<void> hold();

  /// By number.
  Result<std::vector<SealedSegment>> segments();

  /// Groups in order, from the one that holds record `first`, or the one before it, to one that
  /// begins with `last` at most; kChunk at most. None that ends with `first` or later: there is no
  /// more.
  Result<std::vector<AuditGroup>> chunk(std::int64_t first, std::int64_t last);
  /// Groups that are read with one query: between two the gateway may tidy up its write-ahead log.
  static constexpr std::int64_t kChunk = 16;

  /// The number of the first record that is not older; one above the newest if there is none.
  Result<std::int64_t> first_since(Instant at);

  /// The newest record and its head; number 0, hash unset, if there is no record.
  Result<AuditHead> newest();

  /// Calls `use` for each group that begins with one of the records `first` to `last`, in order,
  /// until it returns an error, which is returned.
  Result<void> groups(std::int64_t first, std::int64_t last,
                      const std::function<Result<void>(const AuditGroup&)>& use);

 private:
  explicit AuditReader(std::unique_ptr<sql::Database> database) : database_(std::move(database)) {}

  std::unique_ptr<sql::Database> database_;
};

/// The note in a head file; nothing if there is none. Also beside a running gateway. Errors:
/// unavailable.
Result<std::optional<std::string>> read_signed_head(const std::string& path,
                                                    const std::string& vfs = {});

/// Lets a trail go on whose end is lost, or may be: its next record says so, and its number is one
/// that was never used. While no gateway runs; durable on return. Errors: those of Store::open but
/// for what is missing at the end.
Result<void> continue_audit(const sql::Place& place, const AuditOptions& options, Instant now);

}  // namespace flora::store
