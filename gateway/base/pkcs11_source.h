// Where a key stands within a PKCS#11 token.
#pragma once

#include <chrono>
#include <string>

namespace flora {

/// A key that stands in a token already.
struct Pkcs11Source {
  std::string module;        ///< The shared library of the token's vendor.
  std::string token;         ///< The token's label.
  std::string label;         ///< The key's.
  std::string pin_file;      ///< The PIN in one line; read again when the session was lost.
  std::string pin_variable;  ///< Or the environment variable that has it.
  /// For each use. The module has no bound itself: a call that takes longer is left behind, and
  /// until it returns all others fail at once.
  std::chrono::milliseconds bound{5000};
  bool operator==(const Pkcs11Source&) const = default;
};

}  // namespace flora
