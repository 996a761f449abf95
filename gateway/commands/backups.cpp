#include "gateway/commands/backups.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <utility>

#include "gateway/commands/commands.h"
#include "gateway/commands/exit_code.h"
#include "gateway/erasure/copies.h"
#include "gateway/store/last_change.h"
#include "ledger-client/embedded/log_reader.h"

namespace flora::commands {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstLine = "flora-gateway backup\n";
constexpr std::string_view kMade = "made ";
constexpr std::string_view kDatabase = "SQLite format 3";
constexpr std::size_t kMostText = 1 << 16;

std::string text_file(const std::string& folder) { return folder + "/backup.txt"; }
std::string store_file(const std::string& folder) { return folder + "/store.db"; }
std::string ledger_file(const std::string& folder) { return folder + "/ledger.db"; }
std::string checkpoint_file(const std::string& folder) { return folder + "/checkpoint"; }

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() == fs::file_type::regular;
}

// Nothing: the file is not there, or not of this program.
std::optional<Instant> date_of(const std::string& folder, Env& env) {
  const auto text = env.read_file(text_file(folder), kMostText);
  if (!text || !text->starts_with(kFirstLine)) return std::nullopt;
  const std::string_view rest = std::string_view(*text).substr(kFirstLine.size());
  if (!rest.starts_with(kMade)) return std::nullopt;
  return parse_instant(rest.substr(kMade.size(), rest.find('\n') - kMade.size()));
}

// A copy that was broken off cannot be opened and begins as one; an empty one has nothing at all.
bool begins_as_database(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(kDatabase.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return file.gcount() == 0 || begin == kDatabase;
}

bool is_checkpoint(const std::string& path, Env& env) {
  const auto text = env.read_file(path, kMostText);
  return text && text->find("\n\n\u2014 ") != std::string::npos;
}

void remove_if_empty(const std::string& folder) {
  std::error_code ignored;
  fs::remove(folder, ignored);  // Does not remove a folder that holds something.
}

// Is it what a gateway works with?
bool is_live(const std::string& folder, const settings::Settings& settings) {
  std::error_code error;
  return fs::equivalent(store_file(folder), settings.store_database(), error) ||
         fs::equivalent(folder, settings.data_folder, error);
}

// No backup has a read model; a gateway makes one at its start.
bool may_be_worked_with(const std::string& folder) { return is_file(folder + "/view.db"); }

// One line about it; false if it should be gone and is not, or nobody knows.
bool prune(const std::string& folder, const settings::Settings& settings, bool dry_run, Env& env) {
  if (is_live(folder, settings)) {
    std::cout << "IN USE " << folder << ": these are the gateway's own files\n";
    return true;
  }
  if (may_be_worked_with(folder)) {
    std::cout << "LEFT ALONE " << folder
              << ": with view.db in it, it is perhaps what another gateway works with\n";
    return false;
  }
  const auto backup = read_backup(folder, env);
  if (!backup) {
    std::cout << "LEFT ALONE " << folder << ": " << backup.error().message << '\n';
    return false;
  }
  const Instant now{env.now_ms()};
  const Instant expires = end_of(backup->made, settings.retention.periods.copies);
  const std::string dates =
      ": made " + to_string(backup->made) + ", expires " + to_string(expires) + '\n';
  if (backup->made > now) {
    std::cout << "LEFT ALONE " << folder << dates << "  a clock is or was wrong\n";
    return false;
  }
  if (expires > now) {
    std::cout << "KEPT " << folder << dates;
    return true;
  }
  if (dry_run) {
    std::cout << "EXPIRED " << folder << dates;
    return true;
  }
  const Result<void> deleted = delete_backup(*backup, env);
  std::cout << (deleted ? "DELETED " : "NOT DELETED ") << folder << dates;
  if (!deleted) std::cout << "  " << deleted.error().message << '\n';
  return deleted.has_value();
}

}  // namespace

Result<void> date_backup(const std::string& folder, const Period& period, Env& env) {
  std::error_code error;
  for (const std::string& file : {store_file(folder), ledger_file(folder), text_file(folder)}) {
    if (fs::exists(file, error)) return Error{Errc::conflict, file + " is there already"};
  }
  fs::create_directories(folder, error);
  if (error) return Error{Errc::unavailable, "cannot make " + folder + ": " + error.message()};
  const Instant now{env.now_ms()};
  std::string text(kFirstLine);
  text +=
      std::string(kMade) + to_string(now) + "\nexpires " + to_string(end_of(now, period)) + '\n';
  return env.replace_file(text_file(folder), text, 0600);
}

Result<Backup> read_backup(const std::string& folder, Env& env) {
  const std::string store = store_file(folder);
  if (!is_file(store)) return Error{Errc::not_found, store + " is not there"};
  std::optional<Instant> dated = date_of(folder, env);
  if (dated && *dated > Instant{env.now_ms()}) dated.reset();
  const auto changed = store::last_change(store);
  if (!changed) {
    const bool broken_off = dated && begins_as_database(store);
    if (!broken_off) return changed.error();
    return Backup{folder, *dated};
  }
  if (dated) return Backup{folder, std::max(*dated, changed->value_or(*dated))};
  if (*changed) return Backup{folder, **changed};
  FLORA_ASSIGN(const Instant written, erasure::last_written(store));
  return Backup{folder, written};
}

Result<std::vector<std::string>> backup_folders(const std::string& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) return Error{Errc::not_found, root + " is no folder"};
  std::vector<std::string> folders;
  if (is_file(store_file(root))) folders.push_back(root);
  fs::recursive_directory_iterator below(root, error);
  while (!error && below != fs::recursive_directory_iterator()) {
    const std::string path = below->path().string();
    if (below->is_directory(error) && !below->is_symlink(error) && is_file(store_file(path))) {
      folders.push_back(path);
    }
    below.increment(error);
  }
  if (error) return Error{Errc::unavailable, "cannot read all of " + root + ": " + error.message()};
  std::ranges::sort(folders);
  return folders;
}

// The mapping goes last: what was broken off is found again by it.
Result<void> delete_backup(const Backup& backup, Env& env) {
  const std::string& folder = backup.folder;
  const bool is_ledger =
      is_file(ledger_file(folder)) && ledger::LogReader::open(ledger_file(folder)).has_value();
  if (is_ledger) FLORA_TRY(erasure::destroy_database(ledger_file(folder)));
  if (is_file(checkpoint_file(folder)) && is_checkpoint(checkpoint_file(folder), env)) {
    FLORA_TRY(erasure::destroy_file(checkpoint_file(folder)));
  }
  FLORA_TRY(erasure::destroy_database(store_file(folder)));
  if (date_of(folder, env)) FLORA_TRY(erasure::destroy_file(text_file(folder)));
  remove_if_empty(folder);
  return {};
}

int prune_backups(const settings::Settings& settings, const std::string& root, bool dry_run,
                  Env& env) {
  const auto folders = backup_folders(root);
  if (!folders) return fail(folders.error());
  bool good = true;
  for (const std::string& folder : *folders) good = prune(folder, settings, dry_run, env) && good;
  return good ? kDone : kFailed;
}

}  // namespace flora::commands
