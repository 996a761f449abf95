// Copies of databases that outlive what is erased from the database itself, and their end.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/time.h"

namespace flora::erasure {

/// A database that a restore has put aside.
struct Copy {
  std::string path;  ///< Without the endings of its write-ahead log.
  /// When it was put aside, by its name; or when its files were last written, if that is earlier.
  Instant made;
};

/// What restores have left beside the database, as `<database>.before-restore-<time>`; a name that
/// no restore gives is none. Errors: unavailable.
Result<std::vector<Copy>> copies_beside(const std::string& database);

/// Deletes a database with its write-ahead log. Each file is overwritten before, unless it has a
/// second name; what the file system or the disk keeps beside it is not reached. A file that is not
/// there is no error. Durable on return. Errors: unavailable (the others are deleted all the same).
Result<void> destroy_database(const std::string& path);

/// The same of one file.
Result<void> destroy_file(const std::string& path);

/// When a file was last written. Errors: not_found.
Result<Instant> last_written(const std::string& path);

}  // namespace flora::erasure
