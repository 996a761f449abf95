// UUIDs (RFC 9562): version 7 names transactions, version 4 names procedures.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/base/env.h"

namespace flora {

struct Uuid {
  std::array<std::byte, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
};

/// 36 characters, lower case.
std::string to_string(const Uuid& id);

/// Nothing unless `text` has the form of RFC 9562 §4 (either case), of any version.
std::optional<Uuid> parse_uuid(std::string_view text);

/// From 16 bytes as stored; aborts on another length.
Uuid uuid_from_bytes(std::span<const std::byte> bytes);

/// Version 4: 122 random bits.
Uuid random_uuid(Env& env);

/// Draws UUIDs of version 7 whose order is the order of the calls, also within one millisecond and
/// when the clock goes back (RFC 9562 §6.2, method 2: the 74 random bits are a counter that is
/// seeded anew each millisecond). Not thread-safe.
class UuidSequence {
 public:
  explicit UuidSequence(Env& env) : env_(env) {}
  Uuid next();

 private:
  Env& env_;
  std::int64_t last_ms_ = 0;
  Uuid last_;
};

}  // namespace flora
