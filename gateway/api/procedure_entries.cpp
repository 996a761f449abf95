#include "gateway/api/procedure_entries.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "gateway/api/api.h"

namespace flora::api {

Result<std::vector<view::HistoryEntry>> own_entries(const Parts& parts, const Uuid& procedure) {
  std::vector<view::HistoryEntry> entries;
  FLORA_ASSIGN(const auto indexes, parts.index->entries_of(procedure));
  for (const std::uint64_t index : indexes) {
    FLORA_ASSIGN(const auto read, parts.ledger->read(index, 1));
    if (read.size() != 1) return Error{Errc::unavailable, "an indexed entry is not there"};
    view::HistoryEntry entry;
    entry.index = index;
    FLORA_ASSIGN(entry.transaction, parse_transaction(read.front().body));
    entries.push_back(std::move(entry));
  }
  view::settle(entries);
  return entries;
}

Result<std::vector<view::HistoryEntry>> joined_entries(const Parts& parts, const Uuid& procedure) {
  std::map<Uuid, std::vector<view::HistoryEntry>> joined;
  std::vector<Uuid> open = {procedure};
  while (!open.empty()) {
    const Uuid at = open.back();
    open.pop_back();
    if (joined.contains(at)) continue;
    FLORA_ASSIGN(auto entries, own_entries(parts, at));
    for (const Merge& merge : merges_in_effect(entries)) open.push_back(merge.into);
    joined.emplace(at, std::move(entries));
    FLORA_ASSIGN(const auto sources, parts.index->merged_from(at));
    for (const Uuid& source : sources) {
      if (joined.contains(source)) continue;
      FLORA_ASSIGN(const auto theirs, own_entries(parts, source));
      const auto merges = merges_in_effect(theirs);
      // Else the merge was taken back.
      if (std::ranges::find(merges, at, &Merge::into) != merges.end()) open.push_back(source);
    }
  }
  std::vector<view::HistoryEntry> all;
  for (auto& [id, entries] : joined) std::ranges::move(entries, std::back_inserter(all));
  view::settle(all);
  return all;
}

}  // namespace flora::api
