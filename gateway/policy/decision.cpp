#include "gateway/policy/decision.h"

#include <algorithm>
#include <array>

namespace flora::policy {
namespace {

constexpr std::string_view kRegistered = "REGISTRIERUNG_ABGESCHLOSSEN";
constexpr std::string_view kDecided = "BESCHEID_ERLASSEN";
constexpr std::string_view kServed = "BESCHEID_ZUGESTELLT";

struct ReadingOperation {
  std::string_view operation;
  Object object;
};

// The operations that read what the rules are about.
constexpr std::array<ReadingOperation, 9> kReading = {{
    {"searchProcedures", Object::procedures},
    {"getProcedure", Object::procedures},
    {"getHistory", Object::procedures},
    {"getTransaction", Object::transactions},
    {"listFailedTransactions", Object::transactions},
    {"retryTransaction", Object::transactions},
    {"getReceipt", Object::transactions},
    {"createSubjectReport", Object::procedures},
    {"getEntryBundle", Object::log_entries},
}};

std::optional<Object> object_of(std::string_view operation) {
  const auto* const at = std::ranges::find(kReading, operation, &ReadingOperation::operation);
  if (at == kReading.end()) return std::nullopt;
  return at->object;
}

// True if one entry makes the relation.
bool makes(Relation relation, const EntryFacts& entry, const Caller& caller) {
  const bool registered = entry.effective && entry.status == kRegistered;
  switch (relation) {
    case Relation::all:
      return true;
    case Relation::registering_land:
      return registered && entry.land == caller.land;
    case Relation::registering_authority:
      return registered && caller.acts_for(entry.authority);
    case Relation::receiving_land:
      return entry.effective && entry.receiving_land == caller.land;
    case Relation::receiving_authority:
      return entry.effective && caller.acts_for(entry.receiving_authority);
    case Relation::reporter:
      return caller.acts_for(entry.authority);
  }
  return false;
}

bool holds(Relation relation, const std::vector<EntryFacts>& entries, const Caller& caller) {
  if (relation == Relation::all) return true;
  return std::ranges::any_of(
      entries, [&](const EntryFacts& entry) { return makes(relation, entry, caller); });
}

// The first relation that holds; that to the own reports comes last, because it shows least.
std::optional<Relation> relation_to(const std::vector<EntryFacts>& entries, const Caller& caller,
                                    const std::vector<Relation>& relations) {
  std::optional<Relation> found;
  for (const Relation relation : relations) {
    const bool better = !found || *found == Relation::reporter;
    if (better && holds(relation, entries, caller)) found = relation;
  }
  return found;
}

// True if the decision that an entry is about is served: behind the last decision at or before the
// entry stands a service that is in effect.
bool is_served(const std::vector<EntryFacts>& entries, std::size_t entry) {
  std::size_t from = 0;
  for (std::size_t i = 0; i <= entry; ++i) {
    const bool counts = entries[i].effective || i == entry;
    if (counts && entries[i].status == kDecided) from = i;
  }
  return std::any_of(entries.begin() + static_cast<std::ptrdiff_t>(from), entries.end(),
                     [](const EntryFacts& one) { return one.effective && one.status == kServed; });
}

const Withheld* withheld_from(const ReadingRule& rule, const std::vector<EntryFacts>& entries,
                              std::size_t entry) {
  for (const Withheld& one : rule.withheld) {
    if (!one.statuses.contains(entries[entry].status)) continue;
    if (!one.before_service_only || !is_served(entries, entry)) return &one;
  }
  return nullptr;
}

std::vector<Shown> shown_of(const ReadingRule& rule, const std::vector<EntryFacts>& entries,
                            const Caller& caller, Relation relation) {
  std::vector<Shown> shown(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    shown[i].own = caller.acts_for(entries[i].authority);
    if (relation != Relation::reporter && !shown[i].own) {
      shown[i].rule = withheld_from(rule, entries, i);
    }
    const bool readable = relation != Relation::reporter || shown[i].own;
    if (readable) shown[i].show = shown[i].rule == nullptr ? Show::whole : shown[i].rule->show;
  }
  return shown;
}

std::string words_of(const std::vector<Relation>& relations) {
  std::string text;
  for (const Relation relation : relations) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(relation));
  }
  return text;
}

}  // namespace

Decision decide(const Policy& policy, const Caller& caller, std::string_view operation,
                const std::vector<EntryFacts>& entries) {
  Decision decision;
  decision.object = object_of(operation);
  decision.entries.resize(entries.size());
  if (!opens(caller.duty, operation)) return decision;
  decision.permitted = true;
  if (!decision.object) return decision;
  const ReadingRule* rule = policy.reading(caller.role);
  decision.permitted = rule != nullptr && !rule->of(*decision.object).empty();
  if (!decision.permitted) return decision;
  decision.relation = relation_to(entries, caller, rule->of(*decision.object));
  if (decision.relation) {
    decision.entries = shown_of(*rule, entries, caller, *decision.relation);
  }
  return decision;
}

bool may_erase(const Caller& caller, const std::vector<EntryFacts>& entries) {
  if (entries.empty()) return false;
  return caller.role == Role::bamf || std::ranges::all_of(entries, [&](const EntryFacts& entry) {
           return caller.acts_for(entry.authority);
         });
}

std::string explain(const Policy& policy, const Caller& caller, std::string_view operation,
                    const Decision& decision) {
  const std::string named(operation);
  const std::string duty(to_string(caller.duty));
  const std::string role(to_string(caller.role));
  if (!opens(caller.duty, operation)) {
    return "The operation " + named + " is not open to clients of the duty " + duty + '.';
  }
  if (!decision.object) {
    return "The operation " + named + " is open to clients of the duty " + duty + '.';
  }
  const std::string object(to_string(*decision.object));
  const ReadingRule* rule = policy.reading(caller.role);
  if (!decision.permitted || rule == nullptr) {
    return "The policy lets the role " + role + " read no " + object + '.';
  }
  const std::string possible = words_of(rule->of(*decision.object));
  if (!decision.relation) {
    return "The role " + role + " reads " + object + " by " + possible + "; none of it holds.";
  }
  return "The role " + role + " reads " + object + " by " + possible + "; " +
         std::string(to_string(*decision.relation)) + " holds. Source: " + rule->source + '.';
}

std::string explain(const Shown& shown) {
  if (shown.rule != nullptr) {
    const bool before = shown.rule->before_service_only;
    return std::string(before ? "Withheld until the decision is served" : "Withheld") +
           ". Source: " + shown.rule->source + '.';
  }
  if (shown.own) return "The own report.";
  return shown.show == Show::whole ? "Nothing withholds it." : "The report of another authority.";
}

std::string explain(Denial denial, const Caller& caller, const Status& status) {
  std::string reporters;
  switch (denial) {
    case Denial::not_your_authority:
      return "The client may not report for this authority.";
    case Denial::wrong_land:
      return "It is not the Land of the authority.";
    case Denial::wrong_role:
      return "It is not the role of the authority.";
    case Denial::unknown_site:
      return "The authority has no such site.";
    case Denial::not_your_status:
      break;
  }
  for (const Role role : status.reporters) {
    reporters += (reporters.empty() ? "" : ", ") + std::string(to_string(role));
  }
  return "The role " + std::string(to_string(caller.role)) + " does not report " + status.name +
         "; the catalogue names " + reporters + '.';
}

}  // namespace flora::policy
