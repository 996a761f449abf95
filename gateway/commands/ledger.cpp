// `flora-gateway ledger …` and `init`: what operators do with files.
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "gateway/base/bytes.h"
#include "gateway/base/sqlite.h"
#include "gateway/commands/backups.h"
#include "gateway/commands/commands.h"
#include "gateway/commands/definitions.h"
#include "gateway/commands/exit_code.h"
#include "gateway/commands/open_ledger.h"
#include "gateway/erasure/copies.h"
#include "gateway/store/audit_reader.h"
#include "gateway/store/purge.h"
#include "gateway/store/reopen.h"
#include "ledger-client/embedded/lock_file.h"
#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/embedded/operations.h"

namespace flora::commands {
namespace {

constexpr std::size_t kEntriesAtOnce = 1024;

Result<ledger::LedgerFiles> files_of(const settings::Settings& settings, Env& env) {
  FLORA_ASSIGN(const crypto::Ed25519Key key, load_ledger_key(settings, env));
  return ledger::LedgerFiles{settings.ledger_database(), settings.ledger_checkpoint_file,
                             settings.ledger_origin, key.public_key()};
}

int print(std::string_view what, const Result<ledger::CheckReport>& report) {
  if (!report) return fail(report.error());
  for (const std::string& finding : report->findings) std::cout << "FINDING " << finding << '\n';
  std::cout << what << ": " << report->entries << " entries, tree head of size "
            << report->head.size << ", " << report->findings.size() << " findings\n";
  return report->clean() ? 0 : 1;
}

// A copy has no remains of deleted rows either: what is erased from it later is gone.
Result<void> copy_store(sqlite::Database& from, const std::string& to) {
  FLORA_TRY(from.backup_to(to));
  FLORA_ASSIGN(auto copy, sqlite::Database::open(to, sqlite::Mode::read_write));
  return copy.wipe_remains();
}

// One moment of the mapping, held for a copy.
class HeldStore {
 public:
  static Result<HeldStore> open(const std::string& path) {
    FLORA_ASSIGN(auto held, sqlite::Database::open(path, sqlite::Mode::read_only));
    FLORA_ASSIGN(auto present, sqlite::Database::open(path, sqlite::Mode::read_only));
    HeldStore store(std::move(held), std::move(present));
    FLORA_TRY(store.hold());
    return store;
  }

  // True if nothing was written since; else the present moment is held.
  Result<bool> is_present() {
    FLORA_ASSIGN(const std::int64_t now, version());
    if (now == version_) return true;
    held_.rollback();
    FLORA_TRY(hold());
    return false;
  }

  Result<void> copy_to(const std::string& target) { return copy_store(held_, target); }

 private:
  HeldStore(sqlite::Database held, sqlite::Database present)
      : held_(std::move(held)), present_(std::move(present)) {}

  Result<void> hold() {
    FLORA_ASSIGN(version_, version());
    FLORA_TRY(held_.begin());
    FLORA_TRY(held_.schema_version());  // The first read takes hold.
    return {};
  }

  // Changes whenever another connection commits.
  Result<std::int64_t> version() {
    FLORA_ASSIGN(auto statement, present_.prepare("PRAGMA data_version"));
    FLORA_ASSIGN(const bool row, statement.step());
    if (!row) return Error{Errc::corrupt, "store.db has no version"};
    return statement.integer(0);
  }

