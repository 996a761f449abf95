// The embedded ledger: a transparency log (RFC 9162 tree, C2SP checkpoints, tiles and proofs) in
// one SQLite file, for exactly one process. One thread writes: it takes all that was queued since
// its last commit, commits it under one signed tree head, and completes all waiting submissions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "ledger-client/ledger.h"

namespace flora::ledger {

struct EmbeddedOptions {
  std::string database;         ///< The path of ledger.db; its folder must exist.
  std::string checkpoint_file;  ///< Keep it on another disk, or at least out of the same backups.
  std::string origin;           ///< Names log and environment, such as `flora.example/test`.
  crypto::Ed25519Key key;       ///< Signs the checkpoints.
  std::string vfs = {};         ///< An SQLite VFS for database and checkpoint file; for tests.

  /// The write-ahead log is moved into the database when it has this many pages of 4 KiB.
  int max_wal_pages = 4'000;
  std::size_t max_queued_entries = 65'536;          ///< Beyond it submit() answers overloaded.
  std::size_t max_queued_bytes = 64 * 1024 * 1024;  ///< The same for the bodies' bytes.

  /// Called at most once, on the ledger's thread, when it can no longer write (a commit or a sync
  /// failed): waiting submissions have been answered. The process should end and start anew.
  std::function<void(const Error&)> on_fatal = {};
};

/// Thread-safe, like each Ledger.
class EmbeddedLedger final : public Ledger {
 public:
  /// Opens or creates the ledger and takes its lock. Start-up reads the right edge of the tree
  /// only: time and memory do not depend on the number of entries. Errors: invalid (the options;
  /// another origin, key or a newer schema; the database is behind the last signed checkpoint or
  /// contradicts it), unavailable (locked, I/O), corrupt.
  static Result<std::unique_ptr<EmbeddedLedger>> open(EmbeddedOptions options, Env& env);

  /// Commits what is queued, answers it, and closes.
  ~EmbeddedLedger() override;

  void submit(std::vector<LedgerEntry> entries, Done done) override;
  Result<std::optional<std::uint64_t>> find(const Uuid& id) override;
  Result<Receipt> receipt(const Uuid& id) override;
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override;
  std::uint64_t size() override;

  /// The last published checkpoint, a signed note. Does not block.
  std::string checkpoint();

  /// The first `width` (1 … 256) hashes of a tile. Errors: not_found (the published tree does not
  /// have them). Blocks on the disk.
  Result<std::string> tile(unsigned level, std::uint64_t n, unsigned width);

  /// The first `width` (1 … 256) entries from number 256·n on, each after its length (16 bits,
  /// big-endian). Errors: not_found. Blocks on the disk.
  Result<std::string> entry_bundle(std::uint64_t n, unsigned width);

  /// The verifier key, in text form, of the present origin.
  std::string vkey() const;

  /// Those of all origins, the first one first; more than one after a restore that accepted a loss.
  const std::vector<std::string>& vkeys() const override;

 private:
  class Core;
  explicit EmbeddedLedger(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace flora::ledger
