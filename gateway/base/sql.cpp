#include "gateway/base/sql.h"

#include <filesystem>

namespace flora::sql {

bool exists(const Place& place) {
  std::error_code error;
  return place.server || std::filesystem::exists(place.file, error);
}

Result<void> Statement::run() {
  Result<bool> row = step();
  while (row && *row) row = step();
  reset();
  if (!row) return std::move(row).error();
  return {};
}

Result<std::int64_t> Statement::run_for_number() {
  FLORA_ASSIGN(const bool row, step());
  const std::int64_t number = row ? integer(0) : 0;
  reset();
  if (!row) return Error{Errc::corrupt, "a statement returns no number"};
  return number;
}

Result<std::unique_ptr<Database>> open(const Place& place, Access access) {
  return place.server ? open_postgresql(*place.server, access) : open_sqlite(place, access);
}

}  // namespace flora::sql
