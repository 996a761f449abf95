// An SQLite VFS for tests, over the system's: it lets disk operations fail, and it plays a power
// loss, in which whatever was not synced may be gone, kept in part, or torn.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace flora::test {

/// What becomes of writes, truncations, new names and deletions since the last sync.
enum class Unsynced {
  dropped,    ///< All are gone.
  scattered,  ///< Each 512-byte sector of a write, and each other change, is kept or gone by
              ///< chance.
};

/// Thread-safe. Files are real files below it; syncs do not reach the disk, they only move the line
/// behind which a power loss changes nothing. A file that exists when it is first opened counts as
/// synced. Counted as disk operations are opening, reading, writing, truncating, syncing and
/// deleting.
class FaultVfs {
 public:
  /// Registers a VFS under a name of its own.
  FaultVfs();

  /// All its files must be closed.
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const;

  /// The n-th operation from now on (from 1) fails, and the disk works again after it.
  void fail_once_at(std::uint64_t n);

  /// The n-th operation from now on fails, and each one after it.
  void fail_forever_from(std::uint64_t n);

  /// The power goes off during the n-th operation from now on. A write that it cuts short counts as
  /// an unsynced write. Nothing works until lose_power().
  void power_off_at(std::uint64_t n);

  /// Writes fail with a full disk instead of an I/O error.
  void set_disk_full(bool full);

  /// Syncs report success and do nothing: what a program without syncs would get.
  void set_ignore_syncs(bool ignore);

  /// True once the operation of the last fail_… or power_off_at() has come.
  bool fired() const;

  /// Operations since the start.
  std::uint64_t operations() const;

  /// The disk works (again).
  void heal();

  /// Leaves in the files what a power loss would, then heal(). All files must be closed.
  void lose_power(Unsynced unsynced, std::uint64_t seed);

  class State;

 private:
  std::unique_ptr<State> state_;
};

/// Calls `survives` with the number of the operation that is to fail, from 1 on, until it returns
/// false because none of that number comes; returns this number. With FLORA_SOAK=1 each has its
/// turn, else every seventh (in a slow build every nineteenth) from a number that is drawn: in time
/// all have.
std::uint64_t try_operations(const std::function<bool(std::uint64_t)>& survives);

}  // namespace flora::test
