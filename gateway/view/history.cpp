#include "gateway/view/history.h"

#include <algorithm>
#include <map>

namespace flora::view {
namespace {

bool moves_on(const Transaction& transaction, const Catalogue& catalogue) {
  const Status* status = catalogue.find(transaction.status);
  return status == nullptr || status->subprocess != "ALL";
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
