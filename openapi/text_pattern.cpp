#include "openapi/text_pattern.h"

#include <charconv>
#include <limits>

namespace flora::openapi {
namespace {

constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

std::optional<std::size_t> parse_number(std::string_view text) {
  std::size_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Takes one ASCII character of a class off `content`; nothing for escapes that stand for more.
std::optional<unsigned> take_character(std::string_view& content) {
  const auto first = static_cast<unsigned char>(content[0]);
  if (first >= 0x80) return std::nullopt;
  if (first != '\\') {
    content.remove_prefix(1);
    return first;
  }
  if (content.size() >= 4 && content[1] == 'x') {
    unsigned value = 0;
    const auto result = std::from_chars(content.data() + 2, content.data() + 4, value, 16);
    if (result.ptr != content.data() + 4 || value >= 0x80) return std::nullopt;
    content.remove_prefix(4);
    return value;
  }
  const std::string_view plain = "[]\\^-";
  if (content.size() < 2 || plain.find(content[1]) == std::string_view::npos) return std::nullopt;
  const auto escaped = static_cast<unsigned char>(content[1]);
  content.remove_prefix(2);
  return escaped;
}

}  // namespace

std::optional<TextPattern> TextPattern::compile(std::string_view expression) {
  RE2::Options options;
  options.set_log_errors(false);
  TextPattern pattern;
  pattern.expression_ =
      std::make_unique<RE2>(re2::StringPiece(expression.data(), expression.size()), options);
  if (!pattern.expression_->ok()) return std::nullopt;
  pattern.repetition_ = parse_repetition(expression);
  return pattern;
}

bool TextPattern::matches(std::string_view text) const {
  if (repetition_) return matches_repetition(text);
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

bool TextPattern::matches_repetition(std::string_view text) const {
  std::size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 ? !repetition_->ascii[byte] : !repetition_->others) return false;
    if ((byte & 0xC0) != 0x80) ++characters;
  }
  return characters >= repetition_->least && characters <= repetition_->most;
}

std::optional<TextPattern::Repetition> TextPattern::parse_repetition(std::string_view expression) {
  if (!expression.starts_with("^[") || !expression.ends_with('$')) return std::nullopt;
  expression.remove_prefix(2);
  expression.remove_suffix(1);
  std::size_t end = 0;
  while (end < expression.size() && expression[end] != ']') end += expression[end] == '\\' ? 2 : 1;
  if (end >= expression.size()) return std::nullopt;
  Repetition repetition;
  if (!parse_class(expression.substr(0, end), repetition)) return std::nullopt;
  if (!parse_count(expression.substr(end + 1), repetition)) return std::nullopt;
  return repetition;
}

bool TextPattern::parse_class(std::string_view content, Repetition& out) {
  const bool negated = content.starts_with('^');
  if (negated) content.remove_prefix(1);
  if (content.empty() || content.find('[') == 0) return false;
  while (!content.empty()) {
    const auto from = take_character(content);
    if (!from) return false;
    auto to = from;
    if (content.size() > 1 && content[0] == '-') {
      content.remove_prefix(1);
      to = take_character(content);
      if (!to || *to < *from) return false;
    }
    for (unsigned c = *from; c <= *to; ++c) out.ascii.set(c);
  }
  if (negated) out.ascii.flip();
  out.others = negated;
  return true;
}

bool TextPattern::parse_count(std::string_view text, Repetition& out) {
  out.most = kUnbounded;
  if (text == "*") return true;
  out.least = 1;
  if (text == "+") return true;
  if (!text.starts_with('{') || !text.ends_with('}')) return false;
  text = text.substr(1, text.size() - 2);
  const std::size_t comma = text.find(',');
  const auto least = parse_number(text.substr(0, comma));
  const auto most = comma == std::string_view::npos ? least : parse_number(text.substr(comma + 1));
  if (!least || !most) return false;
  out.least = *least;
  out.most = *most;
  return true;
}

}  // namespace flora::openapi
