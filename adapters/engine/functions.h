// The functions of `do`: their names and types, for the compiler, and what they do.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/plan.h"

namespace flora::adapter {

/// What a function takes beside its input.
enum class Argument : std::uint8_t { none, text, number, pattern, date, map };

struct Signature {
  std::string_view name;
  Function function;
  Type from;  ///< text takes every type but code.
  Type to;
  Argument argument;
  bool argument_optional;
};

/// All functions, in the order of `Function`.
std::span<const Signature> functions();

/// nullptr if there is none of this name.
const Signature* find_function(std::string_view name);

/// A date pattern of y, M, d and literals. Errors: invalid.
Result<std::vector<DatePart>> parse_date_pattern(std::string_view pattern);

/// Why a function gave no value.
enum class Trouble : std::uint8_t { none, malformed, unmapped, unmapped_absent };

/// Applies one call to `value`, which becomes the result; a text that is made lives in `scratch`
/// until the next call with the same scratch.
Trouble apply(const Call& call, const std::vector<Map>& maps, std::string_view& value,
              std::string& scratch);

/// The end of the sentence "The value … is", for a value that `call` refused, such as
/// "no calendar day of the form yyyy-MM-dd".
std::string_view expectation(Function function);

/// `text` with digits as 9, letters as A or a and all else but . : - + / _ as ?; at most 40
/// characters.
std::string shape(std::string_view text);

/// `text` without the white space of XML at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace flora::adapter
