// The last signed checkpoint, outside the database: who puts back an older database is found out.
//
// A text file of two slots of 4,096 bytes. A slot is a line `flora-ledger-checkpoint 1 <number>
// <SHA-256>`, the note, and line feeds to the end; the valid slot with the larger number counts.
// The slot that was synced last is not written again before the other one is synced, so that
// neither a torn write nor a power loss leaves a file without a note. The file is read and written
// through an SQLite VFS, the same as the database's, so that tests inject disk faults into both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace flora::ledger {

/// Not thread-safe.
class CheckpointFile {
 public:
  /// Creates the file if it is missing. Errors: unavailable.
  static Result<CheckpointFile> open(const std::string& path, const std::string& vfs = {});

  /// The last note in a file that another process may be writing; nothing if there is none (also if
  /// the file is missing). Errors: unavailable.
  static Result<std::optional<std::string>> read(const std::string& path,
                                                 const std::string& vfs = {});
  CheckpointFile(CheckpointFile&&) noexcept;
  CheckpointFile& operator=(CheckpointFile&&) noexcept;
  ~CheckpointFile();

  /// The last note; nothing if the file holds none.
  const std::optional<std::string>& note() const { return note_; }

  /// Seen by every process on success, also after this one is killed; durable after sync(). Errors:
  /// uncertain (the file holds the old or the new note).
  Result<void> write(std::string_view note);

  /// Makes what was written durable. Errors: uncertain.
  Result<void> sync();

  /// True if something was written since the last sync().
  bool is_dirty() const { return place_ != synced_place_; }

 private:
  class File;
  explicit CheckpointFile(std::unique_ptr<File> file);
  Result<void> load();

  std::unique_ptr<File> file_;
  std::optional<std::string> note_;
  std::uint64_t number_ = 0;      // Of the last slot written.
  std::size_t place_ = 0;         // Where it stands: 0 or 1.
  std::size_t synced_place_ = 0;  // The slot that must stay.
};

}  // namespace flora::ledger
