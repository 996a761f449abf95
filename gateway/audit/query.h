// Which records of the trail somebody asks for, and which of them that somebody may see.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/record.h"

namespace flora::audit {

/// What is asked for; what is not set does not matter.
struct Query {
  std::optional<Uuid> procedure;
  std::optional<std::string> action;
  std::optional<std::string> client;
  std::optional<std::string> authority;  ///< One of those that a record names.
  Instant from;
  std::optional<Instant> before;

  /// One JSON object, for what must say what was asked.
  std::string text() const;
};

/// Whose records may be seen: those of own processing, and of others none but who received data of
/// a procedure (README, "Who may read it").
struct Scope {
  /// Nothing: all records, also the gateway's own.
  std::optional<std::vector<std::string>> authorities;
  /// Also the disclosures to others, if the query names a procedure; it must be one of the
  /// authorities' own.
  bool with_recipients = false;

  /// `all`, or the authorities, with ` recipients` where these are shown.
  std::string text() const;
};

/// Immutable and thread-safe.
class Filter {
 public:
  Filter(Query query, Scope scope);

  const Query& query() const { return query_; }
  const Scope& scope() const { return scope_; }

  /// False only if no record of the group can match.
  bool may_match(const AuditGroup& group) const;
  bool matches(const Record& record) const;

 private:
  bool is_in_scope(const Record& record) const;

  Query query_;
  Scope scope_;
  std::string procedure_;  // As it stands in a record.
};

/// True if the record says that somebody was told of a procedure.
bool is_disclosure(const Record& record);

/// Calls use(line) for each record of a group, without its line feed.
template <typename Use>
void for_each_record(const AuditGroup& group, Use use) {
  std::string_view rest = group.records;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    use(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace flora::audit
