#include "adapters/engine/forms.h"

#include <algorithm>

#include "gateway/model/ids.h"

namespace flora::adapter {

bool has_form(const OutputNode& node, std::string_view text) {
  const auto all_of = [](std::string_view part, auto kind) {
    return std::all_of(part.begin(), part.end(), kind);
  };
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  switch (node.form) {
    case Form::any:
      return true;
    case Form::name:
      return !text.empty() && text.size() <= 800 &&
             std::count_if(text.begin(), text.end(),
                           [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }) <=
                 200 &&
             all_of(text,
                    [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
    case Form::authority:
      return text.size() == 6 && all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    case Form::sequence:
      return text.size() <= 4 && all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    case Form::site:
      return text.size() >= 2 && text.size() <= 32 && upper(text[0]) &&
             all_of(text, [&](char c) { return upper(c) || c == '_'; });
    case Form::uuid:
      return parse_uuid(text).has_value();
    case Form::identifier:
      return flora::has_form(node.identifier, text);
  }
  return false;
}

std::string form_name(const OutputNode& node) {
  switch (node.form) {
    case Form::name:
      return "a name: 1 to 200 characters and no control characters";
    case Form::authority:
      return "a Behördenkennzeichen: six digits";
    case Form::site:
      return "a site: capital letters and underscores";
    case Form::uuid:
      return "a UUID";
    case Form::sequence:
      return "a sourceSequence: 0 to 9999";
    default:
      return std::string(to_string(node.identifier));
  }
}

}  // namespace flora::adapter
