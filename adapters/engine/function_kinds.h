// The functions of `do` by kind, for their table in functions.cpp. The README of the adapters says
// what each does.
#pragma once

#include "adapters/engine/functions.h"

namespace flora::adapter {

/// text_functions.cpp
namespace texts {
Run trim, collapse_space, nfc, upper, lower, remove, prefix, suffix, strip_prefix, strip_suffix;
Run before, after, after_last, part, substr, truncate, replace, capture, strip_country_suffix;
Run matches, max_length, digits, one_of, absent_if;
}  // namespace texts

/// identifier_functions.cpp
namespace identifiers {
Run uuid, uuid5, ags;
}  // namespace identifiers

/// number_functions.cpp
namespace numbers {
Run boolean, integer, integer_de, integer_en, between;
}  // namespace numbers

/// time_functions.cpp
namespace times {
Run date, time, local, instant;
}  // namespace times

}  // namespace flora::adapter
