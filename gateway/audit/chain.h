// The hash chain: each record changes the head, so that none can be changed, moved or taken out
// without changing every head behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/base/crypto.h"
#include "gateway/base/result.h"
#include "gateway/model/audit.h"
#include "ledger-client/merkle/note.h"

namespace flora::audit {

/// Before the first record: SHA-256 of a name of the format and the trail's origin.
AuditHead first_head(std::string_view origin);

/// SHA-256(head || length of the record as 8 bytes, big endian || record).
Digest next_hash(const Digest& head, std::string_view record);

/// What is signed, as notes (c2sp.org/signed-note) whose key name is the origin.
std::string seal(std::string_view origin, const crypto::Ed25519Key& key,
                 const AuditSegment& segment);
std::string sign(std::string_view origin, const crypto::Ed25519Key& key, const AuditHead& head);

/// What stands signed in the last line of an export (export.h).
struct ExportStatement {
  Instant at;              ///< When it was begun.
  AuditHead head;          ///< The trail's then.
  std::int64_t first = 0;  ///< The records that were looked at: from this number
  std::int64_t last = 0;   ///< to this one; less than `first`: none.
  std::string scope;       ///< Scope::text()
  std::string query;       ///< Query::text()
  std::int64_t lines = 0;  ///< That stand before it.
  Digest content{};        ///< Behind the last of them: next_hash() of each, from first_head() on.
  bool operator==(const ExportStatement&) const = default;
};
std::string sign(std::string_view origin, const crypto::Ed25519Key& key,
                 const ExportStatement& statement);

/// What a seal or a signed head says. Errors: invalid (it is none, of another trail, or not signed
/// by this key).
Result<AuditSegment> open_seal(std::string_view note, const ledger::NoteVerifier& verifier);
Result<AuditHead> open_head(std::string_view note, const ledger::NoteVerifier& verifier);
Result<ExportStatement> open_statement(std::string_view note, const ledger::NoteVerifier& verifier);

}  // namespace flora::audit
