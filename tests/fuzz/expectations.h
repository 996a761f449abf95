// What fuzz targets share: a finding is an abort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "gateway/base/result.h"

namespace flora::fuzz {

inline void require(bool condition) {
  if (!condition) std::abort();
}

/// For what a target needs before it begins.
template <typename T>
T required(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str());
  require(result.has_value());
  return std::move(*result);
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace flora::fuzz
