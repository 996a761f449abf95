#include "gateway/store/channels_in_use.h"

#include "gateway/model/channels.h"
#include "gateway/store/outbox_rows.h"
#include "gateway/store/schema.h"

namespace flora::store {

Result<std::set<std::string>> channels_in_use(const sql::Place& place) {
  FLORA_ASSIGN(const auto database, sql::open(place, sql::Access::read));
  FLORA_ASSIGN(const bool named, has_channels(*database));
  std::set<std::string> names;
  if (!named) return names;
  FLORA_ASSIGN(auto select, database->prepare("SELECT DISTINCT channels FROM procedure UNION "
                                              "SELECT DISTINCT channels FROM outbox"));
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    for (std::string& name : channels_of(select.text(0))) names.insert(std::move(name));
  }
  names.erase(std::string(kEarlierChannel));
  return names;
}

}  // namespace flora::store
