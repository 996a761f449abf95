// The functions of `do`: their names and types, for the compiler, and what they do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "adapters/engine/ascii.h"
#include "adapters/engine/plan.h"
#include "adapters/engine/scratch.h"

namespace flora::adapter {

/// What a function takes beside its input.
enum class Argument : std::uint8_t {
  none,
  text,
  length,       ///< A number from 1.
  texts,        ///< A list.
  pattern,      ///< RE2.
  capture,      ///< RE2 with one group.
  replacement,  ///< { pattern, with }
  part,         ///< { by, number }
  substring,    ///< { at, length }
  digits,       ///< A number from 1, or { from, to }.
  range,        ///< { least, most }
  land,
  uuid,
  date,   ///< A pattern, or { pattern, pivot }.
  time,   ///< A pattern.
  local,  ///< { pattern, pivot, zone, gap, overlap }
  map,    ///< A name, or { list, on }.
};

/// Why a function gave no value.
enum class Trouble : std::uint8_t {
  none,
  absent,  ///< The value stands for none.
  malformed,
  unmapped,
  invalid_then,  ///< The map has it, but not for the day.
};

/// Applies a call to `value`, which becomes the result; a text that is made lives in `scratch`
/// until the call after the next. Allocates nothing once the buffers have grown, but for patterns
/// with groups that RE2 cannot match in one pass.
using Run = Trouble(const Call& call, std::string_view& value, Scratch& scratch);

struct Signature {
  std::string_view name;
  Function function;
  Type from;  ///< text takes every type but code.
  Type to;
  Argument argument;
  bool argument_optional;
  std::string_view refusal;  ///< The end of the sentence "The value … is".
  Run* run;                  ///< nullptr: map, see look_up.
};

/// All functions, in the order of `Function`.
std::span<const Signature> functions();
const Signature& signature(Function function);

/// nullptr if there is none of this name.
const Signature* find_function(std::string_view name);

/// As `Run`, for every function but map.
Trouble apply(const Call& call, std::string_view& value, Scratch& scratch);

/// Puts the target in the place of `value`: the one that holds on `day`, which counts only if the
/// map is dated.
Trouble look_up(const Map& map, Day day, std::string_view& value);

/// `text` with digits as 9, letters as A or a and all else but . : - + / _ as ?; at most 40
/// characters.
std::string shape(std::string_view text);

}  // namespace flora::adapter
