// The forms in which the document is served besides YAML. Internal to openapi.
#pragma once

#include <string>

#include "gateway/base/yaml.h"

namespace flora::openapi {

/// A tree as JSON text, members in the order of the tree, scalars typed by the YAML core schema.
std::string to_json_text(const yaml::Node& node);

/// An OpenAPI 3.1 document as 3.0.3, for code generators that know no 3.1. Mechanical, because the
/// document keeps to what both can say: a type with "null" becomes `nullable`, `const` an `enum` of
/// one, a schema's `examples` its first `example`, a described `$ref` an `allOf`; what 3.0.3 does
/// not know (mutualTLS, licence identifiers, info.summary) is left out.
yaml::Node to_openapi_30(const yaml::Node& document);

}  // namespace flora::openapi
