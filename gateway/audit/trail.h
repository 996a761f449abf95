// The audit trail of one gateway: its origin, its key, and how its records are written.
#pragma once

#include <string>

#include "gateway/audit/chain.h"

namespace flora::audit {

/// Immutable and thread-safe.
class Trail final : public AuditFormat {
 public:
  /// The origin must be a valid key name; it names gateway and environment.
  Trail(std::string origin, crypto::Ed25519Key key);

  ledger::NoteVerifier verifier() const;
  std::string sign(const ExportStatement& statement) const;

  AuditHead first_head() const override;
  std::string body(std::string_view opening, const AuditEffect& effect) const override;
  std::string body_of_deletion(std::int64_t segment) const override;
  std::string body_of_erasure(const std::vector<Uuid>& procedures) const override;
  std::string body_of_continuation(std::int64_t after,
                                   const std::optional<AuditHead>& known) const override;
  std::string line(std::int64_t number, Instant at, std::string_view body) const override;
  Digest next_hash(const Digest& hash, std::string_view line) const override;
  std::string seal(const AuditSegment& segment) const override;
  std::string sign(const AuditHead& head) const override;
  Result<AuditSegment> open_seal(std::string_view note) const override;
  Result<AuditHead> open_head(std::string_view note) const override;

 private:
  std::string origin_;
  crypto::Ed25519Key key_;
};

}  // namespace flora::audit
