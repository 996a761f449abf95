// The audit trail within the store: numbered records in one hash chain, by groups that share the
// commit of what they are about; closed segments; the newest head in a file of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/sql.h"
#include "gateway/store/store.h"
#include "ledger-client/embedded/checkpoint_file.h"

namespace flora::store {

/// The writer's side; used by one thread. The database must outlive it.
///
/// The head file is written behind a commit, once in kHeadPause at most, and not synced before a
/// segment ends: after a kill it names a head of about that age, after a power loss perhaps an
/// older one, but never one that the database lacks.
class AuditLog {
 public:
  static constexpr std::chrono::milliseconds kHeadPause{100};

  /// Errors: corrupt (the last group does not fit, or the head file names records that are not
  /// there, or is missing although there are records), invalid (there is no format), unavailable.
  static Result<AuditLog> open(sql::Database& database, AuditOptions options,
                               const std::string& vfs);

  /// Goes on although records may be missing: the first record says so. Numbers are not used twice.
  /// Within a transaction; the caller commits, and calls committed().
  static Result<AuditLog> continue_at(sql::Database& database, AuditOptions options,
                                      const std::string& vfs, Instant now);

  /// Others have added records: reads again where the trail stands. At the beginning of a
  /// transaction. Errors: corrupt (what was there before is not there any more).
  Result<void> catch_up(sql::Database& database);

  /// Adds a record to the group that the next write() writes.
  void add(std::string body) { waiting_.push_back(std::move(body)); }
  void add(std::string_view opening, const Outcome& outcome);

  /// Writes what was added, closes a segment that is due, and deletes a little of what has been
  /// kept long enough. Within the writer's transaction.
  Result<void> write(Instant now);

  /// After the commit, at this time of a clock that only goes forward, or after it was taken back.
  void committed(std::chrono::nanoseconds now);
  void rolled_back();

  /// How long write() need not be called if there is nothing to be added.
  std::chrono::milliseconds pause() const;

  const AuditFormat& format() const { return *options_.format; }

  /// Makes the newest head durable in its file; at the end.
  void sync();

 private:
  // What a transaction changes.
  struct State {
    AuditHead head;
    Instant at;                // Of the last record: time never goes back.
    std::int64_t highest = 0;  // The highest number that was ever used.
    std::int64_t segment = 1;
    AuditHead before;           // Behind the last closed segment.
    std::int64_t first = 0;     // Of the open segment; 0: it has no record.
    Instant begin;              // Of that record.
    std::int64_t deleting = 0;  // Records up to this number are being deleted; 0: none.
    Instant next_deletion;      // No segment has to go before.
  };
  struct Statements {
    sql::Statement insert_group;
    sql::Statement insert_segment;
    sql::Statement mark_deleted;
    sql::Statement oldest_segment;
    sql::Statement delete_groups;
  };

  AuditLog(AuditOptions options, ledger::CheckpointFile file, Statements statements);
  static Result<AuditLog> load(sql::Database& database, AuditOptions options,
                               const std::string& vfs);
  Result<void> load_closed(sql::Database& database);
  Result<void> load_open(sql::Database& database);
  Result<void> check_last(const AuditGroup& last, const Digest& before) const;
  Result<void> check_signed_head(sql::Database& database);
  Result<bool> is_in_trail(sql::Database& database, const AuditHead& head) const;
  Result<void> begin_head_file(sql::Database& database);
  Result<bool> has_kept_file(sql::Database& database) const;
  Result<void> remember_keeper(sql::Database& database) const;

  bool is_due(Instant at) const;
  Result<void> close_segment();
  Result<void> begin_deletion(Instant at);
  Result<void> delete_some();
  Result<void> write_group(Instant at);
  bool head_waits() const { return settled_.head != written_; }
  Result<void> write_head();
  void report(const Result<void>& written);

  AuditOptions options_;
  ledger::CheckpointFile file_;
  Statements statements_;
  std::vector<std::string> waiting_;  // Bodies.
  State state_;
  State settled_;                           // As of the last commit.
  AuditHead written_;                       // As in the head file.
  std::chrono::nanoseconds next_write_{0};  // Of the head file.
  bool hampered_ = false;                   // The last transaction was taken back.
  bool head_failed_ = false;                // The head file could not be written.
};

}  // namespace flora::store
