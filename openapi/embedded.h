// Files that are built into the program, byte for byte. Internal to openapi.
#pragma once

#include <string_view>

namespace flora::openapi {

/// The bytes of flora-gateway.yaml.
std::string_view embedded_document();

}  // namespace flora::openapi
