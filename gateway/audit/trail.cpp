#include "gateway/audit/trail.h"

#include <utility>

#include "gateway/audit/record.h"

namespace flora::audit {

Trail::Trail(std::string origin, crypto::Ed25519Key key)
    : origin_(std::move(origin)), key_(std::move(key)) {}

ledger::NoteVerifier Trail::verifier() const { return {origin_, key_.public_key()}; }

std::string Trail::sign(const ExportStatement& statement) const {
  return audit::sign(origin_, key_, statement);
}

AuditHead Trail::first_head() const { return audit::first_head(origin_); }

std::string Trail::body(std::string_view opening, const AuditEffect& effect) const {
  return audit::body(opening, effect);
}

std::string Trail::body_of_deletion(std::int64_t segment) const {
  return audit::body_of_deletion(segment);
}

std::string Trail::body_of_erasure(const std::vector<Uuid>& procedures) const {
  return audit::body_of_erasure(procedures);
}

std::string Trail::body_of_continuation(std::int64_t after,
                                        const std::optional<AuditHead>& known) const {
  return audit::body_of_continuation(after, known);
}

std::string Trail::line(std::int64_t number, Instant at, std::string_view body) const {
  return audit::line(number, at, body);
}

Digest Trail::next_hash(const Digest& hash, std::string_view line) const {
  return audit::next_hash(hash, line);
}

std::string Trail::seal(const AuditSegment& segment) const {
  return audit::seal(origin_, key_, segment);
}

std::string Trail::sign(const AuditHead& head) const { return audit::sign(origin_, key_, head); }

Result<AuditSegment> Trail::open_seal(std::string_view note) const {
  return audit::open_seal(note, verifier());
}

Result<AuditHead> Trail::open_head(std::string_view note) const {
  return audit::open_head(note, verifier());
}

}  // namespace flora::audit
