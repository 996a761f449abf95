// Sixteen bytes of a text, compared at once: by SSE2, which every x86-64 has, else in plain C++.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) && !defined(FLORA_PORTABLE_BLOCKS)
#include <emmintrin.h>
#endif

namespace flora::adapter {

#if defined(__SSE2__) && !defined(FLORA_PORTABLE_BLOCKS)

class Block16 {
 public:
  static constexpr std::size_t kSize = 16;

  /// Reads kSize bytes, without alignment.
  explicit Block16(const char* from)
      : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))) {}

  /// These mark the bytes of which it is true. below() compares signed: bytes from 0x80 are below
  /// all others.
  Block16 equal(char c) const { return Block16(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c))); }
  Block16 below(char c) const { return Block16(_mm_cmplt_epi8(bytes_, _mm_set1_epi8(c))); }
  Block16 operator|(Block16 other) const { return Block16(_mm_or_si128(bytes_, other.bytes_)); }

  /// Of marks: one bit for each byte, the first byte's is the lowest.
  std::uint32_t bits() const { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes_)); }

 private:
  explicit Block16(__m128i bytes) : bytes_(bytes) {}
  __m128i bytes_;
};

#else

class Block16 {
 public:
  static constexpr std::size_t kSize = 16;

  explicit Block16(const char* from) { std::memcpy(bytes_.data(), from, kSize); }

  Block16 equal(char c) const {
    return marked([c](signed char byte) { return byte == static_cast<signed char>(c); });
  }
  Block16 below(char c) const {
    return marked([c](signed char byte) { return byte < static_cast<signed char>(c); });
  }
  Block16 operator|(Block16 other) const {
    for (std::size_t i = 0; i < kSize; ++i) {
      if (bytes_[i] < 0) other.bytes_[i] = -1;
    }
    return other;
  }

  std::uint32_t bits() const {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kSize; ++i) bits |= (bytes_[i] < 0 ? 1U : 0U) << i;
    return bits;
  }

 private:
  template <typename Condition>
  Block16 marked(const Condition& condition) const {
    Block16 marks = *this;
    for (signed char& byte : marks.bytes_) byte = condition(byte) ? -1 : 0;
    return marks;
  }
  std::array<signed char, kSize> bytes_;
};

#endif

}  // namespace flora::adapter
