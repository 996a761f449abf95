// What the document asks of the texts of an event, beside their types: an author is told of a
// constant, a sender of a value, with line and column.
#pragma once

#include <string>
#include <string_view>

#include "adapters/engine/plan.h"

namespace flora::adapter {

bool has_form(const OutputNode& node, std::string_view text);

/// The form that a node asks for, as part of a sentence.
std::string form_name(const OutputNode& node);

}  // namespace flora::adapter
