// Follows a whole trail, from its first segment to its last record, and names what does not fit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/audit/record.h"
#include "ledger-client/merkle/note.h"

namespace flora::audit {

struct CheckReport {
  std::int64_t records = 0;   ///< That are there.
  std::int64_t segments = 0;  ///< Sealed ones.
  std::int64_t deleted = 0;   ///< Segments whose records are gone, as they should be.
  AuditHead head;
  /// What an operator has written down: places where the trail goes on without some records.
  std::vector<std::string> notes;
  std::vector<std::string> findings;  ///< At most 100.

  bool clean() const { return findings.empty(); }
};

/// One check. Not thread-safe. Call signed_head() and segments() first, then group() for each group
/// in order, then finish().
class Check {
 public:
  explicit Check(ledger::NoteVerifier verifier);

  /// The newest signed head, from the file outside the database; nothing: there is no such file.
  void signed_head(const std::optional<std::string>& note);
  /// All of them, by number.
  void segments(const std::vector<SealedSegment>& segments);
  void group(const AuditGroup& group);
  CheckReport finish();

 private:
  struct Sealed {
    AuditSegment segment;
    std::optional<Instant> deleted;
  };
  void find(std::string what);
  bool is_deleted(std::int64_t segment) const;
  void begin_group(const AuditGroup& group);
  void record(std::string_view line, Instant at);
  void open(const Record& record);
  void skip_deleted();
  void close_segment();
  void moved_on();
  void check_deletions();

  ledger::NoteVerifier verifier_;
  std::optional<AuditHead> signed_;
  bool no_signed_head_ = false;
  bool signed_seen_ = false;
  std::vector<Sealed> sealed_;
  std::size_t next_segment_ = 0;  // The sealed segment that the records are in.
  AuditHead head_;
  Instant at_;
  std::map<std::int64_t, Instant> recorded_deletions_;  // By segment.
  CheckReport report_;
};

/// A segment by itself, as it is exported: its records are those of its seal. Not thread-safe.
class SegmentCheck {
 public:
  explicit SegmentCheck(const AuditSegment& segment);

  /// The next record, without its line feed.
  void record(std::string_view line);
  /// Errors: corrupt.
  Result<void> finish() const;

 private:
  AuditSegment segment_;
  AuditHead head_;
  bool numbered_ = true;  // Each record has had a number above the one before.
};

}  // namespace flora::audit
