// The last signed checkpoint, outside the database: who puts back an older database is found out.
//
// A text file of two slots of 4,096 bytes that are written in turn, so that a torn write leaves the
// other slot. A slot is a line `flora-ledger-checkpoint 1 <number> <SHA-256>`, the note, and line
// feeds to the end; the valid slot with the larger number counts. The file is read and written
// through an SQLite VFS, the same as the database's, so that tests inject disk faults into both.
#pragma once

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

  /// Durable on success. Errors: uncertain (the file holds the old or the new note).
  Result<void> write(std::string_view note);

 private:
  class File;
  explicit CheckpointFile(std::unique_ptr<File> file);
  Result<void> load();

  std::unique_ptr<File> file_;
  std::optional<std::string> note_;
  std::uint64_t number_ = 0;  // Of the last slot written; its place is number_ modulo 2.
};

}  // namespace flora::ledger
