#include "adapters/formats/text_position.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "adapters/formats/block16.h"

namespace flora::adapter {
namespace {

constexpr std::size_t kStride = 4096;

// Read as signed numbers, the bytes that continue a character are those below this one.
constexpr char kFirstOfCharacter = static_cast<char>(0xC0);

std::size_t count_characters(std::string_view text) {
  std::size_t count = text.size();
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= std::ptrdiff_t{Block16::kSize}; p += Block16::kSize) {
    count -= static_cast<std::size_t>(std::popcount(Block16(p).below(kFirstOfCharacter).bits()));
  }
  for (; p != end; ++p) {
    count -= static_cast<signed char>(*p) < static_cast<signed char>(kFirstOfCharacter);
  }
  return count;
}

const char* find(std::string_view text, char c, std::size_t from, std::size_t to) {
  return static_cast<const char*>(std::memchr(text.data() + from, c, to - from));
}

// Moves `position` over the bytes [from, to) of `text`.
void advance(std::string_view text, std::size_t from, std::size_t to, bool bytes_are_characters,
             TextPosition& position) {
  const auto next_line = [&](std::size_t behind) {
    ++position.line;
    position.column = 1;
    from = behind;
  };
  while (from < to) {
    const char* feed = find(text, '\n', from, to);
    const std::size_t line_end =
        feed == nullptr ? to : static_cast<std::size_t>(feed - text.data());
    while (const char* cr = find(text, '\r', from, line_end)) {
      const auto at = static_cast<std::size_t>(cr - text.data());
      if (at + 1 < text.size() && text[at + 1] == '\n') break;  // One line end with the LF.
      next_line(at + 1);
    }
    if (feed != nullptr) {
      next_line(line_end + 1);
      continue;
    }
    const std::string_view rest = text.substr(from, to - from);
    position.column +=
        static_cast<int>(bytes_are_characters ? rest.size() : count_characters(rest));
    return;
  }
}

std::size_t begin_of(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? 3 : 0; }

}  // namespace

TextPosition position_in(std::string_view text, std::size_t offset) {
  TextPosition position;
  advance(text, begin_of(text), std::min(offset, text.size()), false, position);
  return position;
}

void PositionIndex::reset(std::string_view text, const TextOrigin& origin) {
  text_ = text;
  origin_ = origin;
  every_.clear();
  last_offset_ = 0;
}

TextPosition PositionIndex::at(std::size_t offset) {
  offset = std::min(offset - std::min(offset, origin_.offset), text_.size());
  // A byte order mark stands at the begin of the larger text only.
  const std::size_t begin = origin_.offset == 0 ? begin_of(text_) : 0;
  const bool bytes = origin_.bytes_are_characters;
  std::size_t from = begin;
  TextPosition position{origin_.line, 1};
  if (offset >= kStride) {
    if (every_.empty()) note_strides(begin, position);
    from = offset / kStride * kStride;
    position = every_[offset / kStride];
  }
  if (from < last_offset_ && last_offset_ <= offset) {
    from = last_offset_;
    position = last_;
  }
  advance(text_, from, offset, bytes, position);
  last_offset_ = offset;
  return last_ = position;
}

void PositionIndex::note_strides(std::size_t begin, TextPosition position) {
  every_.push_back(position);
  for (std::size_t i = 0; i + kStride <= text_.size(); i += kStride) {
    advance(text_, std::max(i, begin), i + kStride, origin_.bytes_are_characters, position);
    every_.push_back(position);
  }
}

}  // namespace flora::adapter
