// The status catalogue: which statuses there are, what they are called, who may report them and
// which details they carry. Read from config/statuses.yaml, the one owner of labels and reporters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/findings.h"
#include "gateway/base/result.h"

namespace flora {

/// What an authority is in the procedure. AE: Aufnahmeeinrichtung; LD: the Land's directorate; ABH:
/// Ausländerbehörde; BAMF: the federal office; AUDITOR: reads the log, reports nothing.
enum class Role : unsigned char { ae, ld, abh, bamf, auditor };

std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view name);

/// The sixteen Länder as ISO 3166-2 codes ("DE-NI"), or "DE" for a federal authority.
bool is_land(std::string_view code);

/// The sixteen, without "DE".
std::vector<std::string_view> all_lands();

/// The two digits that an Amtlicher Gemeindeschlüssel of this Land begins with ("16" for DE-TH).
/// Empty for "DE" and for what is no Land.
std::string_view land_key(std::string_view code);

/// What a status says of the end of a procedure (unanfechtbarer Abschluss, § 7 (3) AsylG): ENDS it,
/// KEEPS it ended, since it only follows from the end; all others say that it goes on.
enum class Conclusion : unsigned char { goes_on, ends, keeps };

struct Status {
  std::string name;  ///< Such as `AKTENANLAGE_ERFOLGT`.
  std::string label_de;
  std::string label_en;
  std::string subprocess;       ///< I, II or III, or ALL.
  std::vector<Role> reporters;  ///< Who may report it.
  std::string details;          ///< The name of its details schema in the OpenAPI document.
  bool hands_over = false;      ///< Names the receiving Land and authority in its details.
  Conclusion conclusion = Conclusion::goes_on;
  std::vector<std::string> messages;  ///< XAusländer message numbers.

  bool may_be_reported_by(Role role) const;
};

/// Immutable and thread-safe.
class Catalogue {
 public:
  /// Tells all that is wrong, under the name `file`; of use only if there is no error.
  static Catalogue read(std::string_view text, const std::string& file, Findings& findings);
  /// Errors: invalid, one line "file:line:column: what" for each mistake.
  static Result<Catalogue> parse(std::string_view text, const std::string& file);

  /// Such as `2026-11`; recorded with every transaction.
  const std::string& version() const { return version_; }
  const std::vector<Status>& statuses() const { return statuses_; }

  /// The names of the statuses that end a procedure, sorted.
  std::vector<std::string> ending() const;

  /// nullptr if there is none. The pointer lives as long as the catalogue.
  const Status* find(std::string_view name) const;

 private:
  std::string version_;
  std::vector<Status> statuses_;  // Sorted by name.
};

}  // namespace flora
