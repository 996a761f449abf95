#include "adapters/formats/text_position.h"

#include <algorithm>

namespace flora::adapter {
namespace {

constexpr std::size_t kStride = 4096;

// Moves `position` over the bytes [from, to) of `text`.
void advance(std::string_view text, std::size_t from, std::size_t to, TextPosition& position) {
  for (std::size_t i = from; i < to; ++i) {
    const char c = text[i];
    if (c == '\n' || (c == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n'))) {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
}

std::size_t begin_of(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? 3 : 0; }

}  // namespace

TextPosition position_in(std::string_view text, std::size_t offset) {
  TextPosition position;
  advance(text, begin_of(text), std::min(offset, text.size()), position);
  return position;
}

void PositionIndex::reset(std::string_view text) {
  text_ = text;
  every_.clear();
}

TextPosition PositionIndex::at(std::size_t offset) {
  offset = std::min(offset, text_.size());
  if (offset < kStride) return position_in(text_, offset);
  if (every_.empty()) {
    TextPosition position;
    every_.push_back(position);
    for (std::size_t i = 0; i + kStride <= text_.size(); i += kStride) {
      advance(text_, std::max(i, begin_of(text_)), i + kStride, position);
      every_.push_back(position);
    }
  }
  const std::size_t stride = offset / kStride;
  TextPosition position = every_[stride];
  advance(text_, stride * kStride, offset, position);
  return position;
}

}  // namespace flora::adapter
