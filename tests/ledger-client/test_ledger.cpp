#include "tests/ledger-client/test_ledger.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "gateway/base/bytes.h"
#include "gateway/model/transaction.h"

namespace flora::test {

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "flora-ledger-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

crypto::Ed25519Key test_key() {
  std::array<std::byte, 32> seed;
  seed.fill(std::byte{7});
  return crypto::Ed25519Key::from_seed(seed).value();
}

Uuid id_of(std::uint64_t n) {
  Uuid id;
  const std::uint64_t ms = 1'793'000'000'000 + n;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::byte>(ms >> (40 - 8 * i));
  id.bytes[6] = std::byte{0x70};
  id.bytes[8] = std::byte{0x80};
  for (std::size_t i = 0; i < 4; ++i) id.bytes[15 - i] = static_cast<std::byte>(n >> (8 * i));
  return id;
}

std::string body_of(std::uint64_t n) {
  char time[40];
  std::snprintf(time, sizeof time, "2026-11-03T%02u:%02u:%02u.%03uZ",
                static_cast<unsigned>(n / 3'600'000 % 24), static_cast<unsigned>(n / 60'000 % 60),
                static_cast<unsigned>(n / 1000 % 60), static_cast<unsigned>(n % 1000));
  return R"({"id":")" + to_string(id_of(n)) + R"(","recordedAt":")" + time + R"(","salt":")" +
         to_hex(crypto::sha256(std::to_string(n))).substr(0, 32) + R"(","v":1})";
}

LedgerEntry entry_of(std::uint64_t n) { return {id_of(n), body_of(n)}; }

std::vector<LedgerEntry> entries_of(std::uint64_t first, std::uint64_t count) {
  std::vector<LedgerEntry> entries;
  for (std::uint64_t n = first; n < first + count; ++n) entries.push_back(entry_of(n));
  return entries;
}

namespace {

Uuid procedure_of(std::uint64_t n) {
  Uuid id;
  id.bytes.fill(std::byte{0x5f});
  id.bytes[6] = std::byte{0x4f};
  id.bytes[8] = std::byte{0x8f};
  for (std::size_t i = 0; i < 4; ++i) id.bytes[15 - i] = static_cast<std::byte>(n >> (8 * i));
  return id;
}

Transaction real_transaction(std::uint64_t n, std::uint64_t procedure, std::uint64_t variant) {
  Transaction transaction;
  transaction.id = id_of(n);
  transaction.procedure = procedure_of(procedure);
  transaction.status = "REGISTRIERUNG_ABGESCHLOSSEN";
  transaction.occurred = Day{20'759};
  transaction.recorded_at = Instant{1'793'690'130'123 + static_cast<std::int64_t>(n)};
  transaction.authority = "000250";
  transaction.role = "AE";
  transaction.land = "DE-NI";
  transaction.channel = "default";
  transaction.catalogue = "2026-11";
  for (std::size_t i = 0; i < 8; ++i) {
    transaction.salt[i] = static_cast<std::byte>(variant >> (8 * i));
  }
  return transaction;
}

}  // namespace

LedgerEntry transaction_of(std::uint64_t n, std::uint64_t procedure, std::uint64_t variant) {
  return {id_of(n), to_canonical(real_transaction(n, procedure, variant))};
}

LedgerEntry correction_of(std::uint64_t n, std::uint64_t corrects, std::uint64_t procedure) {
  Transaction transaction = real_transaction(n, procedure, 0);
  transaction.corrects = id_of(corrects);
  return {id_of(n), to_canonical(transaction)};
}

LedgerEntry naming(const LedgerEntry& entry, const std::string& channel) {
  Transaction transaction = *parse_transaction(entry.body);
  transaction.channel = channel;
  return {entry.id, to_canonical(transaction)};
}

LedgerEntry tombstone_of(std::uint64_t n, std::uint64_t procedure) {
  Tombstone tombstone;
  tombstone.id = id_of(n);
  tombstone.procedure = procedure_of(procedure);
  tombstone.recorded_at = Instant{1'793'690'130'123 + static_cast<std::int64_t>(n)};
  tombstone.authority = "999901";
  tombstone.channel = "default";
  return {id_of(n), to_canonical(tombstone)};
}

ledger::EmbeddedOptions options_in(const Folder& folder) {
  return {.database = folder.path("ledger.db"),
          .checkpoint_file = folder.path("checkpoint"),
          .origin = kOrigin,
          .key = test_key()};
}

ledger::LedgerFiles files_in(const Folder& folder) {
  return {.database = folder.path("ledger.db"),
          .checkpoint_file = folder.path("checkpoint"),
          .origin = kOrigin,
          .public_key = test_key().public_key()};
}

std::vector<Result<Position>> submit(Ledger& ledger, std::vector<LedgerEntry> entries) {
  std::promise<std::vector<Result<Position>>> answer;
  auto waiting = answer.get_future();
  ledger.submit(std::move(entries), [&answer](std::vector<Result<Position>> results) {
    answer.set_value(std::move(results));
  });
  return waiting.get();
}

bool fill(Ledger& ledger, std::uint64_t first, std::uint64_t count, std::uint64_t batch) {
  for (std::uint64_t done = 0; done < count; done += batch) {
    const auto results =
        submit(ledger, entries_of(first + done, std::min<std::uint64_t>(batch, count - done)));
    for (const auto& result : results) {
      if (!result) return false;
    }
  }
  return true;
}

}  // namespace flora::test