  sqlite::Database held_;
  sqlite::Database present_;
  std::int64_t version_ = 0;
};

// Both databases of one moment, in which nothing is accepted: then each transaction of the ledger
// is in the mapping, and what is accepted and not on the ledger waits in the outbox. Otherwise a
// sender who repeats an event after a restore would make a second transaction of it.
int backup(const settings::Settings& settings, const ledger::LedgerFiles& files,
           const std::string& folder, Env& env) {
  const std::string target = folder + "/store.db";
  // First: what is broken off has a date, too.
  const Period& period = settings.retention.periods.copies;
  if (const Result<void> dated = date_backup(folder, period, env); !dated) {
    return fail(dated.error());
  }
  auto store = HeldStore::open(settings.store_database());
  if (!store) return fail(store.error());
  const auto report = ledger::backup(files, folder, [&store] { return store->is_present(); });
  if (report) {
    if (const Result<void> copied = store->copy_to(target); !copied) return fail(copied.error());
  }
  if (report) std::cout << "expires " << to_string(end_of({env.now_ms()}, period)) << '\n';
  return print("backup", report);
}

// What has expired is not to come back.
Result<void> check_date(const std::string& folder, const Period& period, Env& env) {
  FLORA_ASSIGN(const Backup backup, read_backup(folder, env));
  const Instant expires = end_of(backup.made, period);
  if (Instant{env.now_ms()} < expires) return {};
  return Error{Errc::conflict,
               folder + ": this backup was made " + to_string(backup.made) + " and has expired " +
                   to_string(expires) + " (retention.backups: " + to_string(period) +
                   "); restore a newer one and delete it with `ledger prune-backups`. Only a "
                   "longer period in the settings lets it be restored"};
}

// Also where no gateway starts again that would do it.
Result<void> delete_expired_copies(const settings::Settings& settings, Env& env) {
  for (const std::string& database : {settings.store_database(), settings.ledger_database()}) {
    FLORA_ASSIGN(const auto copies, erasure::copies_beside(database));
    for (const erasure::Copy& copy : copies) {
      const Instant expires = end_of(copy.made, settings.retention.periods.copies);
      if (expires <= Instant{env.now_ms()}) FLORA_TRY(erasure::destroy_database(copy.path));
    }
  }
  return {};
}

// The present files stay beside the restored ones.
Result<void> restore_store(const settings::Settings& settings, const std::string& folder,
                           Env& env) {
  const std::string source = folder + "/store.db";
  const std::string suffix = ".before-restore-" + std::to_string(env.now_ms());
  std::error_code error;
  for (const char* ending : {"", "-wal", "-shm"}) {
    const std::string present = settings.store_database() + ending;
    if (!std::filesystem::exists(present, error)) continue;
    std::filesystem::rename(present, settings.store_database() + suffix + ending, error);
    if (error) return Error{Errc::unavailable, "cannot move " + present + ": " + error.message()};
  }
  FLORA_ASSIGN(auto copy, sqlite::Database::open(source, sqlite::Mode::read_only));
  return copy_store(copy, settings.store_database());
}

Result<std::unique_ptr<ledger::EmbeddedLedger>> open_embedded(const settings::Settings& settings,
                                                              Env& env) {
  FLORA_ASSIGN(crypto::Ed25519Key key, load_ledger_key(settings, env));
  return ledger::EmbeddedLedger::open({settings.ledger_database(), settings.ledger_checkpoint_file,
                                       settings.ledger_origin, std::move(key)},
                                      env);
}

// After a loss: what the mapping believes to be on the ledger and is not can be sent again.
Result<std::uint64_t> reopen_lost(const settings::Settings& settings, Env& env) {
  FLORA_ASSIGN(const auto ledger, open_embedded(settings, env));
  return store::reopen_lost(settings.store_database(), *ledger);
}

// The tombstones of a ledger that is about to be replaced; none, if it cannot be read any more.
std::vector<CommittedEntry> tombstones_of(const std::string& database) {
  std::vector<CommittedEntry> found;
  auto reader = ledger::LogReader::open(database);
  std::uint64_t next = 0;
  while (reader) {
    auto entries = reader->entries(next, kEntriesAtOnce);
    if (!entries || entries->empty()) break;
    next = entries->back().index + 1;
    for (CommittedEntry& entry : *entries) {
      const auto procedure = store::buried_by(entry.body);
      if (procedure && *procedure) found.push_back(std::move(entry));
    }
  }
  return found;
}

// What was erased since the backup stays erased.
Result<void> purge(const settings::Settings& settings, const std::vector<CommittedEntry>& lost,
                   Env& env) {
  FLORA_ASSIGN(const auto ledger, open_embedded(settings, env));
  FLORA_ASSIGN(const std::uint64_t purged, store::purge(settings.store_place(), *ledger, lost));
  if (purged > 0) std::cout << purged << " procedures had been erased and were purged\n";
  return {};
}

int restore(const settings::Settings& settings, const ledger::LedgerFiles& files,
            const std::string& folder, bool accept_loss, Env& env) {
  const auto key = load_ledger_key(settings, env);
  if (!key) return fail(key.error());
  if (!folder.empty()) {
    const Result<void> fresh = check_date(folder, settings.retention.periods.copies, env);
    if (!fresh) return fail(fresh.error());
  }
  const auto on_loss = accept_loss ? ledger::OnLoss::new_origin : ledger::OnLoss::refuse;
  const std::vector<CommittedEntry> buried = tombstones_of(files.database);
  const auto restored = ledger::restore(files, *key, folder, on_loss, env);
  if (!restored) return fail(restored.error());
  if (!folder.empty()) {
    // A gateway that has started since the ledger is back must not lose its mapping under its feet.
    const auto lock = ledger::LockFile::acquire(ledger::lock_path(files.database));
    if (!lock) return fail(lock.error());
    if (const Result<void> done = restore_store(settings, folder, env); !done) {
      return fail(done.error());
    }
    // The copy's trail may end before the one that it replaces: its next record says so.
    if (const Result<void> done = continue_audit(settings, env); !done) return fail(done.error());
  }
  if (const Result<void> done = purge(settings, buried, env); !done) return fail(done.error());
  if (accept_loss) {
    const auto reopened = reopen_lost(settings, env);
    if (!reopened) return fail(reopened.error());
    std::cout << *reopened << " events can be sent again\n";
  }
  if (const Result<void> done = delete_expired_copies(settings, env); !done) {
    return fail(done.error());
  }
  // Without a checkpoint file nobody knows what was signed.
  const bool unknown = restored->new_origin && restored->lost == 0;
  std::cout << "restored: tree head of size " << restored->head.size << ", "
            << (unknown ? "an unknown number of" : std::to_string(restored->lost))
            << " signed entries lost" << (restored->new_origin ? ", a new origin begins" : "")
            << '\n';
  return 0;
}

// Makes the read model anew from the front of the ledger; returns the number of its entries.
Result<std::uint64_t> rebuild_view(const settings::Settings& settings, Ledger& ledger, Env& env) {
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(settings.view_database() + ending, error);
    if (error) return Error{Errc::unavailable, "cannot remove view.db: " + error.message()};
  }
  FLORA_ASSIGN(const Canonical canonical, load_canonical(settings.statuses_file, env));
  FLORA_ASSIGN(const auto index, view::ProcedureIndex::open(settings.view_database(), ledger,
                                                            canonical.catalogue.ending()));
  return index->position();
}

// What is derived from the ledger: the read model and, of a network, the local copy.
Result<std::uint64_t> rebuild(const settings::Settings& settings, Env& env) {
  if (settings.fabric) {
    FLORA_ASSIGN(const OpenLedger ledger, follow_anew(settings, env));
    return rebuild_view(settings, ledger.get(), env);
  }
  FLORA_ASSIGN(const auto ledger, open_embedded(settings, env));
  return rebuild_view(settings, *ledger, env);
}

int print_rebuilt(const Result<std::uint64_t>& entries) {
  if (!entries) return fail(entries.error());
  std::cout << "rebuilt: " << *entries << " entries\n";
  return 0;
}

Result<bool> make_secret(const std::string& path, Env& env) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return false;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return Error{Errc::unavailable, "cannot make " + path + ": " + error.message()};
  std::array<std::byte, 32> secret{};
  env.random(secret);
  FLORA_TRY(env.replace_file(path, to_base64(secret) + '\n', 0600));
  return true;
}

