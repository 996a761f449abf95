#include "ledger-client/embedded/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace flora::ledger {

Result<LockFile> LockFile::acquire(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Error{Errc::unavailable, "cannot open " + path + ": " + std::strerror(errno)};
  }
  LockFile lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Error{Errc::unavailable, "another process uses this ledger (" + path + " is locked)"};
  }
  return lock;
}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::string lock_path(const std::string& database) { return database + ".lock"; }

}  // namespace flora::ledger
