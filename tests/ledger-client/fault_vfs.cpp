#include "tests/ledger-client/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <vector>

#include "tests/slow_build.h"

namespace flora::test {
namespace {

constexpr std::size_t kSector = 512;

/// A write, or with `data` empty a truncation to `offset`.
struct Change {
  std::size_t offset = 0;
  std::string data;
};

/// One file name as the disk has it, and what has happened to it since.
struct DiskFile {
  std::string synced;           // The content behind the line.
  std::vector<Change> changes;  // Since then, in order.
  bool name_synced = false;     // The folder's entry exists after a power loss.
  bool deleted = false;         // Without a sync of the folder.
};

void apply(std::string& content, const Change& change) {
  if (change.data.empty()) {
    content.resize(change.offset);
    return;
  }
  content.resize(std::max(content.size(), change.offset + change.data.size()));
  content.replace(change.offset, change.data.size(), change.data);
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

enum class Fault { none, once, forever, power };

}  // namespace

/// A file of the VFS; SQLite allocates it and never constructs it.
struct FaultFile {
  sqlite3_file base;
  FaultVfs::State* state;
  DiskFile* disk;  // Null for files without a name, which are not tracked.
  bool syncs_folder;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

class FaultVfs::State {
 public:
  State();
  ~State() { sqlite3_vfs_unregister(&vfs_); }

  static State& of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

  /// Counts one operation. True: it fails. `power` tells whether this is the very one during which
  /// the power goes off.
  bool fails(bool* power = nullptr) {
    ++operations_;
    if (off_) return true;
    if (fault_ == Fault::none || fired_ || --left_ > 0) return false;
    fired_ = true;
    off_ = fault_ != Fault::once;
    if (power != nullptr) *power = fault_ == Fault::power;
    return true;
  }

  void arm(Fault fault, std::uint64_t n) {
    const std::lock_guard lock(mutex);
    fault_ = fault;
    left_ = n;
    fired_ = off_ = false;
  }

  void lose_power(Unsynced unsynced, std::uint64_t seed);
  void sync_folder();

  std::mutex mutex;
  std::string name;
  sqlite3_vfs* real = nullptr;
  std::map<std::string, DiskFile> files;
  std::uint64_t operations_ = 0;
  bool fired_ = false;
  bool full = false;
  bool ignore_syncs = false;

