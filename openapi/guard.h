// What goes on the ledger must be unable to hold personal data or free text, by its schema. This
// check of the document holds that line: nobody can loosen a details schema by accident.
#pragma once

#include <string_view>

#include "gateway/base/result.h"
#include "gateway/base/yaml.h"

namespace flora::openapi {

/// Walks every schema under components whose name begins with `Details` (but for the union
/// `Details` itself) or is `TransactionV1` or `TombstoneV1`, and all that they refer to. Each
/// object is closed; each list has a bound; each string is one of a closed list, a day or an
/// instant, or a schema in `kClosedForms`; each integer lies within 0 and 9999. In the two alone
/// the generated members may stand: a UUID, and the schemas in `kGeneratedForms`. Errors: invalid,
/// "file:line:column: what".
Result<void> check_guard(const yaml::Node& document, std::string_view file);

}  // namespace flora::openapi
