// Where a byte of a text stands, for people.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace flora::adapter {

struct TextPosition {
  int line = 1;    ///< From 1.
  int column = 1;  ///< From 1, in characters.
};

/// Where the byte at `offset` of a UTF-8 text stands; line ends are LF, CR LF or CR, and a byte
/// order mark is no character.
TextPosition position_in(std::string_view text, std::size_t offset);

/// Where a text begins within a larger one, and what its characters are.
struct TextOrigin {
  std::size_t offset = 0;
  int line = 1;
  bool bytes_are_characters = false;  ///< Else it is UTF-8.
};

/// The same for many offsets of one text: one pass over it, when first asked. Not thread-safe.
class PositionIndex {
 public:
  void reset(std::string_view text, const TextOrigin& origin = {});
  /// `offset` counts from the begin of the larger text.
  TextPosition at(std::size_t offset);

 private:
  void note_strides(std::size_t begin, TextPosition position);

  std::string_view text_;
  TextOrigin origin_;
  std::vector<TextPosition> every_;  // Each kStride bytes.
  std::size_t last_offset_ = 0;  // Of the last answer: places are mostly asked for in their order.
  TextPosition last_;
};

}  // namespace flora::adapter
