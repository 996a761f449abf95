// Writes one ledger database: batches of entries, each under one signed checkpoint.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "gateway/base/sqlite.h"
#include "ledger-client/embedded/checkpoint_file.h"
#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/ledger.h"
#include "ledger-client/merkle/growing_tree.h"
#include "ledger-client/merkle/note.h"

namespace flora::ledger {

/// Not thread-safe: one thread writes.
class LogWriter {
 public:
  struct Options {
    std::string database;
    std::string checkpoint_file;
    std::string origin;
    std::string vfs;
    int max_wal_pages;
  };

  /// Opens or creates; see EmbeddedLedger::open(). The caller holds the lock. `key` must outlive
  /// the writer.
  static Result<std::unique_ptr<LogWriter>> open(const Options& options,
                                                 const crypto::Ed25519Key& key, Env& env);

  /// Syncs the checkpoint file.
  ~LogWriter();

  /// Records entries in order, in one transaction with one signed checkpoint, which then also
  /// stands in the checkpoint file. Durable on success, with one result per entry (errors: invalid,
  /// conflict). Bodies are moved from. Errors of the whole: overloaded and unavailable (nothing is
  /// recorded, the writer can go on); uncertain and corrupt (it must not be used again).
  Result<std::vector<Result<Position>>> record(std::span<LedgerEntry* const> entries);

  /// Work that may wait until answers are given: moves the write-ahead log into the database if it
  /// has grown large, and syncs the checkpoint file once a second. Errors: as SQLite's, uncertain;
  /// the writer must not be used again.
  Result<void> tidy();

  /// True if the checkpoint file has something to sync: call tidy() again within a second.
  bool is_dirty() const { return file_.is_dirty(); }

  std::uint64_t size() const { return tree_.size(); }
  const std::string& checkpoint() const { return note_; }
  const std::vector<Origin>& origins() const { return origins_; }

 private:
  LogWriter(sqlite::Database database, CheckpointFile file, const crypto::Ed25519Key& key, Env& env,
            int max_wal_pages);

  Result<void> start(const Options& options);
  Result<void> load_tree();
  Result<void> compare_with_file();
  Result<void> prepare();
  Result<void> record_entry(LedgerEntry& entry, std::vector<Result<Position>>& results);
  Result<Position> position_of(const LedgerEntry& entry);
  Result<void> write_tiles(std::uint64_t old_size);
  Result<void> write_checkpoint();
  Result<std::vector<Result<Position>>> abandon(Error error);
  void attach_receipts(std::uint64_t old_size, std::span<LedgerEntry* const> entries,
                       std::vector<Result<Position>>& results);

  struct Statements;

  sqlite::Database database_;
  CheckpointFile file_;
  const crypto::Ed25519Key& key_;
  std::unique_ptr<Statements> statements_;
  std::vector<Origin> origins_;
  GrowingTree tree_;
  std::string note_;
  Env& env_;
  std::int64_t synced_ns_;  // When the checkpoint file was synced.
  const int max_wal_pages_;
  int wal_pages_ = 0;
};

}  // namespace flora::ledger
