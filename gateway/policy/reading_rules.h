// What each role may read, as config/policy.yaml says it under `reading`.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/yaml_section.h"
#include "gateway/model/catalogue.h"

namespace flora::policy {

/// What is read.
enum class Object : std::uint8_t {
  procedures,    ///< Search, state and history.
  transactions,  ///< The state and the receipt of one submission.
  log_entries,   ///< Entries of the ledger as they are, of any procedure.
};
inline constexpr std::size_t kObjects = 3;

/// Why an authority may read an object (contract.md, "Competence"). Registrations and handings-over
/// count while they are in effect.
enum class Relation : std::uint8_t {
  all,                    ///< Every object.
  registering_land,       ///< An authority of its Land registered the person.
  registering_authority,  ///< It did so itself.
  receiving_land,         ///< The procedure was handed over to its Land.
  receiving_authority,    ///< To itself.
  reporter,               ///< It has reported entries, and reads those alone.
};

/// How much of an entry is shown.
enum class Show : std::uint8_t { whole, without_details, hidden };

/// What a role is not shown of the procedures that it is competent for. An authority's own reports
/// are never withheld from it.
struct Withheld {
  std::set<std::string, std::less<>> statuses;
  Show show = Show::hidden;
  /// Only as long as the decision that the entry is about is not served.
  bool before_service_only = false;
  std::string source;  ///< Where the rule comes from.
  yaml::Position at;   ///< In the file.
};

struct ReadingRule {
  Role role = Role::auditor;
  std::array<std::vector<Relation>, kObjects> relations;  ///< By Object; none: nothing is read.
  std::vector<Withheld> withheld;  ///< Of a status the first one that withholds it holds.
  std::string source;

  const std::vector<Relation>& of(Object object) const {
    return relations[static_cast<std::size_t>(object)];
  }
};

/// `PROCEDURES` …, `REGISTERING_LAND` …, `WHOLE` …
std::string_view to_string(Object object);
std::string_view to_string(Relation relation);
std::string_view to_string(Show show);

/// One item of `reading`; mistakes are told.
ReadingRule read_reading_rule(const yaml::Node& node, const std::string& file, Findings& findings);

}  // namespace flora::policy
