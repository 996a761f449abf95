// Signatures of Fabric: ECDSA on P-256 as DER, whose s is in the lower half of the group's order.
// For each signature there is one with the other s, which is as good mathematically and which
// Fabric refuses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flora::fabric {

/// The same signature with the lower s. Nothing, if `der` is not the DER of r and s (exactly, to
/// its last byte) or one of them is not from 1 up to the order. Thread-safe.
std::optional<std::string> with_low_s(std::string_view der);

/// From r and s of 32 bytes each, as PKCS#11 gives them. Nothing: as above. Thread-safe.
std::optional<std::string> low_s_from_raw(std::string_view both);

}  // namespace flora::fabric
