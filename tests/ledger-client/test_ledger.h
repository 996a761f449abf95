// What the ledger's tests share: a folder that disappears, ids, transaction texts, and submissions
// that wait for their answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/crypto.h"
#include "gateway/base/env.h"
#include "ledger-client/embedded/embedded_ledger.h"
#include "ledger-client/embedded/operations.h"
#include "ledger-client/ledger.h"

namespace flora::test {

/// A new empty folder, removed with its content at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline constexpr const char* kOrigin = "flora.example/test";

/// The signing key that all tests use.
crypto::Ed25519Key test_key();

/// The UUIDv7 number `n`; ids of larger numbers are larger.
Uuid id_of(std::uint64_t n);

/// A canonical text in the shape of a transaction: id, recordedAt, salt.
std::string body_of(std::uint64_t n);

LedgerEntry entry_of(std::uint64_t n);
std::vector<LedgerEntry> entries_of(std::uint64_t first, std::uint64_t count);

/// A real transaction of id_of(n), as every ledger takes it, about the procedure of that number.
/// `variant` makes another text of it.
LedgerEntry transaction_of(std::uint64_t n, std::uint64_t procedure = 1, std::uint64_t variant = 0);
/// The same as a correction of id_of(corrects).
LedgerEntry correction_of(std::uint64_t n, std::uint64_t corrects, std::uint64_t procedure);
LedgerEntry tombstone_of(std::uint64_t n, std::uint64_t procedure);

/// The same with another channel in its text.
LedgerEntry naming(const LedgerEntry& entry, const std::string& channel);

/// A ledger's options in a folder.
ledger::EmbeddedOptions options_in(const Folder& folder);

/// The same ledger, for the operations.
ledger::LedgerFiles files_in(const Folder& folder);

/// Submits and waits for the answer.
std::vector<Result<Position>> submit(Ledger& ledger, std::vector<LedgerEntry> entries);

/// Submits the entries `first` … in submissions of `batch`, one after the other. True if each was
/// recorded.
bool fill(Ledger& ledger, std::uint64_t first, std::uint64_t count, std::uint64_t batch);

}  // namespace flora::test
