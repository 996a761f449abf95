// Tree, proofs and tiles against published vectors and a naive implementation.
#include <doctest/doctest.h>

#include <map>

#include "gateway/base/bytes.h"
#include "ledger-client/merkle/growing_tree.h"
#include "ledger-client/merkle/tiles.h"
#include "ledger-client/merkle/tree.h"

using namespace flora;
using namespace flora::ledger;

namespace {

std::string bytes(std::string_view hex) { return *from_hex(hex); }

/// MTH of RFC 9162 §2.1.1, as it is written there.
Digest naive_root(std::span<const Digest> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves.front();
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(naive_root(leaves.first(k)), naive_root(leaves.subspan(k)));
}

/// PATH of RFC 9162 §2.1.3.1.
std::vector<Digest> naive_path(std::size_t m, std::span<const Digest> leaves) {
  if (leaves.size() == 1) return {};
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  std::vector<Digest> path;
  if (m < k) {
    path = naive_path(m, leaves.first(k));
    path.push_back(naive_root(leaves.subspan(k)));
  } else {
    path = naive_path(m - k, leaves.subspan(k));
    path.push_back(naive_root(leaves.first(k)));
  }
  return path;
}

/// SUBPROOF of RFC 9162 §2.1.4.1.
std::vector<Digest> naive_subproof(std::size_t m, std::span<const Digest> leaves, bool known) {
  if (m == leaves.size()) {
    if (known) return {};
    return {naive_root(leaves)};
  }
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  std::vector<Digest> proof;
  if (m <= k) {
    proof = naive_subproof(m, leaves.first(k), known);
    proof.push_back(naive_root(leaves.subspan(k)));
  } else {
    proof = naive_subproof(m - k, leaves.subspan(k), false);
    proof.push_back(naive_root(leaves.first(k)));
  }
  return proof;
}

/// Holds every node.
class WholeTree final : public NodeSource {
 public:
  explicit WholeTree(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}
  Result<Digest> node(unsigned height, std::uint64_t index) override {
    const auto key = std::make_pair(height, index);
    if (const auto found = nodes_.find(key); found != nodes_.end()) return found->second;
    const std::size_t width = std::size_t{1} << height;
    if ((index + 1) * width > leaves_.size()) return Error{Errc::not_found, "incomplete"};
    const Digest hash = naive_root(std::span(leaves_).subspan(index * width, width));
    nodes_.emplace(key, hash);
    return hash;
  }

 private:
  std::vector<Digest> leaves_;
  std::map<std::pair<unsigned, std::uint64_t>, Digest> nodes_;
};

std::vector<Digest> leaves_of(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(std::to_string(i)));
  return leaves;
}

}  // namespace

