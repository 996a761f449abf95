#include "gateway/api/procedure_entries.h"

#include <algorithm>
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

Result<Joined> joined_with(const Parts& parts, const Uuid& procedure) {
  Joined joined;
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
  return joined;
}

Uuid shown_in(const Uuid& procedure, const Joined& joined) {
  std::vector<view::HistoryEntry> all;
  for (const auto& [id, entries] : joined) all.insert(all.end(), entries.begin(), entries.end());
  view::settle(all);
  const auto leads = remaining(merges_in_effect(all));
  const auto found = leads.find(procedure);
  return found == leads.end() ? procedure : found->second;
}

Result<OfProcedure> of_procedure(const Parts& parts, const std::optional<Uuid>& procedure,
                                 const policy::Caller& caller) {
  OfProcedure known;
  if (!procedure) return known;
  FLORA_ASSIGN(auto entries, own_entries(parts, *procedure));
  known.exists = !entries.empty();
  const view::Reader reader{caller.authorities, caller.land, std::string(to_string(caller.role))};
  const view::Competence competence = view::competence(entries, reader);
  for (view::HistoryEntry& entry : entries) {
    const bool is_own = caller.acts_for(entry.transaction.authority);
    const bool is_shown = competence == view::Competence::full ||
                          (competence == view::Competence::own_reports && is_own);
    if (is_shown) known.shown.push_back(std::move(entry));
  }
  return known;
}

}  // namespace flora::api
