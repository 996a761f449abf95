// A canonical status transaction: the pseudonymous, closed text that goes on the ledger. Version 1.
// Every version that was ever written stays readable; golden files of each are tests.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/base/result.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"

namespace flora {

/// Which adapter made an event, and from which version of its bundle.
struct AdapterMark {
  std::string id;
  std::string version;
  std::string hash;  ///< SHA-256 of the bundle, 64 lower-case hexadecimal digits.
};

struct Transaction {
  Uuid id;         ///< UUIDv7.
  Uuid procedure;  ///< The pseudonym, UUIDv4.
  std::string status;
  std::string regime;  ///< `ALT`, `GEAS` or empty.
  std::variant<Instant, Day> occurred;
  std::optional<std::int32_t> source_sequence;  ///< 0 to 9999.
  Instant recorded_at;  ///< When the gateway took it; never goes backwards in a log.
  std::string authority;
  std::string role;
  std::string land;
  std::string site;  ///< Empty: none.
  std::string channel;
  std::string catalogue;
  std::string details;  ///< Canonical JSON of a non-empty object, or empty.
  std::optional<Uuid> corrects;
  std::optional<Uuid> revokes;
  std::optional<Uuid> merged_into;  ///< A procedure's pseudonym.
  std::optional<AdapterMark> adapter;
  std::array<std::byte, 16> salt{};  ///< Random, so that a leaf hash cannot be guessed.
};

/// Says that the mapping of a procedure is erased: its entries can be attributed to nobody any
/// more. It has no status and nothing of a person.
struct Tombstone {
  Uuid id;                ///< UUIDv7.
  Uuid procedure;         ///< The pseudonym, UUIDv4.
  Instant recorded_at;    ///< As of a transaction.
  std::string authority;  ///< Whose client has ordered it.
  std::string channel;
  std::array<std::byte, 16> salt{};
};

/// What an entry of the ledger says.
using EntryContent = std::variant<Transaction, Tombstone>;

/// The canonical text (RFC 8785) of version 1.
std::string to_canonical(const Transaction& transaction);
std::string to_canonical(const Tombstone& tombstone);

/// Reads a canonical text of any known version. Errors: corrupt, if the text is not one that
/// to_canonical() could have written.
Result<EntryContent> parse_entry(std::string_view text);

/// The same where only a status transaction can stand. Errors: also corrupt for a tombstone.
Result<Transaction> parse_transaction(std::string_view text);

}  // namespace flora
