#include "gateway/view/history.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>

#include "gateway/base/json.h"

namespace flora::view {
namespace {

// The statuses by which a procedure comes into a Land's hands.
constexpr std::string_view kRegistered = "REGISTRIERUNG_ABGESCHLOSSEN";
constexpr std::string_view kMerged = "VERFAHREN_ZUSAMMENGEFUEHRT";

// The last Sunday of a month, at 01:00 UTC: when summer time begins and ends (Directive
// 2000/84/EC).
std::int64_t change_of_clocks(std::chrono::year year, std::chrono::month month) {
  namespace c = std::chrono;
  const c::sys_days sunday{year / month / c::Sunday[c::last]};
  return c::duration_cast<c::milliseconds>(sunday.time_since_epoch() + c::hours(1)).count();
}

// The first instant of a day in Europe/Berlin; summer time as it is in force since 1996.
std::int64_t start_of(Day day) {
  namespace c = std::chrono;
  const c::sys_days date{c::days(day.days)};
  const c::year year = c::year_month_day(date).year();
  const std::int64_t midnight = c::duration_cast<c::milliseconds>(date.time_since_epoch()).count();
  const std::int64_t winter = midnight - 3'600'000;
  const bool summer = winter >= change_of_clocks(year, c::March) &&
                      winter - 3'600'000 < change_of_clocks(year, c::October);
  return summer ? winter - 3'600'000 : winter;
}

std::int64_t instant_of(const Transaction& transaction) {
  if (const auto* day = std::get_if<Day>(&transaction.occurred)) return start_of(*day);
  return std::get<Instant>(transaction.occurred).ms;
}

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

// Settles one entry after everything that refers to it; references make no circles.
class Settler {
 public:
  explicit Settler(std::vector<HistoryEntry>& entries) {
    std::ranges::sort(entries, {}, &HistoryEntry::index);
    for (HistoryEntry& entry : entries) by_id_[entry.transaction.id] = &entry;
    for (HistoryEntry& entry : entries) {
      const Transaction& t = entry.transaction;
      const std::optional<Uuid>& target = t.corrects ? t.corrects : t.revokes;
      if (target && by_id_.contains(*target)) referring_[*target].push_back(&entry);
    }
  }

  // True if what the entry says (an event, a correction or a revocation) holds.
  bool holds(HistoryEntry& entry, int depth) {
    if (depth > 1000) return false;
    const auto known = settled_.find(entry.transaction.id);
    if (known != settled_.end()) return known->second;
    for (HistoryEntry* other : referring_[entry.transaction.id]) {
      if (!holds_as_reference(*other, depth + 1)) continue;
      (other->transaction.revokes ? entry.revoked_by : entry.replaced_by) = other->transaction.id;
    }
    const bool result = !entry.revoked_by && !entry.replaced_by;
    settled_[entry.transaction.id] = result;
    entry.effective = result && !entry.transaction.revokes;
    return result;
  }

 private:
  // A correction that was itself corrected still replaces its target: the chain goes on behind it.
  // Only a revocation undoes it.
  bool holds_as_reference(HistoryEntry& entry, int depth) {
    holds(entry, depth);
    return !entry.revoked_by.has_value();
  }

  std::map<Uuid, HistoryEntry*> by_id_;
  std::map<Uuid, std::vector<HistoryEntry*>> referring_;
  std::map<Uuid, bool> settled_;
};

// Of several corrections of one event, the last one that holds replaces the earlier ones.
void keep_last_corrections(std::vector<HistoryEntry>& entries) {
  std::map<Uuid, HistoryEntry*> last;
  for (HistoryEntry& entry : entries) {
    if (!entry.transaction.corrects || entry.revoked_by) continue;
    auto [at, added] = last.try_emplace(*entry.transaction.corrects, &entry);
    if (added) continue;
    at->second->effective = false;
    if (!at->second->replaced_by) at->second->replaced_by = entry.transaction.id;
    at->second = &entry;
  }
}

}  // namespace

void settle(std::vector<HistoryEntry>& entries) {
  Settler settler(entries);
  for (HistoryEntry& entry : entries) settler.holds(entry, 0);
  keep_last_corrections(entries);
  std::ranges::sort(entries, {}, [](const HistoryEntry& entry) {
    return std::tuple(instant_of(entry.transaction), entry.transaction.source_sequence.value_or(-1),
                      entry.index);
  });
}

const HistoryEntry* current(const std::vector<HistoryEntry>& entries) {
  const auto newest = std::ranges::find_if(
      entries.rbegin(), entries.rend(), [](const HistoryEntry& entry) { return entry.effective; });
  return newest == entries.rend() ? nullptr : &*newest;
}

std::optional<Uuid> merged_into(const std::vector<HistoryEntry>& entries) {
  std::optional<Uuid> target;
  for (const HistoryEntry& entry : entries) {
    if (entry.effective && entry.transaction.status == kMerged) {
      target = entry.transaction.merged_into;
    }
  }
  return target;
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
