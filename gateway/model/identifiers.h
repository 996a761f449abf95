// The identifiers of persons and files that an event may carry, and the one normal form of each.
// All of them are personal data: they never reach the ledger, a log, a metric or a URL.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace flora {

/// Stored in the mapping as a number: never renumber.
enum class IdentifierType : std::uint8_t {
  bamf_aktenzeichen = 1,  ///< Names a file, which may hold several procedures (a family).
  azr_nummer = 2,         ///< Ausländerzentralregister.
  eurodac_nummer = 3,
  optionsnummer = 4,
  easy_optionsnummer = 5,
  ankunftsnachweis = 6,
  d_nummer = 7,
};

inline constexpr std::array kIdentifierTypes = {IdentifierType::bamf_aktenzeichen,
                                                IdentifierType::azr_nummer,
                                                IdentifierType::eurodac_nummer,
                                                IdentifierType::optionsnummer,
                                                IdentifierType::easy_optionsnummer,
                                                IdentifierType::ankunftsnachweis,
                                                IdentifierType::d_nummer};

/// `BAMF_AKTENZEICHEN` …
std::string_view to_string(IdentifierType type);
std::optional<IdentifierType> parse_identifier_type(std::string_view name);

/// The normal form of a value as it was written, or `invalid` if it is none of this type. What the
/// normal form removes:
///   BAMF_AKTENZEICHEN   outer white space; a printed country suffix of three digits (`-475`)
///   AZR_NUMMER          white space everywhere
///   EURODAC_NUMMER      white space everywhere; letters become upper case
///   OPTIONSNUMMER       outer white space
///   EASY_OPTIONSNUMMER  white space everywhere; letters become upper case (7 or 9 characters)
///   ANKUNFTSNACHWEIS    white space but the one behind the letter; the letter becomes upper case
///   D_NUMMER            white space everywhere; letters become upper case (opaque, 1 to 20)
/// The message of the error never shows the value.
Result<std::string> normal_form(IdentifierType type, std::string_view value);

/// Whether normal_form() takes the value. Allocates nothing.
bool has_form(IdentifierType type, std::string_view value);

/// One identifier in its normal form. In memory only.
struct Identifier {
  IdentifierType type = IdentifierType::azr_nummer;
  std::string value;
  auto operator<=>(const Identifier&) const = default;
};

}  // namespace flora
