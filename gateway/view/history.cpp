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

// Settles entries by what refers to them; references make no circles.
class Settler {
 public:
  explicit Settler(std::vector<HistoryEntry>& entries) : entries_(entries) {
    std::ranges::sort(entries_, {}, &HistoryEntry::index);
    std::map<Uuid, HistoryEntry*> by_id;
    for (HistoryEntry& entry : entries_) {
      entry.replaced_by.reset();
      entry.revoked_by.reset();
      by_id[entry.transaction.id] = &entry;
    }
    for (HistoryEntry& entry : entries_) {
      const Transaction& t = entry.transaction;
      const std::optional<Uuid>& target = t.corrects ? t.corrects : t.revokes;
      const bool known = target && by_id.contains(*target);
      if (known) {
        referring_[*target].push_back(&entry);
      } else {
        roots_.push_back(&entry);
      }
    }
  }

  void settle() {
    // What comes later mostly refers to what came earlier: from the end, little is left to look up.
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) revoker_of(*entry, 0);
    while (!roots_.empty()) {
      HistoryEntry* entry = roots_.back();
      roots_.pop_back();
      mark(*entry);
    }
  }

 private:
  // The last revocation of an entry that stands, or nullptr.
  const HistoryEntry* revoker_of(const HistoryEntry& entry, int depth) {
    const auto known = revokers_.find(entry.transaction.id);
    if (known != revokers_.end() || depth > kMaxDepth) {
      return known == revokers_.end() ? nullptr : known->second;
    }
    const HistoryEntry* revoker = nullptr;
    for (const HistoryEntry* other : referring_[entry.transaction.id]) {
      if (other->transaction.revokes && stands(*other, depth + 1)) revoker = other;
    }
    return revokers_[entry.transaction.id] = revoker;
  }

  // True unless a revocation was itself taken back, or replaced.
  bool stands(const HistoryEntry& revocation, int depth) {
    if (revoker_of(revocation, depth) != nullptr) return false;
    return last_correction(revocation, depth) == nullptr;
  }

  const HistoryEntry* last_correction(const HistoryEntry& entry, int depth) {
    const HistoryEntry* last = nullptr;
    for (const HistoryEntry* other : referring_[entry.transaction.id]) {
      if (other->transaction.corrects && revoker_of(*other, depth + 1) == nullptr) last = other;
    }
    return last;
  }

  // Settles an entry whose target, if it has one, is settled. What corrects an entry that is not in
  // effect for another reason shares its fate, so that of one event at most one form is in effect.
  void mark(HistoryEntry& entry) {
    if (const HistoryEntry* revoker = revoker_of(entry, 0)) {
      entry.revoked_by = revoker->transaction.id;
    }
    const bool lost = entry.replaced_by.has_value();
    const HistoryEntry* winner = last_correction(entry, 0);
    if (winner != nullptr && !lost) entry.replaced_by = winner->transaction.id;
    entry.effective = !entry.revoked_by && !entry.replaced_by && !entry.transaction.revokes;
    for (HistoryEntry* other : referring_[entry.transaction.id]) {
      if (other->transaction.corrects && revoker_of(*other, 0) == nullptr) {
        if (other != winner || lost) other->replaced_by = entry.replaced_by;
        other->revoked_by = entry.revoked_by;
      }
      roots_.push_back(other);
    }
  }

  static constexpr int kMaxDepth = 1000;

  std::vector<HistoryEntry>& entries_;
  std::vector<HistoryEntry*> roots_;  // Entries that can be marked next.
  std::map<Uuid, std::vector<HistoryEntry*>> referring_;
  std::map<Uuid, const HistoryEntry*> revokers_;
};

}  // namespace

void settle(std::vector<HistoryEntry>& entries) {
  Settler(entries).settle();
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
