#include "gateway/erasure/copies.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

namespace flora::erasure {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAside = ".before-restore-";
constexpr std::array<std::string_view, 4> kEndings = {"-wal", "-shm", "-journal", ""};

// Closes what it holds.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Milliseconds since the epoch, or `20261103T081530123Z`: what restores write.
std::optional<Instant> time_of(std::string_view text) {
  constexpr std::size_t kMostDigits = 15;
  constexpr std::size_t kCompact = 19;
  if (is_digits(text) && text.size() <= kMostDigits) {
    Instant at;
    std::from_chars(text.data(), text.data() + text.size(), at.ms);
    return at;
  }
  if (text.size() != kCompact || text[8] != 'T' || text.back() != 'Z') return std::nullopt;
  std::string rfc(text);
  rfc.insert(15, ".");
  rfc.insert(13, ":");
  rfc.insert(11, ":");
  rfc.insert(6, "-");
  rfc.insert(4, "-");
  return parse_instant(rfc);
}

std::string_view without_ending(std::string_view name) {
  for (const std::string_view ending : kEndings) {
    if (!ending.empty() && name.ends_with(ending))
      return name.substr(0, name.size() - ending.size());
  }
  return name;
}

// What cannot be overwritten is deleted all the same.
void overwrite(const std::string& path) {
  const Descriptor file(path, O_WRONLY | O_NOFOLLOW);
  struct stat found {};
  if (file.get() < 0 || ::fstat(file.get(), &found) != 0) return;
  if (!S_ISREG(found.st_mode) || found.st_nlink != 1) return;
  static constexpr std::array<char, 1 << 16> kZeros{};
  for (off_t left = found.st_size; left > 0;) {
    const auto some = static_cast<std::size_t>(std::min<off_t>(left, kZeros.size()));
    const ssize_t written = ::write(file.get(), kZeros.data(), some);
    if (written <= 0) return;
    left -= written;
  }
  ::fsync(file.get());
}

Result<void> sync_folder_of(const std::string& path) {
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor opened(folder.string(), O_RDONLY | O_DIRECTORY);
  if (opened.get() >= 0 && ::fsync(opened.get()) == 0) return {};
  return Error{Errc::unavailable, "cannot sync the folder of " + path};
}

}  // namespace

Result<Instant> last_written(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return Error{Errc::not_found, path + " is not there"};
  return Instant{std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1'000'000};
}

Result<std::vector<Copy>> copies_beside(const std::string& database) {
  const fs::path whole(database);
  const std::string before = whole.filename().string() + std::string(kAside);
  std::error_code error;
  fs::directory_iterator files(whole.parent_path().empty() ? "." : whole.parent_path(), error);
  std::map<std::string, Instant> found;
  for (; files != fs::directory_iterator(); files.increment(error)) {
    const std::string name = files->path().filename().string();
    if (!name.starts_with(before) ||
        files->symlink_status(error).type() != fs::file_type::regular) {
      continue;
    }
    const std::string_view stem = without_ending(name);
    const auto aside = time_of(stem.substr(before.size()));
    const auto written = last_written(files->path().string());
    if (!aside || !written) continue;
    const std::string path = (whole.parent_path() / stem).string();
    const auto [known, is_new] = found.emplace(path, std::min(*aside, *written));
    if (!is_new) known->second = std::max(known->second, std::min(*aside, *written));
  }
  if (error) {  // Of the last step, which ends the loop.
    return Error{Errc::unavailable,
                 "cannot read the folder of " + database + ": " + error.message()};
  }
  std::vector<Copy> copies;
  for (const auto& [path, made] : found) copies.push_back({path, made});
  return copies;
}

Result<void> destroy_file(const std::string& path) {
  std::error_code error;
  if (fs::symlink_status(path, error).type() == fs::file_type::not_found) return {};
  overwrite(path);
  if (fs::remove(path, error) || !error) return sync_folder_of(path);
  return Error{Errc::unavailable, "cannot delete " + path + ": " + error.message()};
}

Result<void> destroy_database(const std::string& path) {
  Result<void> all;
  for (const std::string_view ending : kEndings) {
    Result<void> one = destroy_file(path + std::string(ending));
    if (!one && all) all = std::move(one);
  }
  return all;
}

}  // namespace flora::erasure
