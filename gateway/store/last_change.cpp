#include "gateway/store/last_change.h"

#include "gateway/base/sql.h"
#include "gateway/store/schema.h"

namespace flora::store {

Result<std::optional<Instant>> last_change(const sql::Place& place) {
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::read));
  FLORA_ASSIGN(const bool ours, is_store(*database));
  if (!ours) return Error{Errc::corrupt, place.name() + " is no store of this program"};
  FLORA_ASSIGN(const bool audited, has_audit(*database));
  if (!audited) return std::optional<Instant>();
  FLORA_ASSIGN(auto select, database->prepare("SELECT max(at) FROM audit_group"));
  FLORA_ASSIGN(const bool row, select.step());
  if (!row || select.is_null(0)) return std::optional<Instant>();
  return std::optional(Instant{select.integer(0)});
}

}  // namespace flora::store
