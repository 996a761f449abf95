#include "ledger-client/merkle/tree.h"

#include <array>
#include <bit>
#include <optional>

#include "gateway/base/crypto.h"

namespace flora::ledger {
namespace {

/// A run of leaves, from `begin` to before `end`.
struct Range {
  std::uint64_t begin;
  std::uint64_t end;
};

/// The largest power of two that is smaller than `size`; `size` is at least 2.
std::uint64_t split_point(std::uint64_t size) { return std::bit_floor(size - 1); }

/// Folds subtree roots, largest first, into one root.
Digest fold(std::span<const Digest> peaks) {
  Digest root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i > 0; --i) root = node_hash(peaks[i - 1], root);
  return root;
}

/// The root over a range that begins where RFC 9162 splits a tree, so that it falls into complete
/// nodes of decreasing height.
Result<Digest> range_hash(NodeSource& source, Range range) {
  std::vector<Digest> peaks;
  std::uint64_t position = range.begin;
  while (position < range.end) {
    const auto height = static_cast<unsigned>(std::bit_width(range.end - position) - 1);
    FLORA_ASSIGN(Digest hash, source.node(height, position >> height));
    peaks.push_back(hash);
    position += std::uint64_t{1} << height;
  }
  return fold(peaks);
}

Result<std::vector<Digest>> hashes_of(NodeSource& source, std::span<const Range> ranges) {
  std::vector<Digest> hashes;
  hashes.reserve(ranges.size());
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    FLORA_ASSIGN(Digest hash, range_hash(source, *range));
    hashes.push_back(hash);
  }
  return hashes;
}

/// What remains of a proof while it is consumed from the front.
class ProofReader {
 public:
  explicit ProofReader(std::span<const Digest> proof) : proof_(proof) {}

  std::optional<Digest> next() {
    if (proof_.empty()) return std::nullopt;
    const Digest hash = proof_.front();
    proof_ = proof_.subspan(1);
    return hash;
  }
  bool at_end() const { return proof_.empty(); }

 private:
  std::span<const Digest> proof_;
};

}  // namespace

Digest leaf_hash(std::string_view body) {
  static constexpr std::array<std::byte, 1> kPrefix{std::byte{0}};
  return crypto::sha256({std::span<const std::byte>(kPrefix), as_bytes(body)});
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::byte, 65> input;
  input[0] = std::byte{1};
  std::copy(left.begin(), left.end(), input.begin() + 1);
  std::copy(right.begin(), right.end(), input.begin() + 33);
  return crypto::sha256(as_text(input));
}

Digest empty_root() { return crypto::sha256(std::string_view{}); }

Result<Digest> root_at(NodeSource& source, std::uint64_t size) {
  if (size == 0) return empty_root();
  return range_hash(source, {0, size});
}

Result<std::vector<Digest>> inclusion_proof(NodeSource& source, std::uint64_t index,
                                            std::uint64_t size) {
  if (index >= size) return Error{Errc::invalid, "the leaf is not in the tree"};
  std::vector<Range> siblings;
  Range subtree{0, size};
  while (subtree.end - subtree.begin > 1) {
    const std::uint64_t middle = subtree.begin + split_point(subtree.end - subtree.begin);
    if (index < middle) {
      siblings.push_back({middle, subtree.end});
      subtree.end = middle;
    } else {
      siblings.push_back({subtree.begin, middle});
      subtree.begin = middle;
    }
  }
  return hashes_of(source, siblings);
}

Result<std::vector<Digest>> consistency_proof(NodeSource& source, std::uint64_t first,
                                              std::uint64_t second) {
  if (first == 0 || first > second) return Error{Errc::invalid, "no such pair of trees"};
  std::vector<Range> parts;
  Range subtree{0, second};
  bool left_edge = true;  // The subtree is the first tree itself, whose root the verifier knows.
  while (subtree.end != first) {
    const std::uint64_t middle = subtree.begin + split_point(subtree.end - subtree.begin);
    if (first <= middle) {
      parts.push_back({middle, subtree.end});
      subtree.end = middle;
    } else {
      parts.push_back({subtree.begin, middle});
      subtree.begin = middle;
      left_edge = false;
    }
  }
  if (!left_edge) parts.push_back(subtree);
  return hashes_of(source, parts);
}

bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Digest> proof, const Digest& root) {
  if (index >= size) return false;
  std::uint64_t position = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return false;
    if ((position & 1) == 1 || position == last) {
      hash = node_hash(sibling, hash);
      while ((position & 1) == 0 && position != 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    position >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool verify_consistency(std::uint64_t first, std::uint64_t second, std::span<const Digest> proof,
                        const Digest& first_root, const Digest& second_root) {
  if (first > second) return false;
  if (first == 0) return proof.empty() && first_root == empty_root();
  if (first == second) return proof.empty() && first_root == second_root;

  std::uint64_t position = first - 1;
  std::uint64_t last = second - 1;
  while ((position & 1) == 1) {
    position >>= 1;
    last >>= 1;
  }
  ProofReader reader(proof);
  std::optional<Digest> start = std::has_single_bit(first) ? first_root : reader.next();
  if (!start) return false;
  Digest old_hash = *start;
  Digest new_hash = *start;
  while (!reader.at_end()) {
    if (last == 0) return false;
    const Digest sibling = *reader.next();
    if ((position & 1) == 1 || position == last) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      while ((position & 1) == 0 && position != 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    position >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == first_root && new_hash == second_root;
}

void CompactRange::append(const Digest& leaf) {
  Digest hash = leaf;
  for (std::uint64_t rest = size_; (rest & 1) == 1; rest >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Digest CompactRange::root() const { return peaks_.empty() ? empty_root() : fold(peaks_); }

}  // namespace flora::ledger
