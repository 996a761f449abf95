// What an author of a bundle can do wrong: each kind of compile-time error has a number that never
// changes, a short name, and an explanation with an example of wrong and right.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace flora::adapter {

/// The number of each kind; written as `A007`. A number is never used again for another kind.
enum class Mistake : std::uint16_t {
  // The file and its YAML.
  yaml_malformed = 1,
  file_missing = 2,
  mapping_expected = 3,
  list_expected = 4,
  name_expected = 5,
  text_expected = 6,
  unquoted_text = 7,
  number_expected = 8,
  boolean_expected = 9,
  unknown_key = 10,
  missing_key = 11,
  unknown_word = 12,
  empty_list = 13,
  empty_text = 14,
  not_normalised = 15,
  // Identity and input.
  id_malformed = 101,
  version_malformed = 102,
  unknown_land = 103,
  id_twice = 104,
  unknown_format = 111,
  limit_out_of_range = 112,
  too_many_namespaces = 113,
  unknown_charset = 114,
  csv_character = 115,
  csv_header = 116,
  fixed_form = 117,
  field_outside = 118,
  share_malformed = 119,
  text_outside_charset = 120,
  unknown_media_type = 121,
  // Declarations, code lists, templates.
  unused = 201,
  unread_file = 202,
  unknown_map = 203,
  unknown_list = 204,
  unknown_let = 205,
  name_taken = 206,
  circular_reference = 207,
  map_file_missing = 211,
  map_head = 212,
  map_line = 213,
  map_encoding = 214,
  map_source_twice = 215,
  map_empty = 216,
  map_target = 217,
  map_day = 218,
  list_kind = 221,
  list_versions = 222,
  code_twice = 223,
  unknown_template = 231,
  unknown_parameter = 232,
  unused_parameter = 233,
  // Places and expressions.
  place_malformed = 301,
  undeclared_name = 302,
  overlapping_namespaces = 303,
  repetition_place = 304,
  repetition_depth = 305,
  repetition_twice = 306,
  no_coded_value = 307,
  filter_place = 308,
  expression_expected = 311,
  no_source = 312,
  several_sources = 313,
  index_outside = 314,
  unclosed_reference = 315,
  condition_expected = 316,
  mixed_types = 317,
  // Functions.
  unknown_function = 401,
  argument_missing = 402,
  argument_unexpected = 403,
  function_type = 404,
  pattern_malformed = 405,
  date_pattern = 406,
  argument_value = 407,
  time_zone = 408,
  validity_day = 409,
  // Messages, targets and details.
  message_count = 501,
  message_without_root = 502,
  root_twice = 503,
  message_without_events = 504,
  reject_without_condition = 505,
  reason_code = 506,
  message_form = 507,
  unknown_target = 511,
  target_type = 512,
  open_word = 513,
  unknown_value = 514,
  missing_target = 515,
  missing_time = 516,
  missing_identifier = 517,
  unknown_detail = 518,
  merged_into = 519,
  missing_detail = 520,
  identifier_count = 521,
  identifier_type = 522,
  each_form = 523,
};

struct MistakeKind {
  Mistake mistake;
  std::string_view name;     ///< Kebab case, such as `unquoted-text`.
  std::string_view meaning;  ///< Why it is refused, and what to do; some sentences.
  std::string_view wrong;    ///< An example, as it stands in adapter.yaml or a code list.
  std::string_view right;
};

/// All kinds, by number.
std::span<const MistakeKind> mistake_kinds();

const MistakeKind& kind_of(Mistake mistake);

/// Such as `A007`.
std::string number_of(Mistake mistake);

/// The kind of this number, or nullptr.
const MistakeKind* find_mistake(std::string_view number);

}  // namespace flora::adapter
