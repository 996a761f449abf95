// One process per ledger: a lock that the system releases when the process ends, however it ends.
#pragma once

#include <string>
#include <utility>

#include "gateway/base/result.h"

namespace flora::ledger {

/// Holds the lock of one file until destroyed.
class LockFile {
 public:
  /// Creates the file if it is missing; it is never removed. Does not wait. Errors: unavailable
  /// (another process, or another object of this one, holds the lock; or the file cannot be made).
  static Result<LockFile> acquire(const std::string& path);
  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;
};

/// The lock file of a ledger database.
std::string lock_path(const std::string& database);

}  // namespace flora::ledger
