#include "gateway/base/env.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

namespace flora {
namespace {

Error io_error(std::string_view what, const std::string& path) {
  const int code = errno;
  const Errc kind = code == ENOENT ? Errc::not_found : Errc::unavailable;
  return {kind, std::string(what) + " " + path + ": " + std::strerror(code)};
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

// What was read may be a secret: the copy on the stack does not stay.
struct ReadBuffer {
  std::array<char, 16384> bytes;
  ReadBuffer() = default;
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;
  ~ReadBuffer() { ::explicit_bzero(bytes.data(), bytes.size()); }
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Random bytes that are drawn from the system in blocks: most callers want a few only. What was
// given out is wiped.
class RandomBlock {
 public:
  void draw(std::span<std::byte> out) {
    while (!out.empty()) {
      if (used_ == bytes_.size()) refill();
      const auto part = std::span(bytes_).subspan(used_, std::min(out.size(), left()));
      std::ranges::copy(part, out.begin());
      ::explicit_bzero(part.data(), part.size());
      used_ += part.size();
      out = out.subspan(part.size());
    }
  }

 private:
  std::size_t left() const { return bytes_.size() - used_; }

  // getrandom(2): requests of up to 256 bytes are never interrupted or cut short.
  void refill() {
    if (::getrandom(bytes_.data(), bytes_.size(), 0) != static_cast<ssize_t>(bytes_.size())) {
      std::abort();
    }
    used_ = 0;
  }

  std::array<std::byte, 256> bytes_;
  std::size_t used_ = bytes_.size();
};

class SystemEnv final : public Env {
 public:
  std::int64_t now_ms() override {
    using std::chrono::milliseconds;
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  std::int64_t steady_ns() override {
    timespec now{};
    if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) std::abort();
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }

  void random(std::span<std::byte> out) override {
    thread_local RandomBlock block;
    block.draw(out);
  }

  Result<std::string> read_file(const std::string& path, std::size_t max_bytes) override {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return io_error("cannot open", path);
    std::string out;
    ReadBuffer buffer;
    while (true) {
      const ssize_t n = ::read(file.get(), buffer.bytes.data(), buffer.bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return io_error("cannot read", path);
      if (n == 0) return out;
      out.append(buffer.bytes.data(), static_cast<std::size_t>(n));
      if (out.size() > max_bytes) return Error{Errc::invalid, path + " is larger than allowed"};
    }
  }

  Result<void> replace_file(const std::string& path, std::string_view bytes,
                            unsigned mode) override {
    const std::string temporary = path + ".new";
    {
      const FileDescriptor file(
          ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
      if (!file.is_open()) return write_error("cannot create", temporary);
      if (::fchmod(file.get(), mode) != 0 || !write_all(file.get(), bytes) ||
          ::fsync(file.get()) != 0) {
        return write_error("cannot write", temporary);
      }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) return write_error("cannot rename", path);
    std::string folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) folder = ".";
    const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open() || ::fsync(directory.get()) != 0) {
      return write_error("cannot sync", folder);
    }
    return {};
  }

 private:
  static Error write_error(std::string_view what, const std::string& path) {
    Error error = io_error(what, path);
    error.code = Errc::unavailable;
    return error;
  }
};

}  // namespace

Env& Env::system() {
  static SystemEnv env;
  return env;
}

}  // namespace flora
