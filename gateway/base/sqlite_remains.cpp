#include "gateway/base/sqlite_remains.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace flora::sqlite {
namespace {

constexpr std::size_t kFileHeader = 100;
constexpr std::size_t kLeastPage = 512;

// The methods of one open file, and those below that do the work.
struct Wiping {
  sqlite3_io_methods methods;
  const sqlite3_io_methods* below;
};

const Wiping& wiping_of(const sqlite3_file* file) {
  // `methods` is its first member.
  return *reinterpret_cast<const Wiping*>(file->pMethods);
}

int write_wiped(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const sqlite3_io_methods& below = *wiping_of(file).below;
  const auto bytes = static_cast<std::size_t>(size);
  if (bytes < kLeastPage) return below.xWrite(file, data, size, offset);
  const auto* const from = static_cast<const std::byte*>(data);
  std::vector<std::byte> page(from, from + bytes);
  wipe_free_space(page, offset == 0 ? kFileHeader : 0);
  return below.xWrite(file, page.data(), size, offset);
}

int close_wiping(sqlite3_file* file) {
  const std::unique_ptr<const Wiping> wiping(&wiping_of(file));
  file->pMethods = wiping->below;
  return wiping->below->xClose(file);
}

std::size_t big_endian_16(std::span<const std::byte> page, std::size_t at) {
  return std::to_integer<std::size_t>(page[at]) << 8 | std::to_integer<std::size_t>(page[at + 1]);
}

sqlite3_file* main_file(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file;
}

// The header of the file says so (sqlite.org/fileformat2.html §1.3.2).
int page_size_of(sqlite3_file* file, std::size_t& size) {
  constexpr std::size_t kAt = 16;
  std::array<std::byte, kFileHeader> header{};
  const int result = file->pMethods->xRead(file, header.data(), kFileHeader, 0);
  size = big_endian_16(header, kAt);
  if (size == 1) size = 65'536;
  return result;
}

}  // namespace

void wipe_free_space(std::span<std::byte> page, std::size_t offset) {
  constexpr std::size_t kLeafHeader = 8;
  constexpr std::size_t kInteriorHeader = 12;
  if (page.size() < offset + kInteriorHeader) return;
  const auto type = std::to_integer<int>(page[offset]);
  const bool leaf = type == 10 || type == 13;
  if (!leaf && type != 2 && type != 5) return;
  const std::size_t begin =
      offset + (leaf ? kLeafHeader : kInteriorHeader) + 2 * big_endian_16(page, offset + 3);
  std::size_t end = big_endian_16(page, offset + 5);
  if (end == 0) end = 65'536;
  if (begin > end || end > page.size()) return;
  std::fill(page.begin() + static_cast<std::ptrdiff_t>(begin),
            page.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
}

void wipe_what_is_written(sqlite3* connection) {
  sqlite3_file* const file = main_file(connection);
  if (file == nullptr || file->pMethods == nullptr) return;
  auto wiping = std::make_unique<Wiping>(Wiping{*file->pMethods, file->pMethods});
  wiping->methods.xWrite = write_wiped;
  wiping->methods.xClose = close_wiping;
  file->pMethods = &wiping.release()->methods;
}

int wipe_file(sqlite3* connection) {
  sqlite3_file* const file = main_file(connection);
  sqlite3_int64 bytes = 0;
  if (const int result = file->pMethods->xFileSize(file, &bytes); result != SQLITE_OK)
    return result;
  if (bytes == 0) return SQLITE_OK;
  std::size_t size = 0;
  if (const int result = page_size_of(file, size); result != SQLITE_OK) return result;
  if (size < kLeastPage) return SQLITE_CORRUPT;
  std::vector<std::byte> page(size);
  const auto step = static_cast<sqlite3_int64>(size);
  for (sqlite3_int64 at = 0; at + step <= bytes; at += step) {
    if (const int result = file->pMethods->xRead(file, page.data(), static_cast<int>(size), at);
        result != SQLITE_OK) {
      return result;
    }
    const std::vector<std::byte> before = page;
    wipe_free_space(page, at == 0 ? kFileHeader : 0);
    if (page == before) continue;
    if (const int result = file->pMethods->xWrite(file, page.data(), static_cast<int>(size), at);
        result != SQLITE_OK) {
      return result;
    }
  }
  return file->pMethods->xSync(file, SQLITE_SYNC_FULL);
}

}  // namespace flora::sqlite