// Of the mapping's keys the current ones alone: what older ones have made, no new one can open.
std::vector<std::string> secret_files(const settings::Settings& settings) {
  std::vector<std::string> files = {settings.ledger_key_file, settings.mapping_secret_file};
  for (const auto* keys : {&settings.keys.lookup, &settings.keys.wrapping}) {
    if (!keys->empty()) files.push_back(keys->front().file);
  }
  files.push_back(settings.audit.key_file);
  std::erase(files, std::string());
  return files;
}

}  // namespace

Result<void> continue_audit(const settings::Settings& settings, Env& env) {
  FLORA_ASSIGN(auto trail, load_audit_trail(settings, env));
  return store::continue_audit(settings.store_place(), audit_options(settings, std::move(trail)),
                               Instant{env.now_ms()});
}

int fail(const Error& error) {
  std::cerr << "flora-gateway: " << error.message << '\n';
  return error.code == Errc::invalid ? kUsage : kFailed;
}

int init(const settings::Settings& settings, Env& env) {
  for (const std::string& path : secret_files(settings)) {
    const Result<bool> made = make_secret(path, env);
    if (!made) return fail(made.error());
    std::cout << path << (*made ? " made" : " is there already") << '\n';
  }
  const auto trail = load_audit_trail(settings, env);
  if (!trail) return fail(trail.error());
  std::cout << "audit key: " << ledger::to_text((*trail)->verifier()) << '\n';
  if (settings.fabric) return 0;
  const auto key = load_ledger_key(settings, env);
  if (!key) return fail(key.error());
  std::cout << "verifier key: "
            << ledger::to_text(ledger::NoteVerifier{settings.ledger_origin, key->public_key()})
            << '\n';
  return 0;
}

int ledger(const settings::Settings& settings, const CommandLine& line, Env& env) {
  const std::string action = line.words.size() > 1 ? line.words[1] : "";
  const std::string folder = line.words.size() > 2 ? line.words[2] : "";
  if (action == "rebuild") return print_rebuilt(rebuild(settings, env));
  if (settings.fabric && !action.empty()) {
    return fail({Errc::invalid,
                 settings.store_server
                     ? "the ledger is a network, whose members keep it, and the store is on a "
                       "server, whose own backups are to be used: here is only `ledger rebuild`"
                     : "the ledger is a network, whose members keep it: here is only "
                       "`ledger rebuild`"});
  }
  const auto files = files_of(settings, env);
  if (!files) return fail(files.error());
  if (action == "verify") return print("verify", ledger::verify(*files));
  if (action == "fsck") return print("fsck", ledger::fsck(*files));
  if (action == "backup" && !folder.empty()) return backup(settings, *files, folder, env);
  if (action == "restore") {
    return restore(settings, *files, folder, line.has("--accept-loss"), env);
  }
  if (action == "prune-backups" && !folder.empty()) {
    return prune_backups(settings, folder, line.has("--dry-run"), env);
  }
  return fail({Errc::invalid,
               "ledger verify | fsck | backup <folder> | restore [<folder>] "
               "[--accept-loss] | prune-backups <folder> [--dry-run] | rebuild"});
}

}  // namespace flora::commands
