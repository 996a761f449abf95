#include "gateway/model/ids.h"

#include <algorithm>
#include <cstdlib>

#include "gateway/base/bytes.h"

namespace flora {
namespace {

constexpr std::array<std::size_t, 4> kHyphens = {8, 13, 18, 23};

void set_version(Uuid& id, unsigned version) {
  id.bytes[6] = (id.bytes[6] & std::byte{0x0F}) | std::byte(version << 4);
  id.bytes[8] = (id.bytes[8] & std::byte{0x3F}) | std::byte{0x80};
}

// Adds one to the random part of a version 7 UUID; false when it overflows.
bool increment(Uuid& id) {
  for (std::size_t i = 16; i-- > 6;) {
    const unsigned mask = i == 6 ? 0x0F : i == 8 ? 0x3F : 0xFF;
    const unsigned fixed = std::to_integer<unsigned>(id.bytes[i]) & ~mask & 0xFF;
    const unsigned value = (std::to_integer<unsigned>(id.bytes[i]) & mask) + 1;
    id.bytes[i] = std::byte(fixed | (value & mask));
    if (value <= mask) return true;
  }
  return false;
}

}  // namespace

std::string to_string(const Uuid& id) {
  std::string text = to_hex(id.bytes);
  for (const std::size_t at : kHyphens) text.insert(at, 1, '-');
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = std::find(kHyphens.begin(), kHyphens.end(), i) != kHyphens.end();
    if (hyphen != (text[i] == '-')) return std::nullopt;
    if (!hyphen) digits += text[i];
  }
  const auto bytes = from_hex(digits);
  if (!bytes) return std::nullopt;
  return uuid_from_bytes(as_bytes(*bytes));
}

Uuid uuid_from_bytes(std::span<const std::byte> bytes) {
  Uuid id;
  if (bytes.size() != id.bytes.size()) std::abort();
  std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
  return id;
}

Uuid random_uuid(Env& env) {
  Uuid id;
  env.random(id.bytes);
  set_version(id, 4);
  return id;
}

Uuid UuidSequence::next() {
  const std::int64_t now = env_.now_ms();
  if (now <= last_ms_) {
    if (increment(last_)) return last_;
    ++last_ms_;
  } else {
    last_ms_ = now;
  }
  env_.random(last_.bytes);
  for (std::size_t i = 0; i < 6; ++i) last_.bytes[i] = std::byte(last_ms_ >> (40 - 8 * i) & 0xFF);
  set_version(last_, 7);
  return last_;
}

}  // namespace flora
