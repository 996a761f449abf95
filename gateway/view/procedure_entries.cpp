#include "gateway/view/procedure_entries.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace flora::view {

Result<std::vector<HistoryEntry>> own_entries(const Entries& from, const Uuid& procedure) {
  std::vector<HistoryEntry> entries;
  const bool is_ordered = from.ledger->numbering().empty();
  FLORA_ASSIGN(const auto indexes, from.index->entries_of(procedure));
  for (const std::uint64_t index : indexes) {
    FLORA_ASSIGN(const auto read, from.ledger->read(index, 1));
    if (read.size() != 1) return Error{Errc::unavailable, "an indexed entry is not there"};
    HistoryEntry entry;
    entry.index = index;
    entry.is_ordered = is_ordered;
    FLORA_ASSIGN(entry.transaction, parse_transaction(read.front().body));
    entries.push_back(std::move(entry));
  }
  settle(entries);
  return entries;
}

Result<std::vector<HistoryEntry>> joined_entries(const Entries& from, const Uuid& procedure) {
  std::map<Uuid, std::vector<HistoryEntry>> joined;
  std::vector<Uuid> open = {procedure};
  while (!open.empty()) {
    const Uuid at = open.back();
    open.pop_back();
    if (joined.contains(at)) continue;
    FLORA_ASSIGN(auto entries, own_entries(from, at));
    for (const Merge& merge : merges_in_effect(entries)) open.push_back(merge.into);
    joined.emplace(at, std::move(entries));
    FLORA_ASSIGN(const auto sources, from.index->merged_from(at));
    for (const Uuid& source : sources) {
      if (joined.contains(source)) continue;
      FLORA_ASSIGN(const auto theirs, own_entries(from, source));
      const auto merges = merges_in_effect(theirs);
      // Else the merge was taken back.
      if (std::ranges::find(merges, at, &Merge::into) != merges.end()) open.push_back(source);
    }
  }
  std::vector<HistoryEntry> all;
  for (auto& [id, entries] : joined) std::ranges::move(entries, std::back_inserter(all));
  settle(all);
  return all;
}

}  // namespace flora::view
