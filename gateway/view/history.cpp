#include "gateway/view/history.h"

#include <algorithm>

#include "gateway/base/json.h"

namespace flora::view {
namespace {

// The statuses by which a procedure comes into a Land's hands.
constexpr std::string_view kRegistered = "REGISTRIERUNG_ABGESCHLOSSEN";

std::string member(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(json::Kind::string) ? std::string(value->string()) : std::string();
}

bool handed_to(const Transaction& transaction, const Reader& reader) {
  if (transaction.details.empty()) return false;
  json::Document document;
  if (!document.parse(transaction.details) || !document.root().is(json::Kind::object)) return false;
  if (member(document.root(), "empfaengerLand") == reader.land) return true;
  const std::string authority = member(document.root(), "empfaengerBehoerde");
  return std::ranges::find(reader.authorities, authority) != reader.authorities.end();
}

bool is_own(const Transaction& transaction, const Reader& reader) {
  return std::ranges::find(reader.authorities, transaction.authority) != reader.authorities.end();
}

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

Competence competence(const std::vector<HistoryEntry>& entries, const Reader& reader) {
  if (reader.role == "BAMF") return Competence::full;
  bool own = false;
  for (const HistoryEntry& entry : entries) {
    const Transaction& t = entry.transaction;
    const bool registered = t.status == kRegistered && t.land == reader.land;
    if (entry.effective && (registered || handed_to(t, reader))) return Competence::full;
    own = own || is_own(t, reader);
  }
  return own ? Competence::own_reports : Competence::none;
}

}  // namespace flora::view
