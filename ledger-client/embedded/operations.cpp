#include "ledger-client/embedded/operations.h"

#include <fcntl.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <optional>

#include "ledger-client/embedded/checkpoint_file.h"
#include "ledger-client/embedded/lock_file.h"
#include "ledger-client/embedded/log_check.h"
#include "ledger-client/embedded/log_reader.h"
#include "ledger-client/merkle/tree.h"

namespace flora::ledger {
namespace {

namespace fs = std::filesystem;

constexpr int kMoments = 10'000;

/// The file is read before the database: a gateway that runs commits first and writes it then, so
/// that the database is never behind what was read.
Result<CheckReport> check_files(const LedgerFiles& files, CheckDepth depth) {
  FLORA_ASSIGN(const auto outside, CheckpointFile::read(files.checkpoint_file));
  FLORA_ASSIGN(LogReader reader, LogReader::open(files.database));
  return check(reader, files, outside, depth);
}

Error file_error(const std::string& what, const std::error_code& code) {
  return {Errc::unavailable, what + ": " + code.message()};
}

Result<void> sync_folder_of(const std::string& path) {
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) return Error{Errc::unavailable, "cannot sync the folder of " + path};
  return {};
}

Result<void> move_file(const std::string& from, const std::string& to) {
  std::error_code code;
  if (!fs::exists(from, code)) return {};
  fs::rename(from, to, code);
  if (code) return file_error("cannot move " + from, code);
  return {};
}

void remove_file(const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

void remove_database(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", ""}) remove_file(path + suffix);
}

/// Lets the connection see one moment of the database until it is rolled back.
Result<void> hold_moment(LogReader& source, const GoodMoment& is_good) {
  for (int tries = 0; tries < kMoments; ++tries) {
    FLORA_TRY(source.database().begin());
    FLORA_TRY(source.origins());  // The first read takes hold.
    if (!is_good) return {};
    const Result<bool> good = is_good();
    if (good && *good) return {};
    source.database().rollback();
    if (!good) return good.error();
  }
  return Error{Errc::overloaded, "there is no quiet moment to begin a backup"};
}

/// A copy of one moment of a database, durable, in one file, while another process goes on writing.
Result<void> copy_database(const std::string& from, const std::string& to,
                           const GoodMoment& is_good = {}) {
  remove_database(to);
  FLORA_ASSIGN(LogReader source, LogReader::open(from));
  FLORA_TRY(hold_moment(source, is_good));
  auto copied = source.database().backup_to(to);
  source.database().rollback();
  FLORA_TRY(std::move(copied));
  remove_file(to + "-wal");
  remove_file(to + "-shm");
  return {};
}

/// `20261103T081530123Z`.
std::string compact_time(std::int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts);
  std::string ms = std::to_string(1000 + now_ms % 1000);
  return std::string(text, length) + ms.substr(1) + "Z";
}

/// What a restore would lose.
struct Loss {
  bool possible = false;
  std::uint64_t entries = 0;
  std::string why;
};

/// Compares a database that is to be put in place with the checkpoint file of the place.
Result<Loss> loss_of(const std::string& database, const LedgerFiles& files) {
  FLORA_ASSIGN(const auto note, CheckpointFile::read(files.checkpoint_file));
  if (!note) {
    return Loss{true, 0, "there is no checkpoint file: entries may have been signed since"};
  }
  FLORA_ASSIGN(const Checkpoint outside, open_own_checkpoint(*note, files));
  FLORA_ASSIGN(LogReader reader, LogReader::open(database));
  FLORA_ASSIGN(const std::uint64_t size, reader.entry_count());
  if (outside.size > size) {
    const std::uint64_t lost = outside.size - size;
    return Loss{true, lost, std::to_string(lost) + " signed entries would be lost"};
  }
  FLORA_ASSIGN(const auto origins, reader.origins());
  if (outside.origin != origins.back().name) {
    return Loss{true, 0, "the ledger has gone on under the origin " + outside.origin};
  }
  FLORA_ASSIGN(const Digest root, root_at(reader, outside.size));
  if (root != outside.root) {
    return Loss{true, 0, "the entries are not those that were signed last"};
  }
  return Loss{};
}

/// Moves all of the write-ahead log into the database, so that the one file is the whole.
Result<void> empty_wal(sqlite::Database& database) {
  FLORA_ASSIGN(auto statement, database.prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
  FLORA_ASSIGN(const bool row, statement.step());
  if (!row || statement.integer(0) != 0) {
    return Error{Errc::unavailable, "cannot empty the write-ahead log"};
  }
  return {};
}

/// Lets a database go on under a new origin. Returns the new head's note.
Result<std::string> open_new_origin(const std::string& path, const LedgerFiles& files,
                                    const crypto::Ed25519Key& key, Env& env) {
  FLORA_ASSIGN(auto database, sqlite::Database::open(path, sqlite::Mode::read_write));
  FLORA_ASSIGN(LogReader reader, LogReader::on(database));
  FLORA_ASSIGN(const auto origins, reader.origins());
  FLORA_ASSIGN(const std::uint64_t size, reader.entry_count());
  FLORA_ASSIGN(const Digest root, root_at(reader, size));
  const std::int64_t epoch = origins.back().epoch + 1;
  const std::string origin = files.origin + "/restored-" + compact_time(env.now_ms());
  std::string note = sign_checkpoint({origin, size, root}, key);

  FLORA_TRY(database.begin());
  FLORA_ASSIGN(auto insert_origin, database.prepare("INSERT INTO origin VALUES(?1, ?2, ?3)"));
  FLORA_TRY(insert_origin.bind(1, epoch)
                .bind_text(2, origin)
                .bind(3, static_cast<std::int64_t>(size))
                .run());
  FLORA_ASSIGN(auto insert_head, database.prepare("INSERT INTO checkpoint VALUES(?1, ?2, ?3)"));
  FLORA_TRY(
      insert_head.bind(1, static_cast<std::int64_t>(size)).bind(2, epoch).bind_text(3, note).run());
  FLORA_TRY(database.commit());
  FLORA_TRY(empty_wal(database));
  return note;
}

/// Moves a finished database into the ledger's place, and what was there aside. A crash in between
/// leaves a ledger that does not open until restore is run again.
Result<void> put_in_place(const std::string& from, const std::string& database, Env& env) {
  const std::string aside = database + ".before-restore-" + compact_time(env.now_ms());
  for (const char* suffix : {"-wal", "-shm", ""}) {
    FLORA_TRY(move_file(database + suffix, aside + suffix));
  }
  remove_file(from + "-wal");
  remove_file(from + "-shm");
  FLORA_TRY(move_file(from, database));
  return sync_folder_of(database);
}

Result<Checkpoint> head_of(const std::string& database, const LedgerFiles& files) {
  FLORA_ASSIGN(LogReader reader, LogReader::open(database));
  FLORA_ASSIGN(const StoredCheckpoint last, reader.last_checkpoint());
  return open_own_checkpoint(last.note, files);
}

/// Errors: corrupt if anything is wrong with a database that is to be put in place.
Result<void> check_source(const std::string& database, const LedgerFiles& files) {
  FLORA_ASSIGN(LogReader reader, LogReader::open(database));
  FLORA_ASSIGN(const StoredCheckpoint last, reader.last_checkpoint());
  LedgerFiles source = files;
  source.database = database;
  const CheckReport report = check(reader, source, last.note, CheckDepth::everything);
  if (report.clean()) return {};
  return Error{Errc::corrupt, "the database is damaged: " + report.findings.front()};
}

}  // namespace

Result<CheckReport> verify(const LedgerFiles& files) {
  return check_files(files, CheckDepth::promises);
}

Result<CheckReport> fsck(const LedgerFiles& files) {
  FLORA_ASSIGN(const LockFile lock, LockFile::acquire(lock_path(files.database)));
  return check_files(files, CheckDepth::everything);
}

Result<CheckReport> backup(const LedgerFiles& files, const std::string& folder,
                           const GoodMoment& is_good) {
  LedgerFiles copy = files;
  copy.database = folder + "/ledger.db";
  copy.checkpoint_file = folder + "/checkpoint";
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return file_error("cannot create " + folder, code);
  if (fs::exists(copy.database, code)) {
    return Error{Errc::conflict, folder + " holds a backup already"};
  }
  FLORA_TRY(copy_database(files.database, copy.database, is_good));
  {
    FLORA_ASSIGN(LogReader reader, LogReader::open(copy.database));
    FLORA_ASSIGN(const StoredCheckpoint last, reader.last_checkpoint());
    FLORA_ASSIGN(CheckpointFile file, CheckpointFile::open(copy.checkpoint_file));
    FLORA_TRY(file.write(last.note));
    FLORA_TRY(file.sync());
  }
  FLORA_ASSIGN(CheckReport report, verify(copy));
  remove_file(copy.database + "-wal");
  remove_file(copy.database + "-shm");
  if (!report.clean()) {
    return Error{Errc::corrupt, "the copy is not good: " + report.findings.front()};
  }
  return report;
}

Result<Restored> restore(const LedgerFiles& files, const crypto::Ed25519Key& key,
                         const std::string& folder, OnLoss on_loss, Env& env) {
  FLORA_ASSIGN(const LockFile lock, LockFile::acquire(lock_path(files.database)));
  const std::string source = folder.empty() ? files.database : folder + "/ledger.db";
  FLORA_TRY(check_source(source, files));
  FLORA_ASSIGN(const Loss loss, loss_of(source, files));
  if (loss.possible && on_loss == OnLoss::refuse) {
    return Error{Errc::invalid, loss.why + "; to go on under a new origin, accept the loss"};
  }
  const std::string prepared = files.database + ".restoring";
  FLORA_TRY(copy_database(source, prepared));
  std::optional<std::string> note;
  if (loss.possible) {
    FLORA_ASSIGN(note, open_new_origin(prepared, files, key, env));
  }
  FLORA_TRY(put_in_place(prepared, files.database, env));
  if (note) {
    FLORA_ASSIGN(CheckpointFile file, CheckpointFile::open(files.checkpoint_file));
    FLORA_TRY(file.write(*note));
    FLORA_TRY(file.sync());
  }
  FLORA_ASSIGN(Checkpoint head, head_of(files.database, files));
  return Restored{std::move(head), loss.entries, loss.possible};
}

}  // namespace flora::ledger
