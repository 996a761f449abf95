// Where functions write the texts that they make, so that a call allocates nothing once the buffers
// have grown.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace flora::adapter {

/// Two buffers in turn: what one call made stays readable while the next call writes. Not
/// thread-safe.
class Scratch {
 public:
  /// An empty text to write to; it is another than the one given before.
  std::string& next() {
    turn_ = 1 - turn_;
    texts_[turn_].clear();
    return texts_[turn_];
  }

  /// True if `text` lies in a buffer, and must be copied to outlive the calls to come.
  bool holds(std::string_view text) const {
    const auto inside = [&](const std::string& buffer) {
      const std::less_equal<> ordered;
      return ordered(buffer.data(), text.data()) &&
             ordered(text.data() + text.size(), buffer.data() + buffer.size());
    };
    return inside(texts_[0]) || inside(texts_[1]);
  }

 private:
  std::array<std::string, 2> texts_;
  std::size_t turn_ = 0;
};

}  // namespace flora::adapter
