// Signed notes, checkpoints and receipts: good ones, and each way to spoil them.
#include "ledger-client/merkle/note.h"

#include <doctest/doctest.h>

#include "ledger-client/merkle/growing_tree.h"
#include "ledger-client/merkle/proof.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::ledger;

namespace {

// The example of c2sp.org/signed-note's reference implementation (golang.org/x/mod/sumdb/note).
constexpr const char* kPeter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr const char* kPeterNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

NoteVerifier verifier() { return {test::kOrigin, test::test_key().public_key()}; }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the note of the reference implementation verifies") {
  const auto key = parse_note_verifier(kPeter);
  REQUIRE(key);
  CHECK(key->name == "PeterNeumann");
  CHECK(to_text(*key) == kPeter);
  const auto text = open_note(kPeterNote, *key);
  REQUIRE(text);
  CHECK(text->starts_with("If you think"));
  CHECK(text->ends_with("is.\n"));
}

TEST_CASE("verifier keys are read strictly") {
  const std::string good = to_text(verifier());
  CHECK(parse_note_verifier(good)->name == test::kOrigin);
  CHECK(*parse_note_verifier(good) == verifier());
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("x+y"), std::string("x+00000000+"),
        replaced(good, "flora", "Flora"), replaced(good, "flora", "flo ra"), good + "\n",
        " " + good, good.substr(0, good.size() - 1), replaced(good, "+A", "+B"),
        replaced(kPeter, "c74f20a3", "C74F20A3")}) {
    CHECK_MESSAGE(!parse_note_verifier(bad).has_value(), bad);
  }
}

TEST_CASE("a checkpoint is written, signed, read and verified") {
  const auto key = test::test_key();
  const Checkpoint checkpoint{test::kOrigin, 42, crypto::sha256("root")};
  CHECK(*parse_checkpoint(to_text(checkpoint)) == checkpoint);
  const std::string note = sign_checkpoint(checkpoint, key);
  CHECK(*open_checkpoint(note, verifier()) == checkpoint);

  SUBCASE("signatures of unknown keys are ignored") {
    const std::string more = note + "— witness.example" +
                             std::string(kPeterNote).substr(std::string(kPeterNote).rfind(' '));
    CHECK(open_checkpoint(more, verifier()).has_value());
    const auto other = crypto::Ed25519Key::from_seed(crypto::sha256("other")).value();
    CHECK_FALSE(open_checkpoint(sign_checkpoint(checkpoint, other), verifier()));
  }
  SUBCASE("a key of another name does not sign for this origin") {
    const std::string foreign = sign_note(to_text(checkpoint), "another.example", key);
    CHECK_FALSE(open_checkpoint(foreign, verifier()));
    CHECK_FALSE(open_checkpoint(foreign, {"another.example", key.public_key()}));
  }
  SUBCASE("each changed byte is refused") {
    for (std::size_t i = 0; i < note.size(); ++i) {
      for (const int bit : {1, 32, 128}) {
        std::string changed = note;
        changed[i] = static_cast<char>(changed[i] ^ bit);
        CHECK_MESSAGE(!open_checkpoint(changed, verifier()).has_value(), changed);
      }
      CHECK_FALSE(open_checkpoint(note.substr(0, i), verifier()));
    }
  }
}

TEST_CASE("checkpoint texts are read strictly") {
  const std::string root = to_base64(crypto::sha256("root")) + "\n";
  CHECK(parse_checkpoint("o\n0\n" + root).has_value());
  CHECK(parse_checkpoint("o\n18446744073709551615\n" + root).has_value());
  CHECK(parse_checkpoint("o\n1\n" + root + "extension\n").has_value());
  for (const std::string& bad :
       {std::string(), std::string("o\n"), std::string("o\n1\n"), "\n1\n" + root, "o\n\n" + root,
        "o\n01\n" + root, "o\n-1\n" + root, "o\n+1\n" + root, "o\n1 \n" + root, "o\nx\n" + root,
        "o\n18446744073709551616\n" + root, "o\n1\n" + root.substr(0, 43),
        std::string("o\n1\nAAAA\n"), "o\n1\n" + root + "\n", "o\n1\n" + root + "x"}) {
    CHECK_MESSAGE(!parse_checkpoint(bad).has_value(), bad);
  }
}

TEST_CASE("a receipt verifies with the key alone, and no changed one does") {
  const auto key = test::test_key();
  GrowingTree tree;
  for (std::uint64_t n = 0; n < 11; ++n) tree.append(leaf_hash(test::body_of(n)));
  const std::string note = sign_checkpoint({test::kOrigin, 11, tree.root()}, key);
  const std::string proof = to_text({6, *inclusion_proof(tree, 6, 11), note, {}});
  const std::string vkey = to_text(verifier());

  const auto verified = verify_receipt(test::body_of(6), proof, vkey);
  REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
  CHECK(verified->index == 6);
  CHECK(verified->checkpoint.size == 11);
  CHECK_FALSE(verify_receipt(test::body_of(7), proof, vkey));
  CHECK_FALSE(verify_receipt(test::body_of(6), proof, std::string_view("nonsense")));
  for (std::size_t i = 0; i < proof.size(); ++i) {
    std::string changed = proof;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_MESSAGE(!verify_receipt(test::body_of(6), changed, vkey).has_value(), changed);
    CHECK_FALSE(verify_receipt(test::body_of(6), proof.substr(0, i), vkey));
  }
}

TEST_CASE("proof texts are read strictly") {
  const ProofText proof{3, {crypto::sha256("a"), crypto::sha256("b")}, "a checkpoint\n", "extra"};
  const std::string text = to_text(proof);
  const auto parsed = parse_proof(text);
  REQUIRE(parsed);
  CHECK(parsed->index == 3);
  CHECK(parsed->hashes == proof.hashes);
  CHECK(parsed->checkpoint == proof.checkpoint);
  CHECK(parsed->extra == "extra");
  CHECK(to_text(*parsed) == text);
  for (const std::string& bad :
       {replaced(text, "@v1", "@v2"), replaced(text, "index 3", "index 03"),
        replaced(text, "index 3", "index"), replaced(text, "index 3", "index -3"),
        replaced(text, "extra ZX", "extra !X"), replaced(text, "extra ", "Extra "),
        replaced(text, "\n\na checkpoint\n", "\n"), replaced(text, "a checkpoint\n", ""),
        replaced(text, "index 3\n", "index 3\nAAAA\n"), "\n" + text}) {
    CHECK_MESSAGE(!parse_proof(bad).has_value(), bad);
  }
  ProofText deep = proof;
  deep.hashes.resize(65);
  CHECK_FALSE(parse_proof(to_text(deep)));
}