TEST_CASE("roots are those of the vectors of certificate-transparency") {
  const std::string inputs[] = {"",
                                bytes("00"),
                                bytes("10"),
                                bytes("2021"),
                                bytes("3031"),
                                bytes("40414243"),
                                bytes("5051525354555657"),
                                bytes("606162636465666768696a6b6c6d6e6f")};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  CHECK(to_hex(empty_root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CompactRange range;
  GrowingTree tree;
  CHECK(range.root() == empty_root());
  for (std::size_t i = 0; i < 8; ++i) {
    range.append(leaf_hash(inputs[i]));
    tree.append(leaf_hash(inputs[i]));
    CHECK(to_hex(range.root()) == roots[i]);
    CHECK(to_hex(tree.root()) == roots[i]);
  }
  const auto path = inclusion_proof(tree, 5, 8);
  REQUIRE(path->size() == 3);
  CHECK(to_hex((*path)[0]) == "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
  CHECK(to_hex((*path)[1]) == "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
  CHECK(to_hex((*path)[2]) == "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

TEST_CASE("inclusion proofs of all trees up to 300 leaves are the naive ones and verify") {
  const std::vector<Digest> leaves = leaves_of(300);
  WholeTree tree(leaves);
  for (std::size_t size = 1; size <= 300; ++size) {
    const auto some = std::span(leaves).first(size);
    const Digest root = naive_root(some);
    CHECK(*root_at(tree, size) == root);
    for (std::size_t index = 0; index<size; index += size> 70 ? 7 : 1) {
      const auto proof = inclusion_proof(tree, index, size);
      REQUIRE(proof);
      CHECK(*proof == naive_path(index, some));
      CHECK(verify_inclusion(leaves[index], index, size, *proof, root));
      CHECK_FALSE(verify_inclusion(leaves[index], index + 1, size, *proof, root));
      CHECK_FALSE(verify_inclusion(leaves[(index + 1) % 300], index, size, *proof, root));
      if (!proof->empty()) {
        std::vector<Digest> shorter(proof->begin(), proof->end() - 1);
        CHECK_FALSE(verify_inclusion(leaves[index], index, size, shorter, root));
        std::vector<Digest> longer = *proof;
        longer.push_back(root);
        CHECK_FALSE(verify_inclusion(leaves[index], index, size, longer, root));
      }
    }
  }
  CHECK(inclusion_proof(tree, 5, 5).error().code == Errc::invalid);
  CHECK_FALSE(verify_inclusion(leaves[0], 0, 0, {}, leaves[0]));
}

TEST_CASE("consistency proofs of all pairs up to 130 leaves are the naive ones and verify") {
  const std::vector<Digest> leaves = leaves_of(130);
  WholeTree tree(leaves);
  for (std::size_t second = 1; second <= 130; ++second) {
    const auto some = std::span(leaves).first(second);
    const Digest second_root = naive_root(some);
    for (std::size_t first = 1; first <= second; ++first) {
      const auto proof = consistency_proof(tree, first, second);
      REQUIRE(proof);
      CHECK(*proof == naive_subproof(first, some, true));
      const Digest first_root = naive_root(some.first(first));
      CHECK(verify_consistency(first, second, *proof, first_root, second_root));
      if (first == second) continue;
      CHECK_FALSE(verify_consistency(first, second, *proof, second_root, second_root));
      CHECK_FALSE(verify_consistency(first, second, *proof, first_root, first_root));
      std::vector<Digest> shorter(proof->begin(), proof->end() - 1);
      CHECK_FALSE(verify_consistency(first, second, shorter, first_root, second_root));
    }
  }
  CHECK(verify_consistency(0, 7, {}, empty_root(), leaves[0]));
  CHECK_FALSE(verify_consistency(2, 1, {}, leaves[0], leaves[0]));
  CHECK(consistency_proof(tree, 0, 3).error().code == Errc::invalid);
}

TEST_CASE("a growing tree knows its root, new proofs and tiles, also when it is opened again") {
  constexpr std::size_t kLeaves = 66'000;
  const std::vector<Digest> leaves = leaves_of(kLeaves);
  CompactRange range;
  GrowingTree tree;
  std::map<std::pair<unsigned, std::uint64_t>, std::vector<Digest>> tiles;
  std::size_t step = 1;
  while (range.size() < kLeaves) {
    const std::uint64_t old_size = tree.size();
    for (std::size_t i = 0; i < step && range.size() < kLeaves; ++i) {
      range.append(leaves[range.size()]);
      tree.append(leaves[tree.size()]);
    }
    REQUIRE(tree.root() == range.root());
    for (std::uint64_t index = old_size; index < tree.size(); index += 97) {
      const auto proof = inclusion_proof(tree, index, tree.size());
      REQUIRE(proof);
      CHECK(verify_inclusion(leaves[index], index, tree.size(), *proof, range.root()));
    }
    std::vector<std::vector<Digest>> tails;
    for (unsigned level = 0; (tree.size() >> (8 * level)) > 0; ++level) {
      const std::uint64_t count = tree.size() >> (8 * level);
      tails.emplace_back();
      if (count % 256 != 0) tails.back() = tree.tile(level, count / 256);
      CHECK(tails.back().size() == count % 256);
    }
    auto opened = GrowingTree::open(tree.size(), tails);
    REQUIRE(opened);
    CHECK(opened->root() == range.root());
    tails.back().emplace_back();
    CHECK(GrowingTree::open(tree.size(), tails).error().code == Errc::invalid);
    tree.trim();
    CHECK(tree.root() == range.root());
    if (step % 2 == 0) tree = std::move(*opened);
    step += step < 20 ? 1 : step;
  }
}

TEST_CASE("tile paths are written and read as tlog-tiles says") {
  CHECK(tile_path({0, 1234067, 256}) == "0/x001/x234/067");
  CHECK(tile_path({{}, 5, 112}) == "entries/005.p/112");
  for (const TileId& tile : {TileId{0, 0, 256}, TileId{3, 999, 1}, TileId{{}, 1000, 255},
                             TileId{63, 999'999'999'999, 256}}) {
    CHECK(parse_tile_path(tile_path(tile)) == tile);
  }
  for (const char* path : {"",
                           "0",
                           "0/",
                           "0/1",
                           "0/0001",
                           "0/x001",
                           "0/000/001",
                           "0/x000/001",
                           "64/000",
                           "00/000",
                           "+1/000",
                           "0/000.p/0",
                           "0/000.p/256",
                           "0/000.p/01",
                           "0/000.p/",
                           "0/000.p/1/",
                           "-1/000",
                           "entry/000",
                           "0/x001/x234/067/",
                           "0//000",
                           "0/ 00",
                           "0/x999/x999/x999/x999/x999/x999/999",
                           "0/000.p/1.p/1"}) {
    CHECK_MESSAGE(!parse_tile_path(path).has_value(), path);
  }
  CHECK(tile_width(0, 273, 70'000) == 112);
  CHECK(tile_width(1, 0, 70'000) == 256);
  CHECK(tile_width(1, 1, 70'000) == 17);
  CHECK(tile_width(2, 0, 70'000) == 1);
  CHECK(tile_width(3, 0, 70'000) == 0);
  CHECK(tile_width(0, 274, 70'000) == 0);
}
