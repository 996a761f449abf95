// What the store and the audit say to each other: the store keeps the audit trail in its own
// commits and does not know what its records say; the audit knows, and keeps nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"
#include "gateway/model/identifiers.h"
#include "gateway/model/ids.h"
#include "gateway/model/time.h"

namespace flora {

/// What came of an access to procedure data.
struct AuditEffect {
  enum class Outcome : std::uint8_t {
    accepted,   ///< Durable, and on the ledger or on its way.
    repeat,     ///< Was accepted before; the first answer again.
    found,      ///< The caller was told.
    not_found,  ///< There is no such object.
    hidden,     ///< There is, but the caller was answered as if there were none.
    refused,    ///< With a problem.
    done,       ///< By the gateway itself or its operator.
  };
  /// Consecutive entries of a page or of the ledger.
  struct Range {
    std::uint64_t first = 0;  ///< From 0.
    std::uint64_t count = 0;
  };
  Outcome outcome = Outcome::refused;
  std::string_view problem;      ///< Of `refused`: the name of its kind.
  std::vector<Uuid> procedures;  ///< Pseudonyms of ours; never one that a client made up.
  std::optional<Uuid> transaction;
  std::vector<IdentifierType> types;  ///< Of a search.
  std::optional<Range> entries;
};

/// The state of a trail behind one of its records.
struct AuditHead {
  std::int64_t number = 0;  ///< Of the record; 0: before the first.
  Digest hash{};
  bool operator==(const AuditHead&) const = default;
};

/// A closed run of records. Its seal stays when the records are deleted after retention, so that
/// the chain of heads leads over the gap.
struct AuditSegment {
  std::int64_t number = 0;  ///< From 1.
  std::int64_t first = 0;   ///< Its first record.
  AuditHead before;         ///< Behind the segment before it.
  AuditHead last;           ///< Behind its last record.
  Instant begin;            ///< Of its first record.
  Instant end;              ///< Of its last record.
  bool operator==(const AuditSegment&) const = default;
};

/// The records of one commit, as they are kept.
struct AuditGroup {
  std::int64_t segment = 0;
  std::int64_t first = 0;
  AuditHead last;
  Instant at;           ///< Of each record.
  std::string records;  ///< One line each, with its line feed.
};

/// A closed segment, as it is kept.
struct SealedSegment {
  std::int64_t number = 0;
  std::string seal;                ///< The signed note.
  std::optional<Instant> deleted;  ///< Its records are gone, or are being deleted.
};

/// How a trail is written. Thread-safe.
class AuditFormat {
 public:
  virtual ~AuditFormat() = default;

  /// Before the first record.
  virtual AuditHead first_head() const = 0;

  /// A record but for its number and time. `opening` says who asks for what.
  virtual std::string body(std::string_view opening, const AuditEffect& effect) const = 0;
  /// That the records of a segment were deleted.
  virtual std::string body_of_deletion(std::int64_t segment) const = 0;
  /// That the mapping of procedures is gone.
  virtual std::string body_of_erasure(const std::vector<Uuid>& procedures) const = 0;
  /// That the trail goes on behind `after` although records are missing or may be; `known` is the
  /// last head that is known to have been signed.
  virtual std::string body_of_continuation(std::int64_t after,
                                           const std::optional<AuditHead>& known) const = 0;

  /// The whole record, without a line feed.
  virtual std::string line(std::int64_t number, Instant at, std::string_view body) const = 0;
  /// The hash behind a record.
  virtual Digest next_hash(const Digest& hash, std::string_view line) const = 0;

  /// A closed segment, and the newest head, as signed notes.
  virtual std::string seal(const AuditSegment& segment) const = 0;
  virtual std::string sign(const AuditHead& head) const = 0;
  /// Errors: invalid (not signed under this trail's key).
  virtual Result<AuditSegment> open_seal(std::string_view note) const = 0;
  virtual Result<AuditHead> open_head(std::string_view note) const = 0;
};

}  // namespace flora
