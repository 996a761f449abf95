// The Merkle tree of RFC 9162 §2.1 over SHA-256: hashes, proofs and their verification. A tree is
// named by its size; a node by its height (0: a leaf hash) and its index from the left at that
// height. Only complete nodes, whose 2^height leaves all exist, are ever stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"

namespace flora::ledger {

/// The hash of a leaf: SHA-256(0x00 || body).
Digest leaf_hash(std::string_view body);

/// The hash of an inner node: SHA-256(0x01 || left || right).
Digest node_hash(const Digest& left, const Digest& right);

/// The root of the tree without leaves: SHA-256 of nothing.
Digest empty_root();

/// Where proofs take their hashes from.
class NodeSource {
 public:
  virtual ~NodeSource() = default;

  /// The hash of a complete node. Errors: not_found (the source does not hold it), and what reading
  /// can cause.
  virtual Result<Digest> node(unsigned height, std::uint64_t index) = 0;
};

/// The root of the tree of the first `size` leaves.
Result<Digest> root_at(NodeSource& source, std::uint64_t size);

/// The inclusion proof of leaf `index` in the tree of `size`, from the leaf's sibling to the root's
/// child (RFC 9162 §2.1.3.1). Errors: invalid unless index < size.
Result<std::vector<Digest>> inclusion_proof(NodeSource& source, std::uint64_t index,
                                            std::uint64_t size);

/// The proof that the tree of `second` extends the tree of `first` (RFC 9162 §2.1.4.1). Empty if
/// both are equal. Errors: invalid unless 0 < first <= second.
Result<std::vector<Digest>> consistency_proof(NodeSource& source, std::uint64_t first,
                                              std::uint64_t second);

/// True if the proof shows that `leaf` is number `index` of the tree of `size` with this root
/// (RFC 9162 §2.1.3.2).
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Digest> proof, const Digest& root);

/// True if the proof shows that the second tree extends the first (RFC 9162 §2.1.4.2). An empty
/// first tree is extended by each tree, without a proof.
bool verify_consistency(std::uint64_t first, std::uint64_t second, std::span<const Digest> proof,
                        const Digest& first_root, const Digest& second_root);

/// The roots of the complete subtrees of a growing tree, largest first: all that is needed to
/// append leaves and to know the root, in memory logarithmic in the size. Not thread-safe.
class CompactRange {
 public:
  void append(const Digest& leaf);
  std::uint64_t size() const { return size_; }
  Digest root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> peaks_;
};

}  // namespace flora::ledger
