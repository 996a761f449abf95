// The embedded ledger: contract, restart, roll-back, locks.
#include "ledger-client/embedded/embedded_ledger.h"

#include <doctest/doctest.h>

#include <deque>

#include "gateway/base/sqlite.h"
#include "ledger-client/merkle/proof.h"
#include "ledger-client/merkle/tiles.h"
#include "ledger-client/merkle/tree.h"
#include "tests/ledger-client/ledger_contract.h"
#include "tests/ledger-client/test_ledger.h"

using namespace flora;
using namespace flora::test;
using ledger::EmbeddedLedger;

namespace {

std::unique_ptr<EmbeddedLedger> open_in(const Folder& folder) {
  auto opened = EmbeddedLedger::open(options_in(folder), Env::system());
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  return std::move(*opened);
}

Error refusal_in(const Folder& folder) {
  auto opened = EmbeddedLedger::open(options_in(folder), Env::system());
  REQUIRE_FALSE(opened.has_value());
  return opened.error();
}

void copy(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("the embedded ledger keeps the contract of ledgers") {
  std::deque<Folder> folders;
  check_ledger_contract([&] { return open_in(folders.emplace_back()); });
}

TEST_CASE("the longest text is taken") {
  const Folder folder;
  const auto ledger = open_in(folder);
  CHECK(submit(*ledger, {{id_of(5), std::string(65'535, 'x')}}).front().has_value());
}

TEST_CASE("every receipt verifies with the public key alone, before and after a restart") {
  const Folder folder;
  auto ledger = open_in(folder);
  const std::string vkey = ledger->vkey();
  std::vector<std::string> proofs;
  std::uint64_t n = 0;
  for (const std::uint64_t batch : {1U, 2U, 255U, 1U, 300U, 1U, 7U, 513U, 20U}) {
    for (auto& result : submit(*ledger, entries_of(n, batch))) {
      REQUIRE(result);
      REQUIRE(result->receipt);
      const auto verified =
          ledger::verify_receipt(result->receipt->body, result->receipt->proof, vkey);
      REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
      CHECK(verified->index == n);
      CHECK(verified->checkpoint.size == ledger->size());
      proofs.push_back(result->receipt->proof);
      ++n;
    }
    ledger.reset();
    ledger = open_in(folder);
  }
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto receipt = ledger->receipt(id_of(i));
    REQUIRE(receipt);
    CHECK(receipt->proof == proofs[i]);
  }
}

TEST_CASE("tiles and entry bundles are those of the published tree") {
  const Folder folder;
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 1000, 77));
  CHECK(ledger->tile(0, 3, 1000 - 768)->size() == 32 * (1000 - 768));
  CHECK(ledger->tile(0, 3, 1000 - 767).error().code == Errc::not_found);
  CHECK(ledger->tile(0, 0, 256)->substr(0, 32) == as_text(ledger::leaf_hash(body_of(0))));
  CHECK(ledger->tile(1, 0, 3)->size() == 96);
  CHECK(ledger->tile(1, 0, 4).error().code == Errc::not_found);
  CHECK(ledger->tile(2, 0, 1).error().code == Errc::not_found);
  CHECK(ledger->tile(63, 0, 1).error().code == Errc::not_found);
  CHECK(ledger->tile(0, ~std::uint64_t{0}, 1).error().code == Errc::not_found);
  const auto bundle = ledger->entry_bundle(3, 2);
  const std::string body = body_of(768);
  CHECK(bundle->substr(2, body.size()) == body);
  CHECK(static_cast<unsigned char>((*bundle)[1]) == body.size());
  CHECK(ledger->entry_bundle(4, 1).error().code == Errc::not_found);
}

TEST_CASE("a second process is refused") {
  const Folder folder;
  auto ledger = open_in(folder);
  CHECK(refusal_in(folder).code == Errc::unavailable);
  ledger.reset();
  ledger = open_in(folder);
}

TEST_CASE("an older database than the last signed checkpoint is refused") {
  const Folder folder;
  const std::string database = folder.path("ledger.db");
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 10, 5));
  ledger.reset();
  copy(database, folder.path("old"));
  ledger = open_in(folder);
  REQUIRE(fill(*ledger, 10, 10, 5));
  ledger.reset();
  copy(folder.path("old"), database);
  std::filesystem::remove(database + "-wal");
  CHECK(refusal_in(folder).code == Errc::invalid);

  std::filesystem::remove(database);
  CHECK(refusal_in(folder).code == Errc::invalid);
}

TEST_CASE("another history than the one last signed is refused") {
  const Folder folder;
  const Folder other;
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 10, 5));
  ledger.reset();
  auto second = open_in(other);
  REQUIRE(fill(*second, 100, 20, 5));
  second.reset();
  copy(other.path("ledger.db"), folder.path("ledger.db"));
  std::filesystem::remove(folder.path("ledger.db-wal"));
  CHECK(refusal_in(folder).message.find("contradicts") != std::string::npos);
}

TEST_CASE("a missing checkpoint file is refused once there are entries") {
  const Folder folder;
  open_in(folder).reset();
  std::filesystem::remove(folder.path("checkpoint"));
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 1, 1));
  ledger.reset();
  std::filesystem::remove(folder.path("checkpoint"));
  CHECK(refusal_in(folder).code == Errc::invalid);
}

TEST_CASE("another key, origin or a newer schema is refused") {
  const Folder folder;
  auto ledger = open_in(folder);
  REQUIRE(fill(*ledger, 0, 3, 1));
  ledger.reset();
  auto options = options_in(folder);
  options.origin = "flora.example/production";
  CHECK(EmbeddedLedger::open(std::move(options), Env::system()).error().code == Errc::invalid);
  options = options_in(folder);
  options.key = crypto::Ed25519Key::from_seed(crypto::sha256("another")).value();
  CHECK(EmbeddedLedger::open(std::move(options), Env::system()).error().code == Errc::invalid);
  options = options_in(folder);
  options.origin = "with space";
  CHECK(EmbeddedLedger::open(std::move(options), Env::system()).error().code == Errc::invalid);
  {
    auto database = sqlite::Database::open(folder.path("ledger.db"), sqlite::Mode::read_write);
    REQUIRE(database->set_schema_version(2));
  }
  CHECK(refusal_in(folder).message.find("version 2") != std::string::npos);
}

TEST_CASE("more than the queue holds is answered with overloaded") {
  const Folder folder;
  auto options = options_in(folder);
  options.max_queued_entries = 10;
  auto ledger = std::move(*EmbeddedLedger::open(std::move(options), Env::system()));
  const auto results = submit(*ledger, entries_of(0, 11));
  REQUIRE(results.size() == 11);
  for (const auto& result : results) CHECK(result.error().code == Errc::overloaded);
  CHECK(fill(*ledger, 0, 100, 10));
}

TEST_CASE("what is queued when the ledger closes is recorded") {
  const Folder folder;
  std::atomic<int> recorded = 0;
  {
    auto ledger = open_in(folder);
    for (std::uint64_t n = 0; n < 100; ++n) {
      ledger->submit({entry_of(n)}, [&](std::vector<Result<Position>> results) {
        recorded += results.front().has_value() ? 1 : 0;
      });
    }
  }
  CHECK(recorded == 100);
  CHECK(open_in(folder)->size() == 100);
}
