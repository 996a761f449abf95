#include "gateway/model/identifiers.h"

#include <re2/re2.h>

#include <algorithm>

namespace flora {
namespace {

// How the written form of a type becomes the normal one. Patterns: BAMF-Aktenzeichen, AZR-Nummer
// and Optionsnummer are those of the XAusländer 26.11 schemas.
struct Form {
  std::string_view name;
  bool inner_space;  // White space within the value is removed as well.
  bool upper;
  re2::RE2 pattern;
};

const Form& form_of(IdentifierType type) {
  static const std::array<Form, 7> forms = {{
      {"BAMF_AKTENZEICHEN", false, false, re2::RE2(R"(\d{7,10}(-\d{1,2}){0,10})")},
      {"AZR_NUMMER", true, false, re2::RE2(R"(\d{2}(0\d|1[0-2])([0-2]\d|3[01])\d{6})")},
      {"EURODAC_NUMMER", true, true, re2::RE2(R"(DE[1-3]\d{6}[A-Z0-9]{3,4}\d{5})")},
      {"OPTIONSNUMMER", false, false, re2::RE2(R"([A-Z]{2}-\d{6}-[a-z0-9|]{7}-\d{2})")},
      {"EASY_OPTIONSNUMMER", true, true, re2::RE2(R"([A-Z]{2}(\d{7}|\d{5}))")},
      {"ANKUNFTSNACHWEIS", true, true, re2::RE2(R"([A-Z]\d{7})")},
      {"D_NUMMER", true, true, re2::RE2(R"([A-Z0-9/-]{1,20})")},
  }};
  return forms[static_cast<std::size_t>(type) - 1];
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string without_space(std::string_view text, bool inner) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  std::string out(text);
  if (inner) std::erase_if(out, is_space);
  return out;
}

// `1234567-475`: the suffix is the country of origin in print, three digits, always last; parts of
// the number itself have one or two digits.
void strip_country_suffix(std::string& value) {
  static const re2::RE2 suffix(R"(-\d{3}$)");
  re2::RE2::Replace(&value, suffix, "");
}

}  // namespace

std::string_view to_string(IdentifierType type) { return form_of(type).name; }

std::optional<IdentifierType> parse_identifier_type(std::string_view name) {
  for (const IdentifierType type : kIdentifierTypes) {
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

Result<std::string> normal_form(IdentifierType type, std::string_view value) {
  const Form& form = form_of(type);
  std::string out = without_space(value, form.inner_space);
  if (form.upper) {
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  }
  if (type == IdentifierType::bamf_aktenzeichen) strip_country_suffix(out);
  if (!re2::RE2::FullMatch(out, form.pattern)) {
    return Error{Errc::invalid, "the value has not the form of " + std::string(form.name)};
  }
  if (type == IdentifierType::ankunftsnachweis) out.insert(1, 1, ' ');
  return out;
}

}  // namespace flora
