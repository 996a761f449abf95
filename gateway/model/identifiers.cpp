#include "gateway/model/identifiers.h"

#include <algorithm>

namespace flora {
namespace {

// The longest normal form has 43 characters; what is longer has no form.
using Buffer = std::array<char, 64>;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Takes pieces of a text from its front.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  // As many characters of the kind as there are, up to `most`; false if fewer than `least`.
  template <typename Kind>
  bool take(Kind kind, std::size_t least, std::size_t most) {
    std::size_t n = 0;
    while (n < most && n < text_.size() && kind(text_[n])) ++n;
    text_.remove_prefix(n);
    return n >= least;
  }
  template <typename Kind>
  bool take(Kind kind, std::size_t count) {
    return take(kind, count, count);
  }
  bool take(char c) {
    return take([c](char other) { return other == c; }, 1);
  }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

bool is_upper_or_digit(char c) { return is_upper(c) || is_digit(c); }

// \d{7,10}(-\d{1,2}){0,10}, as in the schemas of XAusländer 26.11.
bool is_aktenzeichen(std::string_view text) {
  Pieces p(text);
  if (!p.take(is_digit, 7, 10)) return false;
  for (int parts = 0; parts < 10 && !p.at_end(); ++parts) {
    if (!p.take('-') || !p.take(is_digit, 1, 2)) return false;
  }
  return p.at_end();
}

// \d{2}(0\d|1[0-2])([0-2]\d|3[01])\d{6}, as there.
bool is_azr_nummer(std::string_view text) {
  Pieces p(text);
  if (!p.take(is_digit, 12) || !p.at_end()) return false;
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
  return two(2) <= 12 && two(4) <= 31;
}

// DE[1-3]\d{6}[A-Z0-9]{3,4}\d{5}
bool is_eurodac_nummer(std::string_view text) {
  if (text.size() != 17 && text.size() != 18) return false;
  Pieces p(text);
  return p.take('D') && p.take('E') && p.take([](char c) { return c >= '1' && c <= '3'; }, 1) &&
         p.take(is_digit, 6) && p.take(is_upper_or_digit, text.size() - 14) &&
         p.take(is_digit, 5) && p.at_end();
}

// [A-Z]{2}-\d{6}-[a-z0-9|]{7}-\d{2}, as in the schemas.
bool is_optionsnummer(std::string_view text) {
  const auto mixed = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '|'; };
  Pieces p(text);
  return p.take(is_upper, 2) && p.take('-') && p.take(is_digit, 6) && p.take('-') &&
         p.take(mixed, 7) && p.take('-') && p.take(is_digit, 2) && p.at_end();
}

// [A-Z]{2}(\d{7}|\d{5})
bool is_easy_optionsnummer(std::string_view text) {
  Pieces p(text);
  return (text.size() == 9 || text.size() == 7) && p.take(is_upper, 2) &&
         p.take(is_digit, text.size() - 2) && p.at_end();
}

// [A-Z]\d{7}, without the blank that belongs behind the letter.
bool is_ankunftsnachweis(std::string_view text) {
  Pieces p(text);
  return p.take(is_upper, 1) && p.take(is_digit, 7) && p.at_end();
}

// [A-Z0-9/-]{1,20}
bool is_d_nummer(std::string_view text) {
  Pieces p(text);
  return p.take([](char c) { return is_upper_or_digit(c) || c == '/' || c == '-'; }, 1, 20) &&
         p.at_end();
}

// How the written form of a type becomes the normal one.
struct Form {
  std::string_view name;
  bool inner_space;  // White space within the value is removed as well.
  bool upper;
  bool (*fits)(std::string_view);
};

constexpr std::array<Form, 7> kForms = {{
    {"BAMF_AKTENZEICHEN", false, false, is_aktenzeichen},
    {"AZR_NUMMER", true, false, is_azr_nummer},
    {"EURODAC_NUMMER", true, true, is_eurodac_nummer},
    {"OPTIONSNUMMER", false, false, is_optionsnummer},
    {"EASY_OPTIONSNUMMER", true, true, is_easy_optionsnummer},
    {"ANKUNFTSNACHWEIS", true, true, is_ankunftsnachweis},
    {"D_NUMMER", true, true, is_d_nummer},
}};

const Form& form_of(IdentifierType type) { return kForms[static_cast<std::size_t>(type) - 1]; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// `1234567-475`: the suffix is the country of origin in print, three digits, always last; parts of
// the number itself have one or two digits.
std::string_view without_country(std::string_view value) {
  const std::size_t n = value.size();
  const bool suffix = n >= 4 && value[n - 4] == '-' && is_digit(value[n - 3]) &&
                      is_digit(value[n - 2]) && is_digit(value[n - 1]);
  return suffix ? value.substr(0, n - 4) : value;
}

// The normal form but for the blank of an Ankunftsnachweis; nothing if the value has none.
std::optional<std::string_view> normalised(IdentifierType type, std::string_view value,
                                           Buffer& buffer) {
  const Form& form = form_of(type);
  value = trimmed(value);
  if (type == IdentifierType::bamf_aktenzeichen) value = without_country(value);
  std::size_t size = 0;
  for (char c : value) {
    if (form.inner_space && is_space(c)) continue;
    if (size == buffer.size()) return std::nullopt;
    if (form.upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    buffer[size++] = c;
  }
  const std::string_view out(buffer.data(), size);
  return form.fits(out) ? std::optional(out) : std::nullopt;
}

}  // namespace

std::string_view to_string(IdentifierType type) { return form_of(type).name; }

std::optional<IdentifierType> parse_identifier_type(std::string_view name) {
  for (const IdentifierType type : kIdentifierTypes) {
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

bool has_form(IdentifierType type, std::string_view value) {
  Buffer buffer;
  return normalised(type, value, buffer).has_value();
}

Result<std::string> normal_form(IdentifierType type, std::string_view value) {
  Buffer buffer;
  const std::optional<std::string_view> found = normalised(type, value, buffer);
  if (!found) {
    return Error{Errc::invalid, "the value has not the form of " + std::string(to_string(type))};
  }
  std::string out(*found);
  if (type == IdentifierType::ankunftsnachweis) out.insert(1, 1, ' ');
  return out;
}

}  // namespace flora
