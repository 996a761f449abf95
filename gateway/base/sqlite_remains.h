// What SQLite leaves between the rows of a page. When a page splits, the rows that move away stay
// readable in the space that is free now; secure_delete overwrites the moved ones only. Here that
// space is overwritten whenever a page is written into the database file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

struct sqlite3;

namespace flora::sqlite {

/// Beyond it the number of a page could be taken for the type of one (128 GiB in pages of 4 KiB).
inline constexpr std::int64_t kMostPagesWithoutRemains = (1 << 25) - 1;

/// Overwrites what lies between the cell pointers and the cells of a b-tree page
/// (sqlite.org/fileformat2.html §1.6); leaves other pages as they are. The first page of a file has
/// its header in front: `offset` is 100 there, else 0.
void wipe_free_space(std::span<std::byte> page, std::size_t offset);

/// From here on each page that is written into the main file of this connection is wiped before.
/// Once for a connection, while nobody else uses it.
void wipe_what_is_written(sqlite3* connection);

/// Wipes every page of the main file, whose write-ahead log is empty; durable on return. Returns
/// SQLite's result code.
int wipe_file(sqlite3* connection);

}  // namespace flora::sqlite
