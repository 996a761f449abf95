// FixedScanner: records of fixed length.
#include <algorithm>
#include <bit>
#include <cassert>

#include "adapters/formats/block16.h"
#include "adapters/formats/record_scanner.h"

namespace flora::adapter {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

// How many bytes the first `count` characters have; all, if there are not so many. In ill-formed
// text a stray continuation byte belongs to the character before it, or else to the first.
std::size_t bytes_of(std::string_view text, Charset charset, std::size_t count) {
  if (charset != Charset::utf_8) return count < text.size() ? count : text.size();
  if (count == 0) return 0;
  std::size_t at = 0;
  while (count >= Block16::kSize && text.size() - at >= Block16::kSize) {
    const Block16 block(text.data() + at);
    count -= Block16::kSize - static_cast<std::size_t>(std::popcount(block.below('\xC0').bits()));
    at += Block16::kSize;
  }
  for (; at < text.size(); ++at) {
    if (continues(text[at])) continue;
    if (count == 0) break;
    --count;
  }
  return at;
}

std::size_t end_without_empty_lines(std::string_view message, std::size_t end) {
  while (end > 0 && message[end - 1] == '\n') {
    --end;
    if (end > 0 && message[end - 1] == '\r') --end;
  }
  return end;
}

}  // namespace

void FixedScanner::reset(std::string_view message, Charset charset, std::size_t length,
                         FixedForm form) {
  assert(length > 0);
  assert(form == FixedForm::lines || charset != Charset::utf_8);
  message_ = message;
  charset_ = charset;
  form_ = form;
  length_ = length;
  const bool marked = message.starts_with(kByteOrderMark);
  unexpected_mark_ = marked && charset != Charset::utf_8;
  p_ = marked ? kByteOrderMark.size() : 0;
  end_ = message.ends_with('\x1A') ? message.size() - 1 : message.size();
  if (form == FixedForm::lines) end_ = end_without_empty_lines(message, end_);
  record_ = {};
  record_begin_ = record_end_ = line_ = 0;
  error_ = {};
}

RecordToken FixedScanner::next() {
  error_ = {};
  record_ = {};
  record_begin_ = p_;
  if (unexpected_mark_) {
    unexpected_mark_ = false;
    record_begin_ = 0;
    error_ = {"fixed-unexpected-bom",
              "The file begins with a UTF-8 byte order mark, but another charset is declared.", 0};
  } else if (p_ == end_) {
    record_begin_ = record_end_ = message_.size();
    return RecordToken::done;
  }
  ++line_;
  const std::size_t text_begin = p_;
  if (form_ == FixedForm::lines) {
    take_line();
  } else {
    take_adjacent();
  }
  if (error_.code.empty()) check(text_begin);
  return error_.code.empty() ? RecordToken::record : RecordToken::error;
}

void FixedScanner::take_line() {
  const std::string_view rest = message_.substr(p_, end_ - p_);
  const std::size_t size = rest.find('\n');
  if (size == std::string_view::npos) {
    record_end_ = p_ = end_;
    return;
  }
  record_end_ = p_ + size;
  p_ = record_end_ + 1;
  if (size > 0 && rest[size - 1] == '\r') --record_end_;
}

void FixedScanner::take_adjacent() { record_end_ = p_ = end_ - p_ > length_ ? p_ + length_ : end_; }

void FixedScanner::check(std::size_t text_begin) {
  const std::string_view text = message_.substr(text_begin, record_end_ - text_begin);
  const std::size_t full = bytes_of(text, charset_, length_);
  const bool too_short = full == text.size() && bytes_of(text, charset_, length_ - 1) == full;
  if (full != text.size() || too_short) {
    error_ = {"fixed-length", "The record does not have the length that is declared.",
              text_begin + full};
    return;
  }
  const std::size_t control = std::min({text.find('\0'), text.find('\r'), text.find('\n')});
  if (control != std::string_view::npos) {
    error_ = {"fixed-control", "The record holds a NUL byte or a part of a line end.",
              text_begin + control};
    return;
  }
  record_ = text;
}

std::string_view FixedScanner::cut(std::string_view record, Charset charset, std::size_t at,
                                   std::size_t length) {
  record.remove_prefix(bytes_of(record, charset, at));
  return record.substr(0, bytes_of(record, charset, length));
}

}  // namespace flora::adapter
