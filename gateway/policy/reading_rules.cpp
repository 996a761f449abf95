#include "gateway/policy/reading_rules.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>

namespace flora::policy {
namespace {

constexpr std::array<std::string_view, kObjects> kObjectNames = {"PROCEDURES", "TRANSACTIONS",
                                                                 "LOG_ENTRIES"};
constexpr std::array<std::string_view, kObjects> kKeys = {"procedures", "transactions",
                                                          "log_entries"};
constexpr std::array<std::string_view, 6> kRelationNames = {
    "ALL",     "REGISTERING_LAND", "REGISTERING_AUTHORITY", "RECEIVING_LAND", "RECEIVING_AUTHORITY",
    "REPORTER"};
constexpr std::array<std::string_view, 3> kShowNames = {"WHOLE", "WITHOUT_DETAILS", "HIDDEN"};

// A single transaction has a reporter and no place in a procedure; entries as they are have
// neither.
constexpr std::array<Relation, 6> kOfProcedures = {Relation::all,
                                                   Relation::registering_land,
                                                   Relation::registering_authority,
                                                   Relation::receiving_land,
                                                   Relation::receiving_authority,
                                                   Relation::reporter};
constexpr std::array<Relation, 2> kOfTransactions = {Relation::all, Relation::reporter};
constexpr std::array<Relation, 1> kOfLogEntries = {Relation::all};

std::span<const Relation> possible(Object object) {
  switch (object) {
    case Object::procedures:
      return kOfProcedures;
    case Object::transactions:
      return kOfTransactions;
    case Object::log_entries:
      break;
  }
  return kOfLogEntries;
}

std::optional<Relation> relation_named(std::string_view name) {
  const auto* const at = std::ranges::find(kRelationNames, name);
  if (at == kRelationNames.end()) return std::nullopt;
  return static_cast<Relation>(std::distance(kRelationNames.begin(), at));
}

std::vector<Relation> read_relations(yaml::Section& section, Object object) {
  std::vector<Relation> relations;
  for (const yaml::Node* node : section.texts_or_none(kKeys[static_cast<std::size_t>(object)])) {
    const auto relation = relation_named(node->text);
    const auto allowed = possible(object);
    if (!relation || std::ranges::find(allowed, *relation) == allowed.end()) {
      section.error_at(node->at, "no such relation to what is read here");
    } else {
      relations.push_back(*relation);
    }
  }
  return relations;
}

Withheld read_withheld(const yaml::Node& node, const std::string& file, Findings& findings) {
  yaml::Section section(node, file, findings);
  Withheld withheld;
  withheld.at = node.at;
  for (const yaml::Node* status : section.texts("statuses")) withheld.statuses.insert(status->text);
  const bool details = section.word("what", {"DETAILS", "ENTRY"}) == "DETAILS";
  withheld.show = details ? Show::without_details : Show::hidden;
  withheld.before_service_only =
      section.word_or("when", {"ALWAYS", "BEFORE_SERVICE"}, "ALWAYS") == "BEFORE_SERVICE";
  withheld.source = section.text("source");
  return withheld;
}

}  // namespace

std::string_view to_string(Object object) { return kObjectNames[static_cast<std::size_t>(object)]; }
std::string_view to_string(Relation relation) {
  return kRelationNames[static_cast<std::size_t>(relation)];
}
std::string_view to_string(Show show) { return kShowNames[static_cast<std::size_t>(show)]; }

ReadingRule read_reading_rule(const yaml::Node& node, const std::string& file, Findings& findings) {
  yaml::Section section(node, file, findings);
  ReadingRule rule;
  const std::string name = section.text("role");
  const auto role = parse_role(name);
  if (!role && !name.empty()) section.error("role", "no such role");
  rule.role = role.value_or(Role::auditor);
  for (const Object object : {Object::procedures, Object::transactions, Object::log_entries}) {
    rule.relations[static_cast<std::size_t>(object)] = read_relations(section, object);
  }
  for (const yaml::Node& item : section.list_or_none("withheld")) {
    rule.withheld.push_back(read_withheld(item, file, findings));
  }
  rule.source = section.text("source");
  return rule;
}

}  // namespace flora::policy
