// An export: lines that somebody takes away and can verify offline, with the audit's verifier key
// alone. First the seals of the segments that it touches, then the records as they stand in the
// trail, then one signed statement about all lines before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/audit/chain.h"
#include "gateway/audit/trail.h"
#include "gateway/model/audit.h"

namespace flora::audit {

/// Makes the lines; each with its line feed. Not thread-safe.
class ExportWriter {
 public:
  /// `statement` but for lines and content. The trail must outlive it.
  ExportWriter(const Trail& trail, ExportStatement statement);

  /// The lines of those seals that say something about the records that are looked at.
  std::string seals(const std::vector<SealedSegment>& segments);
  /// The line of one record.
  std::string record(std::string_view text);
  /// The last line.
  std::string finish();

 private:
  std::string line(std::string text);

  const Trail& trail_;
  ExportStatement statement_;
};

/// What an export shows.
struct ExportReport {
  ExportStatement statement;
  std::int64_t records = 0;
  /// Of these the hash chain is closed: the records are all there are, as they were sealed.
  std::int64_t whole_segments = 0;
  std::int64_t partial_segments = 0;  ///< Of these not: records were left out.
  std::vector<std::string> findings;

  bool clean() const { return findings.empty(); }
};

/// Not thread-safe. Call line() for each line, then finish().
class ExportCheck {
 public:
  explicit ExportCheck(ledger::NoteVerifier verifier);

  /// Without its line feed.
  void line(std::string_view text);
  ExportReport finish();

 private:
  void find(std::string what);
  void seal(std::string_view note);
  void statement(std::string_view note);
  void record(std::string_view text);
  void pass_seals(std::int64_t number);
  void close_segment();

  ledger::NoteVerifier verifier_;
  std::vector<AuditSegment> segments_;
  std::size_t next_segment_ = 0;  // That the next record may be in.
  std::optional<AuditHead>
      head_;               // Behind the last record; nothing: records before it are missing.
  std::int64_t last_ = 0;  // The number of the last record.
  AuditHead content_;      // Number: of lines.
  bool ended_ = false;     // The statement has come.
  ExportReport report_;
};

}  // namespace flora::audit
