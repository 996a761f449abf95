// The right edge of a growing Merkle tree, in memory: it takes new leaves, gives the root, the
// tiles that they fill, and inclusion proofs of what was just appended, without reading from a
// disk.
#pragma once

#include <cstdint>
#include <vector>

#include "ledger-client/merkle/tree.h"

namespace flora::ledger {

/// Not thread-safe. Memory: at most 255 hashes per tile level after trim(), whatever the size.
class GrowingTree final : public NodeSource {
 public:
  /// The tree of `size` leaves. `tails[l]` holds the hashes of the partial tile at level l, that is
  /// (size >> 8l) mod 256 of them; one element for each level that has a tile. Errors: invalid if
  /// the counts do not fit the size.
  static Result<GrowingTree> open(std::uint64_t size, std::vector<std::vector<Digest>> tails);

  /// The empty tree.
  GrowingTree() = default;

  void append(const Digest& leaf);
  std::uint64_t size() const { return size_; }
  Digest root();

  /// A complete node that was made since the last trim(), or that further appends need. Errors:
  /// not_found.
  Result<Digest> node(unsigned height, std::uint64_t index) override;

  /// The hashes that tile `n` at `level` has so far; only for tiles touched since the last trim().
  std::vector<Digest> tile(unsigned level, std::uint64_t n) const;

  /// Forgets all but what further appends and their proofs need.
  void trim();

 private:
  /// The nodes of one height that are kept: those from index `first` on.
  struct Row {
    std::uint64_t first = 0;
    std::vector<Digest> hashes;
  };

  static std::uint64_t first_kept(unsigned height, std::uint64_t size);
  Row& row(unsigned height);

  std::uint64_t size_ = 0;
  std::vector<Row> rows_;
};

}  // namespace flora::ledger
