#include "gateway/view/history.h"

#include <algorithm>
#include <map>

namespace flora::view {
namespace {

bool moves_on(const Transaction& transaction, const Catalogue& catalogue) {
  const Status* status = catalogue.find(transaction.status);
  return status == nullptr || status->subprocess != "ALL";
}

Conclusion conclusion_of(const Transaction& transaction, const Catalogue& catalogue) {
  const Status* status = catalogue.find(transaction.status);
  return status == nullptr ? Conclusion::goes_on : status->conclusion;
}

// From the newest to the oldest.
template <typename Predicate>
const HistoryEntry* last_of(const std::vector<HistoryEntry>& entries, Predicate predicate) {
  const auto found = std::ranges::find_if(entries.rbegin(), entries.rend(), predicate);
  return found == entries.rend() ? nullptr : &*found;
}

}  // namespace

const HistoryEntry* current(const std::vector<HistoryEntry>& entries, const Catalogue& catalogue) {
  return last_of(entries, [&catalogue](const HistoryEntry& entry) {
    return entry.effective && moves_on(entry.transaction, catalogue);
  });
}

const HistoryEntry* newest(const std::vector<HistoryEntry>& entries, std::string_view status) {
  return last_of(entries, [status](const HistoryEntry& entry) {
    return entry.effective && entry.transaction.status == status;
  });
}

const HistoryEntry* conclusion(const std::vector<HistoryEntry>& entries,
                               const Catalogue& catalogue) {
  const HistoryEntry* const last = last_of(entries, [&catalogue](const HistoryEntry& entry) {
    return entry.effective && moves_on(entry.transaction, catalogue) &&
           conclusion_of(entry.transaction, catalogue) != Conclusion::keeps;
  });
  const bool ended =
      last != nullptr && conclusion_of(last->transaction, catalogue) == Conclusion::ends;
  return ended ? last : nullptr;
}

Instant concluded_at(const std::vector<HistoryEntry>& entries, const HistoryEntry& end,
                     const Catalogue& catalogue) {
  const Transaction* form = &end.transaction;
  Instant recorded = form->recorded_at;
  // As many steps as there are entries, at most: nothing corrects itself.
  for (std::size_t i = 0; i < entries.size() && form->corrects; ++i) {
    const auto target = std::ranges::find(
        entries, *form->corrects, [](const HistoryEntry& entry) { return entry.transaction.id; });
    if (target == entries.end()) break;
    form = &target->transaction;
    if (conclusion_of(*form, catalogue) != Conclusion::ends) break;
    recorded = std::min(recorded, form->recorded_at);
  }
  const auto& occurred = end.transaction.occurred;
  const auto* const day = std::get_if<Day>(&occurred);
  return std::max(recorded, day != nullptr ? start_of(*day) : std::get<Instant>(occurred));
}

Uuid keep_read(std::vector<HistoryEntry>& entries, const Uuid& procedure) {
  const std::map<Uuid, Uuid> leads = remaining(merges_in_effect(entries));
  const auto remains = [&leads](const Uuid& id) {
    const auto found = leads.find(id);
    return found == leads.end() ? id : found->second;
  };
  std::erase_if(entries, [&](const HistoryEntry& entry) {
    const Uuid& id = entry.transaction.procedure;
    return id != procedure && remains(id) != procedure;
  });
  return remains(procedure);
}

}  // namespace flora::view