 private:
  sqlite3_vfs vfs_{};
  Fault fault_ = Fault::none;
  std::uint64_t left_ = 0;
  bool off_ = false;
};

namespace {

FaultFile& file_of(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }

int close_file(sqlite3_file* file) {
  return file_of(file).real()->pMethods->xClose(file_of(file).real());
}

int read_file(sqlite3_file* file, void* out, int bytes, sqlite3_int64 offset) {
  FaultFile& self = file_of(file);
  {
    const std::lock_guard lock(self.state->mutex);
    if (self.state->fails()) return SQLITE_IOERR_READ;
  }
  return self.real()->pMethods->xRead(self.real(), out, bytes, offset);
}

int write_file(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  FaultFile& self = file_of(file);
  const std::lock_guard lock(self.state->mutex);
  bool power = false;
  const bool fails = self.state->fails(&power);
  const Change change{static_cast<std::size_t>(offset),
                      {static_cast<const char*>(data), static_cast<std::size_t>(bytes)}};
  if (self.disk != nullptr && (!fails || power)) self.disk->changes.push_back(change);
  if (fails) return self.state->full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  return self.real()->pMethods->xWrite(self.real(), data, bytes, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  FaultFile& self = file_of(file);
  const std::lock_guard lock(self.state->mutex);
  bool power = false;
  const bool fails = self.state->fails(&power);
  if (self.disk != nullptr && (!fails || power)) {
    self.disk->changes.push_back({static_cast<std::size_t>(size), {}});
  }
  if (fails) return SQLITE_IOERR_TRUNCATE;
  return self.real()->pMethods->xTruncate(self.real(), size);
}

int sync_file(sqlite3_file* file, int) {
  FaultFile& self = file_of(file);
  const std::lock_guard lock(self.state->mutex);
  if (self.state->fails()) return SQLITE_IOERR_FSYNC;
  if (self.state->ignore_syncs || self.disk == nullptr) return SQLITE_OK;
  for (const Change& change : self.disk->changes) apply(self.disk->synced, change);
  self.disk->changes.clear();
  if (self.syncs_folder) self.state->sync_folder();
  self.syncs_folder = false;
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return file_of(file).real()->pMethods->xFileSize(file_of(file).real(), size);
}

int lock_file(sqlite3_file* file, int level) {
  return file_of(file).real()->pMethods->xLock(file_of(file).real(), level);
}

int unlock_file(sqlite3_file* file, int level) {
  return file_of(file).real()->pMethods->xUnlock(file_of(file).real(), level);
}

int check_reserved_lock(sqlite3_file* file, int* held) {
  return file_of(file).real()->pMethods->xCheckReservedLock(file_of(file).real(), held);
}

int file_control(sqlite3_file* file, int operation, void* argument) {
  return file_of(file).real()->pMethods->xFileControl(file_of(file).real(), operation, argument);
}

int sector_size(sqlite3_file* file) {
  return file_of(file).real()->pMethods->xSectorSize(file_of(file).real());
}

int device_characteristics(sqlite3_file* file) {
  return file_of(file).real()->pMethods->xDeviceCharacteristics(file_of(file).real());
}

int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** memory) {
  return file_of(file).real()->pMethods->xShmMap(file_of(file).real(), region, bytes, extend,
                                                 memory);
}

int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return file_of(file).real()->pMethods->xShmLock(file_of(file).real(), offset, n, flags);
}

void shm_barrier(sqlite3_file* file) {
  file_of(file).real()->pMethods->xShmBarrier(file_of(file).real());
}

int shm_unmap(sqlite3_file* file, int remove) {
  return file_of(file).real()->pMethods->xShmUnmap(file_of(file).real(), remove);
}

const sqlite3_io_methods kMethods = {2,
                                     close_file,
                                     read_file,
                                     write_file,
                                     truncate_file,
                                     sync_file,
                                     file_size,
                                     lock_file,
                                     unlock_file,
                                     check_reserved_lock,
                                     file_control,
                                     sector_size,
                                     device_characteristics,
                                     shm_map,
                                     shm_lock,
                                     shm_barrier,
                                     shm_unmap,
                                     nullptr,
                                     nullptr};

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  FaultVfs::State& state = FaultVfs::State::of(vfs);
  FaultFile& self = file_of(file);
  self.base.pMethods = nullptr;
  self.state = &state;
  self.disk = nullptr;
  const std::lock_guard lock(state.mutex);
  if (state.fails()) return SQLITE_CANTOPEN;
  const bool existed = path != nullptr && std::filesystem::exists(path);
  const int result = state.real->xOpen(state.real, path, self.real(), flags, out_flags);
  if (result != SQLITE_OK) return result;
  self.base.pMethods = &kMethods;
  if (path == nullptr) return SQLITE_OK;
  const auto [place, added] = state.files.try_emplace(path);
  self.disk = &place->second;
  if (added && existed) {
    self.disk->synced = read_whole(path);
    self.disk->name_synced = true;
  }
  if (!added && !existed) {  // Deleted and made anew.
    self.disk->deleted = false;
    self.disk->changes.push_back({0, {}});
  }
  // The system's VFS syncs the folder with the first sync of a new journal.
  const int journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
  self.syncs_folder = !existed && (flags & journals) != 0;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync) {
  FaultVfs::State& state = FaultVfs::State::of(vfs);
  const std::lock_guard lock(state.mutex);
  if (state.fails()) return SQLITE_IOERR_DELETE;
  const int result = state.real->xDelete(state.real, path, 0);
  if (result != SQLITE_OK) return result;
  if (const auto found = state.files.find(path); found != state.files.end()) {
    found->second.deleted = true;
  }
  if (sync != 0 && !state.ignore_syncs) state.sync_folder();
  return SQLITE_OK;
}

}  // namespace

FaultVfs::State::State() {
  static std::atomic<int> count = 0;
  sqlite3_initialize();
  real = sqlite3_vfs_find(nullptr);
  name = "fault-" + std::to_string(++count);
  vfs_ = *real;
  vfs_.pNext = nullptr;
  vfs_.zName = name.c_str();
  vfs_.szOsFile = static_cast<int>(sizeof(FaultFile)) + real->szOsFile;
  vfs_.pAppData = this;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  sqlite3_vfs_register(&vfs_, 0);
}

/// Names and deletions become durable.
void FaultVfs::State::sync_folder() {
  for (auto file = files.begin(); file != files.end();) {
    file->second.name_synced = true;
    file = file->second.deleted ? files.erase(file) : std::next(file);
  }
}

void FaultVfs::State::lose_power(Unsynced unsynced, std::uint64_t seed) {
  const std::lock_guard lock(mutex);
  std::mt19937_64 random(seed);
  const auto kept = [&] { return unsynced == Unsynced::scattered && random() % 2 == 0; };
  for (auto& [path, file] : files) {
    std::string content = file.synced;
    for (const Change& change : file.changes) {
      if (change.data.empty()) {
        if (kept()) apply(content, change);
        continue;
      }
      for (std::size_t at = 0; at < change.data.size(); at += kSector) {
        if (kept()) apply(content, {change.offset + at, change.data.substr(at, kSector)});
      }
    }
    const bool exists = (file.name_synced || kept()) && !(file.deleted && kept());
    if (exists) {
      std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    } else {
      std::filesystem::remove(path);
    }
    std::filesystem::remove(path + "-shm");
  }
  files.clear();
  fault_ = Fault::none;
  off_ = false;
}

FaultVfs::FaultVfs() : state_(std::make_unique<State>()) {}
FaultVfs::~FaultVfs() = default;

const std::string& FaultVfs::name() const { return state_->name; }
void FaultVfs::fail_once_at(std::uint64_t n) { state_->arm(Fault::once, n); }
void FaultVfs::fail_forever_from(std::uint64_t n) { state_->arm(Fault::forever, n); }
void FaultVfs::power_off_at(std::uint64_t n) { state_->arm(Fault::power, n); }
void FaultVfs::heal() { state_->arm(Fault::none, 0); }

void FaultVfs::set_disk_full(bool full) {
  const std::lock_guard lock(state_->mutex);
  state_->full = full;
}

void FaultVfs::set_ignore_syncs(bool ignore) {
  const std::lock_guard lock(state_->mutex);
  state_->ignore_syncs = ignore;
}

bool FaultVfs::fired() const {
  const std::lock_guard lock(state_->mutex);
  return state_->fired_;
}

std::uint64_t FaultVfs::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations_;
}

void FaultVfs::lose_power(Unsynced unsynced, std::uint64_t seed) {
  state_->lose_power(unsynced, seed);
}

std::uint64_t try_operations(const std::function<bool(std::uint64_t)>& survives) {
  const std::uint64_t step = std::getenv("FLORA_SOAK") != nullptr ? 1 : kSlowBuild ? 19 : 7;
  std::uint64_t n = 1 + std::random_device()() % step;
  while (survives(n)) n += step;
  return n;
}

}  // namespace flora::test
