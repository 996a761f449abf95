#include "gateway/api/audit_scan.h"

#include <algorithm>

namespace flora::api {

Result<AuditScan> AuditScan::begin(store::AuditReader reader, audit::Filter filter) {
  FLORA_ASSIGN(const AuditHead newest, reader.newest());
  FLORA_ASSIGN(const std::int64_t first, reader.first_since(filter.query().from));
  return AuditScan(std::move(reader), std::move(filter), {first, newest.number});
}

Result<AuditScan> AuditScan::resume(store::AuditReader reader, audit::Filter filter,
                                    AuditRange rest) {
  FLORA_ASSIGN(const AuditHead newest, reader.newest());
  rest.last = std::min(rest.last, newest.number);
  return AuditScan(std::move(reader), std::move(filter), rest);
}

Result<std::vector<std::string>> AuditScan::some(std::size_t limit) {
  std::vector<std::string> found;
  if (rest_.is_empty()) return found;
  const std::int64_t bound = std::min(rest_.last, rest_.next + kLooked - 1);
  while (found.size() < limit && rest_.next <= bound) {
    FLORA_ASSIGN(const auto groups, reader_.chunk(rest_.next, bound));
    const std::int64_t before = rest_.next;
    for (const AuditGroup& group : groups) {
      if (found.size() < limit && group.last.number >= rest_.next) take(group, limit, found);
    }
    if (rest_.next == before) rest_.next = bound + 1;  // Deleted, or never used.
  }
  return found;
}

void AuditScan::take(const AuditGroup& group, std::size_t limit, std::vector<std::string>& found) {
  const auto& before = filter_.query().before;
  if (before && group.at >= *before) {
    rest_.next = rest_.last + 1;  // Time never goes back.
    return;
  }
  if (filter_.may_match(group)) {
    audit::for_each_record(group, [&](std::string_view line) {
      const auto record = audit::parse_record(line);
      const bool is_due = record && record->number >= rest_.next && record->number <= rest_.last;
      if (!is_due || found.size() == limit) return;
      rest_.next = record->number + 1;
      if (filter_.matches(*record)) found.emplace_back(line);
    });
    if (found.size() == limit) return;
  }
  rest_.next = std::max(rest_.next, group.last.number + 1);
}

Result<AuditExport> AuditExport::begin(store::AuditReader reader, audit::Filter filter,
                                       const audit::Trail& trail, Instant now) {
  FLORA_ASSIGN(AuditHead head, reader.newest());
  if (head.number == 0) head = trail.first_head();
  FLORA_ASSIGN(const std::int64_t first, reader.first_since(filter.query().from));
  const AuditRange range{first, head.number};
  audit::ExportStatement statement;
  statement.at = now;
  statement.head = head;
  statement.first = range.next;
  statement.last = range.last;
  statement.scope = filter.scope().text();
  statement.query = filter.query().text();
  return AuditExport(AuditScan(std::move(reader), std::move(filter), range),
                     audit::ExportWriter(trail, std::move(statement)));
}

Result<std::string> AuditExport::some() {
  constexpr std::size_t kRecords = 1000;
  std::string text;
  if (!begun_) {
    begun_ = true;
    FLORA_ASSIGN(const auto segments, scan_.reader_.segments());
    text = writer_.seals(segments);
  }
  FLORA_ASSIGN(const auto records, scan_.some(kRecords));
  for (const std::string& record : records) text += writer_.record(record);
  done_ = scan_.rest().is_empty();
  if (done_) text += writer_.finish();
  return text;
}

}  // namespace flora::api
