// The arithmetic and the paths of c2sp.org/tlog-tiles: the hashes of a tree in tiles of 256.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/bytes.h"

namespace flora::ledger {

inline constexpr unsigned kTileHeight = 8;    ///< A tile stands for a subtree of this height.
inline constexpr unsigned kTileWidth = 256;   ///< The hashes, or entries, of a full tile.
inline constexpr unsigned kMaxTileLevel = 7;  ///< Above it no tree of 2^63 leaves has a tile.

/// One tile, or one bundle of entries.
struct TileId {
  std::optional<unsigned> level;  ///< Nothing: a bundle of entries.
  std::uint64_t n = 0;            ///< From 0 within the level.
  unsigned width = kTileWidth;    ///< 1 … 256; less than 256: the first hashes of the tile.
  bool operator==(const TileId&) const = default;
};

/// How many hashes of tile `n` at `level` the tree of `size` has: 0 … 256.
unsigned tile_width(unsigned level, std::uint64_t n, std::uint64_t size);

/// The path below `tile/`, such as `0/x001/x234/067.p/5` or `entries/000`.
std::string tile_path(const TileId& tile);

/// The tile that a path below `tile/` names. Nothing unless tile_path() writes exactly this path.
std::optional<TileId> parse_tile_path(std::string_view path);

/// The root over the hashes of a full tile, which is its hash at the level above.
Digest tile_root(std::span<const Digest> hashes);

}  // namespace flora::ledger
