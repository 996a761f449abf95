#include "adapters/formats/json_names.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace flora::adapter {

namespace {

constexpr std::size_t kWalked = 16;      // Up to so many names are compared one by one.
constexpr std::size_t kFirstSlots = 64;  // A power of two; a table is at most half full.

template <typename Word>
std::uint64_t load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
  return hash ^ hash >> 32;
}

// Names that a sender chooses to collide in one process do not in another.
std::uint64_t random_key() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

std::uint64_t hash_of(std::string_view text) {
  static const std::uint64_t kKey = random_key();
  const char* from = text.data();
  const std::size_t size = text.size();
  std::uint64_t hash = kKey ^ size;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      hash = mix(hash, load<std::uint64_t>(from + at));
    }
    return mix(hash, load<std::uint64_t>(from + size - 8));
  }
  if (size >= 4) {
    return mix(hash, load<std::uint32_t>(from) | load<std::uint32_t>(from + size - 4) << 32);
  }
  if (size == 0) return hash;
  return mix(hash, load<std::uint8_t>(from) | load<std::uint8_t>(from + size / 2) << 8 |
                       load<std::uint8_t>(from + size - 1) << 16);
}

std::uint64_t seen_bit(std::uint64_t hash) { return std::uint64_t{1} << (hash >> 58); }

}  // namespace

void JsonNames::reset() {
  objects_.clear();
  names_.clear();
  copies_.clear();
  slots_.clear();
}

void JsonNames::open_object() {
  objects_.push_back({names_.size(), copies_.size(), slots_.size(), 0});
}

void JsonNames::close_object() {
  const Object& object = objects_.back();
  names_.resize(object.names);
  if (copies_.size() != object.copies) copies_.resize(object.copies);
  if (slots_.size() != object.slots) slots_.resize(object.slots);
  objects_.pop_back();
}

bool JsonNames::add(std::string_view name) {
  const std::uint64_t hash = hash_of(name);
  if (known(name, hash)) return false;
  enter({hash, name.data(), 0, name.size()});
  return true;
}

bool JsonNames::add_copy(std::string_view name) {
  const std::uint64_t hash = hash_of(name);
  if (known(name, hash)) return false;
  enter({hash, nullptr, copies_.size(), name.size()});
  copies_ += name;
  return true;
}

std::string_view JsonNames::text_of(const Name& name) const {
  return name.text != nullptr ? std::string_view(name.text, name.size)
                              : std::string_view(copies_).substr(name.copy, name.size);
}

bool JsonNames::same(const Name& name, std::string_view text, std::uint64_t hash) const {
  return name.hash == hash && text_of(name) == text;
}

bool JsonNames::known(std::string_view text, std::uint64_t hash) const {
  const Object& object = objects_.back();
  if ((object.seen & seen_bit(hash)) == 0) return false;
  const std::size_t slots = slots_.size() - object.slots;
  if (slots == 0) {
    return std::any_of(names_.begin() + static_cast<std::ptrdiff_t>(object.names), names_.end(),
                       [&](const Name& name) { return same(name, text, hash); });
  }
  for (std::size_t slot = hash & (slots - 1);; slot = (slot + 1) & (slots - 1)) {
    const std::uint32_t number = slots_[object.slots + slot];
    if (number == 0) return false;
    if (same(names_[object.names + number - 1], text, hash)) return true;
  }
}

void JsonNames::enter(const Name& name) {
  names_.push_back(name);
  Object& object = objects_.back();
  object.seen |= seen_bit(name.hash);
  const std::size_t slots = slots_.size() - object.slots;
  if (slots == 0 ? count() > kWalked : count() * 2 > slots) {
    rebuild_slots(slots == 0 ? kFirstSlots : slots * 2);
  } else if (slots != 0) {
    std::size_t slot = name.hash & (slots - 1);
    while (slots_[object.slots + slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[object.slots + slot] = static_cast<std::uint32_t>(count());
  }
}

void JsonNames::rebuild_slots(std::size_t size) {
  const Object& object = objects_.back();
  slots_.resize(object.slots);
  slots_.resize(object.slots + size);
  for (std::size_t i = 0; i < count(); ++i) {
    std::size_t slot = names_[object.names + i].hash & (size - 1);
    while (slots_[object.slots + slot] != 0) slot = (slot + 1) & (size - 1);
    slots_[object.slots + slot] = static_cast<std::uint32_t>(i + 1);
  }
}

}  // namespace flora::adapter
