#include "ledger-client/embedded/checkpoint_file.h"

#include <sqlite3.h>

#include <charconv>
#include <cstddef>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"

namespace flora::ledger {
namespace {

constexpr std::size_t kSlotBytes = 4096;
constexpr std::string_view kMagic = "flora-ledger-checkpoint 1 ";

struct Slot {
  std::uint64_t number = 0;
  std::string note;
};

std::string digest_of(std::uint64_t number, std::string_view note) {
  return to_hex(crypto::sha256(std::to_string(number) + "\n" + std::string(note)));
}

std::string to_text(const Slot& slot) {
  std::string text(kMagic);
  text += std::to_string(slot.number) + " " + digest_of(slot.number, slot.note) + "\n" + slot.note;
  text.resize(std::max(text.size(), kSlotBytes), '\n');
  return text;
}

std::optional<Slot> parse_slot(std::string_view text) {
  if (!text.starts_with(kMagic)) return std::nullopt;
  text.remove_prefix(kMagic.size());
  Slot slot;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), slot.number);
  if (status != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::size_t line = text.find('\n');
  const std::size_t last = text.find_last_not_of('\n');
  if (line == std::string_view::npos || last < line || last + 1 == text.size()) return std::nullopt;
  slot.note = text.substr(line + 1, last + 2 - (line + 1));
  if (text.substr(0, line) != " " + digest_of(slot.number, slot.note)) return std::nullopt;
  return slot;
}

}  // namespace

/// One file of an SQLite VFS.
class CheckpointFile::File {
 public:
  static Result<std::unique_ptr<File>> open(const std::string& path, const std::string& vfs,
                                            int flags) {
    sqlite3_initialize();
    auto file = std::unique_ptr<File>(new File);
    sqlite3_vfs* const system = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
    if (system == nullptr) return Error{Errc::unavailable, "no VFS of the name " + vfs};
    // SQLite wants the name to outlive the file, and to end in two zero bytes.
    file->name_.resize(static_cast<std::size_t>(system->mxPathname) + 2, '\0');
    int result =
        system->xFullPathname(system, path.c_str(), system->mxPathname, file->name_.data());
    if ((result & 0xFF) != SQLITE_OK) return file->error(result);
    file->memory_.resize(static_cast<std::size_t>(system->szOsFile) / sizeof(std::max_align_t) + 1);
    result = system->xOpen(system, file->name_.data(), file->handle(),
                           flags | SQLITE_OPEN_SUPER_JOURNAL, nullptr);
    if (result != SQLITE_OK) return file->error(result);
    return file;
  }

  ~File() {
    if (!memory_.empty() && handle()->pMethods != nullptr) handle()->pMethods->xClose(handle());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Shorter than `bytes` only where the file ends: zero bytes follow.
  Result<std::string> read(std::size_t offset, std::size_t bytes) {
    std::string text(bytes, '\0');
    const int result = handle()->pMethods->xRead(handle(), text.data(), static_cast<int>(bytes),
                                                 static_cast<sqlite3_int64>(offset));
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) return error(result);
    return text;
  }

  Result<void> write(std::size_t offset, std::string_view text) {
    const int result = handle()->pMethods->xWrite(
        handle(), text.data(), static_cast<int>(text.size()), static_cast<sqlite3_int64>(offset));
    if (result != SQLITE_OK) return error(result, Errc::uncertain);
    return {};
  }

  Result<void> sync() {
    const int result =
        handle()->pMethods->xSync(handle(), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (result != SQLITE_OK) return error(result, Errc::uncertain);
    return {};
  }

 private:
  File() = default;
  sqlite3_file* handle() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  Error error(int result, Errc code = Errc::unavailable) const {
    return {code, std::string("checkpoint file ") + name_.c_str() + ": " + sqlite3_errstr(result)};
  }

  std::string name_;
  std::vector<std::max_align_t> memory_;
};

CheckpointFile::CheckpointFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
CheckpointFile::CheckpointFile(CheckpointFile&&) noexcept = default;
CheckpointFile& CheckpointFile::operator=(CheckpointFile&&) noexcept = default;
CheckpointFile::~CheckpointFile() = default;

Result<CheckpointFile> CheckpointFile::open(const std::string& path, const std::string& vfs) {
  FLORA_ASSIGN(auto file, File::open(path, vfs, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  CheckpointFile opened(std::move(file));
  FLORA_TRY(opened.load());
  // What a killed process wrote is not durable yet.
  if (opened.note_) FLORA_TRY(opened.sync());
  return opened;
}

Result<std::optional<std::string>> CheckpointFile::read(const std::string& path,
                                                        const std::string& vfs) {
  sqlite3_initialize();
  sqlite3_vfs* const system = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  int exists = 0;
  if (system != nullptr) system->xAccess(system, path.c_str(), SQLITE_ACCESS_EXISTS, &exists);
  if (exists == 0) return std::optional<std::string>();
  FLORA_ASSIGN(auto file, File::open(path, vfs, SQLITE_OPEN_READONLY));
  CheckpointFile opened(std::move(file));
  FLORA_TRY(opened.load());
  return opened.note_;
}

Result<void> CheckpointFile::load() {
  for (std::size_t place = 0; place < 2; ++place) {
    FLORA_ASSIGN(const std::string text, file_->read(place * kSlotBytes, kSlotBytes));
    auto slot = parse_slot(text);
    if (!slot || (note_ && slot->number < number_)) continue;
    number_ = slot->number;
    place_ = place;
    note_ = std::move(slot->note);
  }
  return {};
}

Result<void> CheckpointFile::write(std::string_view note) {
  const Slot slot{number_ + 1, std::string(note)};
  const std::string text = to_text(slot);
  if (text.size() != kSlotBytes) {
    return Error{Errc::uncertain, "the checkpoint does not fit into its file"};
  }
  const std::size_t place = 1 - synced_place_;
  FLORA_TRY(file_->write(place * kSlotBytes, text));
  number_ = slot.number;
  place_ = place;
  note_ = slot.note;
  return {};
}

Result<void> CheckpointFile::sync() {
  FLORA_TRY(file_->sync());
  synced_place_ = place_;
  return {};
}

}  // namespace flora::ledger
