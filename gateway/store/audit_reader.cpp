#include "gateway/store/audit_reader.h"

#include <algorithm>
#include <utility>

#include "gateway/store/audit_log.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

// Groups that are read with one query: then the gateway may tidy up its write-ahead log.
constexpr std::int64_t kChunk = 16;

AuditGroup group_in(const sqlite::Statement& row) {
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

Result<AuditReader> AuditReader::open(const std::string& path, const std::string& vfs) {
  FLORA_ASSIGN(auto database,
               sqlite::Database::open(path, sqlite::Mode::read_only, sqlite::Sync::full, vfs));
  FLORA_ASSIGN(const bool there, has_audit(database));
  if (!there) return Error{Errc::not_found, path + " has no audit trail yet"};
  return AuditReader(std::move(database));
}

Result<void> AuditReader::hold() {
  FLORA_TRY(database_.begin());
  FLORA_TRY(database_.schema_version());  // The first read takes hold.
  return {};
}

Result<std::vector<SealedSegment>> AuditReader::segments() {
  FLORA_ASSIGN(auto select,
               database_.prepare("SELECT n, seal, deleted FROM audit_segment ORDER BY n"));
  std::vector<SealedSegment> segments;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) return segments;
    SealedSegment one{select.integer(0), std::string(select.text(1)), std::nullopt};
    if (!select.is_null(2)) one.deleted = Instant{select.integer(2)};
    segments.push_back(std::move(one));
  }
}

Result<void> AuditReader::groups(std::int64_t first, std::int64_t last,
                                 const std::function<Result<void>(const AuditGroup&)>& use) {
  FLORA_ASSIGN(auto select,
               database_.prepare("SELECT segment, first, last, head, at, records FROM audit_group "
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

Result<std::optional<std::string>> read_signed_head(const std::string& path,
                                                    const std::string& vfs) {
  return ledger::CheckpointFile::read(path, vfs);
}

Result<void> continue_audit(const std::string& path, const AuditOptions& options, Instant now) {
  FLORA_ASSIGN(auto database, sqlite::Database::open(path, sqlite::Mode::read_write));
  FLORA_TRY(prepare_schema(database));
  FLORA_TRY(database.begin());
  Result<AuditLog> log = AuditLog::continue_at(database, options, {}, now);
  if (!log) {
    database.rollback();
    return std::move(log).error();
  }
  FLORA_TRY(database.commit());
  log->committed({});
  log->sync();
  return {};
}

}  // namespace flora::store
