#include "ledger-client/merkle/growing_tree.h"

#include <algorithm>

#include "ledger-client/merkle/tiles.h"

namespace flora::ledger {
namespace {

/// The root over 2^r hashes of one row.
Digest subtree_root(std::span<const Digest> hashes) {
  std::vector<Digest> row(hashes.begin(), hashes.end());
  while (row.size() > 1) {
    for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
    row.resize(row.size() / 2);
  }
  return row.front();
}

}  // namespace

Result<GrowingTree> GrowingTree::open(std::uint64_t size, std::vector<std::vector<Digest>> tails) {
  GrowingTree tree;
  tree.size_ = size;
  for (unsigned level = 0; (size >> (kTileHeight * level)) > 0; ++level) {
    const std::uint64_t count = size >> (kTileHeight * level);
    if (level >= tails.size() || tails[level].size() != count % kTileWidth) {
      return Error{Errc::invalid, "the tiles do not fit the size of the tree"};
    }
    const std::vector<Digest>& tail = tails[level];
    tree.row(kTileHeight * level) = {count - tail.size(), tail};
    for (unsigned r = 1; r < kTileHeight; ++r) {
      const unsigned height = kTileHeight * level + r;
      Row& row = tree.row(height);
      row.first = first_kept(height, size);
      if (((size >> height) & 1) == 0) continue;
      const std::size_t begin = static_cast<std::size_t>((row.first << r) % kTileWidth);
      row.hashes.push_back(subtree_root(std::span(tail).subspan(begin, std::size_t{1} << r)));
    }
  }
  return tree;
}

std::uint64_t GrowingTree::first_kept(unsigned height, std::uint64_t size) {
  const std::uint64_t count = size >> height;
  return height % kTileHeight == 0 ? count - count % kTileWidth : count - count % 2;
}

GrowingTree::Row& GrowingTree::row(unsigned height) {
  if (height >= rows_.size()) rows_.resize(height + 1);
  return rows_[height];
}

void GrowingTree::append(const Digest& leaf) {
  row(0).hashes.push_back(leaf);
  unsigned height = 0;
  for (std::uint64_t index = size_; (index & 1) == 1; index >>= 1, ++height) {
    const std::vector<Digest>& hashes = row(height).hashes;
    const Digest parent = node_hash(hashes[hashes.size() - 2], hashes.back());
    row(height + 1).hashes.push_back(parent);
  }
  ++size_;
}

Digest GrowingTree::root() { return root_at(*this, size_).value(); }

Result<Digest> GrowingTree::node(unsigned height, std::uint64_t index) {
  if (height >= rows_.size()) return Error{Errc::not_found, "no node of this height"};
  const Row& row = rows_[height];
  if (index < row.first || index - row.first >= row.hashes.size()) {
    return Error{Errc::not_found, "this node is not in memory"};
  }
  return row.hashes[static_cast<std::size_t>(index - row.first)];
}

std::vector<Digest> GrowingTree::tile(unsigned level, std::uint64_t n) const {
  const Row& row = rows_.at(kTileHeight * level);
  const auto begin = static_cast<std::size_t>(n * kTileWidth - row.first);
  const std::size_t end = std::min(begin + std::size_t{kTileWidth}, row.hashes.size());
  return {row.hashes.begin() + static_cast<std::ptrdiff_t>(begin),
          row.hashes.begin() + static_cast<std::ptrdiff_t>(end)};
}

void GrowingTree::trim() {
  for (unsigned height = 0; height < rows_.size(); ++height) {
    Row& row = rows_[height];
    const std::uint64_t first = first_kept(height, size_);
    const auto drop = static_cast<std::ptrdiff_t>(first - row.first);
    row.hashes.erase(row.hashes.begin(), row.hashes.begin() + drop);
    row.first = first;
  }
}

}  // namespace flora::ledger
