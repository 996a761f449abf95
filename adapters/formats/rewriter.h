// Writes a message anew, in another form of the same meaning or without one of its values; for
// tests of bundles.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/engine/plan.h"

namespace flora::adapter {

/// The same message as its format allows it to look otherwise: other prefixes, the reverse order of
/// attributes, members or columns, other quotes and white space. Nothing if the message is not
/// well-formed, or has no other form.
std::optional<std::string> in_other_form(const Plan& plan, std::string_view message);

/// The message without the element, attribute, member or field that a walk found at `offset`
/// (Slot::offset); of a fixed record without the character there, so that all behind it moves.
/// Nothing if there is none.
std::optional<std::string> without_value(const Plan& plan, std::string_view message,
                                         std::size_t offset);

/// A delimited file without its column of this index, header included. Nothing if it has none.
std::optional<std::string> without_column(const Plan& plan, std::string_view message,
                                          std::size_t index);

}  // namespace flora::adapter
