// What operators do with an embedded ledger's files: verify, fsck, backup, restore. All of them
// stream: memory does not depend on the number of entries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "ledger-client/merkle/note.h"

namespace flora::ledger {

/// One ledger's files, and what they must be signed with.
struct LedgerFiles {
  std::string database;
  std::string checkpoint_file;
  std::string origin;  ///< The configured one; the ledger may go on under a restored one.
  std::array<std::byte, 32> public_key{};
};

/// What a check saw.
struct CheckReport {
  Checkpoint head;  ///< The last checkpoint in the database.
  std::uint64_t entries = 0;
  std::uint64_t tiles = 0;            ///< Of fsck.
  std::uint64_t checkpoints = 0;      ///< Of fsck.
  std::vector<std::string> findings;  ///< One sentence each; at most 100 are kept.
  bool clean() const { return findings.empty(); }
};

/// Checks what the ledger promises to others, beside a running gateway: the last checkpoint's
/// signature, its root recomputed from each entry's text, and that the tree extends the checkpoint
/// in the checkpoint file. It does not look at tiles, older checkpoints and indexes: fsck does.
/// Errors: not_found, invalid, unavailable, corrupt (the database cannot be opened at all).
Result<CheckReport> verify(const LedgerFiles& files);

/// Checks everything, alone (takes the lock): what verify checks; SQLite's own integrity; that the
/// entries are numbered without gaps, canonical JSON, carry their own id, and were recorded in the
/// order of time; each tile; each checkpoint's signature and root. Errors: as verify.
Result<CheckReport> fsck(const LedgerFiles& files);

/// Says of the moment that a backup has just taken hold of whether it fits to what else is copied.
using GoodMoment = std::function<Result<bool>()>;

/// Copies database and checkpoint into `folder` as `ledger.db` and `checkpoint`, beside a running
/// gateway, and verifies the copy. The folder is created; it must not hold a backup already. The
/// copy is of one moment; while `is_good` says no, another is taken. Durable on success. Errors:
/// conflict (there is one), corrupt (the copy has findings), overloaded (no good moment came),
/// unavailable, and those of `is_good`.
Result<CheckReport> backup(const LedgerFiles& files, const std::string& folder,
                           const GoodMoment& is_good = {});

/// What restore does when signed entries would be lost, or when it cannot know because there is no
/// checkpoint file.
enum class OnLoss {
  refuse,
  new_origin,  ///< Go on under a new origin: the old one never signs another history.
};

struct Restored {
  Checkpoint head;
  std::uint64_t lost = 0;  ///< Entries that were signed and are gone, as far as it is known.
  bool new_origin = false;
};

/// Puts a backup's database in the place of the ledger's, alone (takes the lock). All of the backup
/// is checked first; the replaced files stay beside it as `…before-restore-<time>`. An empty
/// `folder` means: accept the present database as it is. Errors: invalid (something would be lost,
/// and `on_loss` is refuse; nothing is changed), corrupt (the backup has findings), not_found,
/// unavailable.
Result<Restored> restore(const LedgerFiles& files, const crypto::Ed25519Key& key,
                         const std::string& folder, OnLoss on_loss, Env& env);

}  // namespace flora::ledger
