#include "ledger-client/merkle/tiles.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "ledger-client/merkle/tree.h"

namespace flora::ledger {
namespace {

/// A decimal number without a sign and, unless it is 0, without a leading zero.
std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string index_path(std::uint64_t n) {
  char digits[4];
  std::snprintf(digits, sizeof digits, "%03u", static_cast<unsigned>(n % 1000));
  std::string path = digits;
  for (n /= 1000; n > 0; n /= 1000) {
    std::snprintf(digits, sizeof digits, "%03u", static_cast<unsigned>(n % 1000));
    path = "x" + std::string(digits) + "/" + path;
  }
  return path;
}

/// The number that path elements such as `x001/067` spell; at most six, below 10^18.
std::optional<std::uint64_t> parse_path(std::string_view path) {
  if (path.size() > 6 * 5) return std::nullopt;
  std::uint64_t n = 0;
  while (true) {
    const std::size_t slash = path.find('/');
    std::string_view element = path.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    if (!last) {
      if (!element.starts_with('x')) return std::nullopt;
      element.remove_prefix(1);
    }
    if (element.size() != 3) return std::nullopt;
    for (const char c : element) {
      if (c < '0' || c > '9') return std::nullopt;
      n = n * 10 + static_cast<unsigned>(c - '0');
    }
    if (last) return n;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

unsigned tile_width(unsigned level, std::uint64_t n, std::uint64_t size) {
  if (level > kMaxTileLevel) return 0;
  const std::uint64_t count = size >> (kTileHeight * level);
  if (n > count / kTileWidth) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(count - n * kTileWidth, kTileWidth));
}

std::string tile_path(const TileId& tile) {
  std::string path = tile.level ? std::to_string(*tile.level) : "entries";
  path += "/" + index_path(tile.n);
  if (tile.width < kTileWidth) path += ".p/" + std::to_string(tile.width);
  return path;
}

std::optional<TileId> parse_tile_path(std::string_view path) {
  TileId tile;
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  if (const std::string_view level = path.substr(0, slash); level != "entries") {
    const auto number = parse_decimal(level);
    if (!number || *number > 63) return std::nullopt;
    tile.level = static_cast<unsigned>(*number);
  }
  std::string_view index = path.substr(slash + 1);
  if (const std::size_t dot = index.find(".p/"); dot != std::string_view::npos) {
    const auto width = parse_decimal(index.substr(dot + 3));
    if (!width || *width < 1 || *width >= kTileWidth) return std::nullopt;
    tile.width = static_cast<unsigned>(*width);
    index = index.substr(0, dot);
  }
  const auto n = parse_path(index);
  if (!n) return std::nullopt;
  tile.n = *n;
  if (tile_path(tile) != path) return std::nullopt;
  return tile;
}

Digest tile_root(std::span<const Digest> hashes) {
  CompactRange range;
  for (const Digest& hash : hashes) range.append(hash);
  return range.root();
}

}  // namespace flora::ledger
