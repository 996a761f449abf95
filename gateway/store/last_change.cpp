#include "gateway/store/last_change.h"

#include "gateway/base/sqlite.h"
#include "gateway/store/schema.h"

namespace flora::store {

Result<std::optional<Instant>> last_change(const std::string& path) {
  FLORA_ASSIGN(auto database, sqlite::Database::open(path, sqlite::Mode::read_only));
  FLORA_ASSIGN(const bool ours, is_store(database));
  if (!ours) return Error{Errc::corrupt, path + " is no store of this program"};
  FLORA_ASSIGN(const bool audited, has_audit(database));
  if (!audited) return std::optional<Instant>();
  FLORA_ASSIGN(auto select, database.prepare("SELECT max(at) FROM audit_group"));
  FLORA_ASSIGN(const bool row, select.step());
  if (!row || select.is_null(0)) return std::optional<Instant>();
  return std::optional(Instant{select.integer(0)});
}

}  // namespace flora::store
