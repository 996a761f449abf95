#include "gateway/store/audit_reader.h"

#include <algorithm>
#include <utility>

#include "gateway/store/audit_log.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

AuditGroup group_in(const sql::Statement& row) {
  AuditGroup group;
  group.segment = row.integer(0);
  group.first = row.integer(1);
  group.last.number = row.integer(2);
  const auto hash = row.blob(3);
  std::copy_n(hash.begin(), std::min(hash.size(), group.last.hash.size()), group.last.hash.begin());
  group.at = {row.integer(4)};
  group.records = row.text(5);
  return group;
}

}  // namespace

Result<AuditReader> AuditReader::open(const sql::Place& place) {
  FLORA_ASSIGN(auto database, sql::open(place, sql::Access::read));
  FLORA_ASSIGN(const bool there, has_audit(*database));
  if (!there) return Error{Errc::not_found, place.name() + " has no audit trail yet"};
  return AuditReader(std::move(database));
}

Result<void> AuditReader::hold() {
  FLORA_TRY(database_->begin());
  FLORA_TRY(database_->schema_version());  // The first read takes hold.
  return {};
}

Result<std::vector<SealedSegment>> AuditReader::segments() {
  FLORA_ASSIGN(auto select,
               database_->prepare("SELECT n, seal, deleted FROM audit_segment ORDER BY n"));
  std::vector<SealedSegment> segments;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return segments;
    SealedSegment one{select.integer(0), std::string(select.text(1)), std::nullopt};
    if (!select.is_null(2)) one.deleted = Instant{select.integer(2)};
    segments.push_back(std::move(one));
  }
}

Result<std::vector<AuditGroup>> AuditReader::chunk(std::int64_t first, std::int64_t last) {
  FLORA_ASSIGN(auto select,
               database_->prepare("SELECT segment, first, last, head, at, records FROM audit_group "
                                  "WHERE first>=coalesce((SELECT first FROM audit_group WHERE "
                                  "first<=?1 ORDER BY first DESC LIMIT 1), ?1) AND first<=?2 "
                                  "ORDER BY first LIMIT ?3"));
  select.bind(1, first).bind(2, last).bind(3, kChunk);
  std::vector<AuditGroup> groups;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return groups;
    groups.push_back(group_in(select));
  }
}

Result<void> AuditReader::groups(std::int64_t first, std::int64_t last,
                                 const std::function<Result<void>(const AuditGroup&)>& use) {
  FLORA_ASSIGN(auto select,
               database_->prepare("SELECT segment, first, last, head, at, records FROM audit_group "
                                  "WHERE first>=? AND first<=? ORDER BY first LIMIT ?"));
  while (true) {
    select.reset();
    select.bind(1, first).bind(2, last).bind(3, kChunk);
    std::vector<AuditGroup> chunk;
    while (true) {
      FLORA_ASSIGN(const bool row, select.step());
      if (!row) break;
      chunk.push_back(group_in(select));
    }
    select.reset();
    if (chunk.empty()) return {};
    first = chunk.back().first + 1;
    for (const AuditGroup& group : chunk) FLORA_TRY(use(group));
  }
}

// Time never goes back: by halves.
Result<std::int64_t> AuditReader::first_since(Instant at) {
  FLORA_ASSIGN(const AuditHead end, newest());
  FLORA_ASSIGN(auto probe, database_->prepare("SELECT first, at FROM audit_group WHERE first>=? "
                                              "ORDER BY first LIMIT 1"));
  std::int64_t low = 1;
  std::int64_t high = end.number + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    probe.reset();
    FLORA_ASSIGN(const bool row, probe.bind(1, middle).step());
    if (row && probe.integer(1) < at.ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  probe.reset();
  FLORA_ASSIGN(const bool row, probe.bind(1, low).step());
  return row ? probe.integer(0) : end.number + 1;
}

Result<AuditHead> AuditReader::newest() {
  FLORA_ASSIGN(auto select, database_->prepare("SELECT last, head FROM audit_group "
                                               "ORDER BY first DESC LIMIT 1"));
  FLORA_ASSIGN(const bool row, select.step());
  AuditHead head;
  if (!row) return head;
  head.number = select.integer(0);
  const auto hash = select.blob(1);
  std::copy_n(hash.begin(), std::min(hash.size(), head.hash.size()), head.hash.begin());
  return head;
}

Result<std::optional<std::string>> read_signed_head(const std::string& path,
                                                    const std::string& vfs) {
  return ledger::CheckpointFile::read(path, vfs);
}

Result<void> continue_audit(const sql::Place& place, const AuditOptions& options, Instant now) {
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::write));
  FLORA_TRY(prepare_schema(*database));
  FLORA_TRY(database->begin());
  Result<AuditLog> log = AuditLog::continue_at(*database, options, {}, now);
  if (!log) {
    database->rollback();
    return std::move(log).error();
  }
  FLORA_TRY(database->commit());
  log->committed({});
  log->sync();
  return {};
}

}  // namespace flora::store
