// Backups of ledger and mapping: when they were made, and their end.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "gateway/model/period.h"
#include "gateway/settings/settings.h"

namespace flora::commands {

/// A folder that holds a backup of the mapping.
struct Backup {
  std::string folder;
  /// What `backup.txt` in the folder says; but never before the newest content of `store.db`, and
  /// that content alone if the text is missing or of the future. A store that has no content of a
  /// known time: when its file was last written.
  Instant made;
};

/// Writes `backup.txt` into the folder, which is made if it is missing: when the backup was made
/// and when it expires. Durable on return. Errors: conflict (there is a backup already),
/// unavailable.
Result<void> date_backup(const std::string& folder, const Period& period, Env& env);

/// Errors: not_found (there is no `store.db`), corrupt (what has this name is no store of this
/// program, and no backup that was broken off), unavailable.
Result<Backup> read_backup(const std::string& folder, Env& env);

/// The folders below one, and itself, that hold a file `store.db`, in their order. Symbolic links
/// are not followed. Errors: not_found, unavailable.
Result<std::vector<std::string>> backup_folders(const std::string& root);

/// Deletes the files of a backup, and the folder if nothing else is in it. What has the name of one
/// of its files and is something else by its content stays. Errors: unavailable.
Result<void> delete_backup(const Backup& backup, Env& env);

/// `ledger prune-backups <folder> [--dry-run]`: deletes the backups below a folder that have
/// expired, and tells of each. Beside running gateways: it touches neither the files of these
/// settings nor a folder that has a read model, as another gateway's has.
int prune_backups(const settings::Settings& settings, const std::string& root, bool dry_run,
                  Env& env);

}  // namespace flora::commands
