// Reading the audit trail in bounded pieces: for pages, for exports, and for operators. Blocks on
// the disk: never on a thread that owns connections.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gateway/audit/export.h"
#include "gateway/audit/query.h"
#include "gateway/store/audit_reader.h"

namespace flora::api {

/// The numbers of the records that are still to be looked at. Those that come while somebody reads
/// are not among them: reading is recorded, too, and would never end.
struct AuditRange {
  std::int64_t next = 1;
  std::int64_t last = 0;  ///< Less than `next`: none.

  bool is_empty() const { return next > last; }
};

/// Used by one thread at a time.
class AuditScan {
 public:
  /// From the first record that the query can be about to the newest one. Errors: those of
  /// AuditReader.
  static Result<AuditScan> begin(store::AuditReader reader, audit::Filter filter);
  /// What an earlier one has left; what does not exist is not looked at. Errors: the same.
  static Result<AuditScan> resume(store::AuditReader reader, audit::Filter filter, AuditRange rest);

  /// Looks at up to kLooked records more, until `limit` have passed the filter; gives these. None
  /// does not mean that there are no more: rest() does. A line of the trail that is no record is
  /// left out: naming it is `audit verify`'s.
  Result<std::vector<std::string>> some(std::size_t limit);

  const AuditRange& rest() const { return rest_; }

 private:
  friend class AuditExport;
  static constexpr std::int64_t kLooked = 20'000;

  AuditScan(store::AuditReader reader, audit::Filter filter, AuditRange rest)
      : reader_(std::move(reader)), filter_(std::move(filter)), rest_(rest) {}
  void take(const AuditGroup& group, std::size_t limit, std::vector<std::string>& found);

  store::AuditReader reader_;
  audit::Filter filter_;
  AuditRange rest_;
};

/// An export (gateway/audit/export.h), piece by piece. Used by one thread at a time.
class AuditExport {
 public:
  /// The trail must outlive it. Errors: those of AuditReader.
  static Result<AuditExport> begin(store::AuditReader reader, audit::Filter filter,
                                   const audit::Trail& trail, Instant now);

  /// The records that it looks at.
  const AuditRange& range() const { return range_; }

  /// The next lines, perhaps none. The last ones if is_done() is true afterwards.
  Result<std::string> some();
  bool is_done() const { return done_; }

 private:
  AuditExport(AuditScan scan, audit::ExportWriter writer)
      : scan_(std::move(scan)), writer_(std::move(writer)), range_(scan_.rest()) {}

  AuditScan scan_;
  audit::ExportWriter writer_;
  AuditRange range_;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace flora::api
