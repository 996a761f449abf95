#include "adapters/formats/json_scanner.h"

#include <bit>
#include <cstring>

#include "adapters/formats/block16.h"

namespace flora::adapter {

namespace {

std::string_view span_of(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

void JsonScanner::reset(std::string_view message, const JsonLimits& limits) {
  limits_ = limits;
  begin_ = message.data();
  end_ = begin_ + message.size();
  p_ = token_begin_ = token_end_ = begin_;
  text_ = {};
  state_ = State::begun;
  decoded_ = false;
  open_.clear();
  names_.reset();
  error_ = {};
}

JsonScanner::Token JsonScanner::next() { return step(); }

JsonScanner::Token JsonScanner::skip_value() {
  const Token token = step();
  if (token != Token::begin_object && token != Token::begin_array) return token;
  const char* from = token_begin_;
  for (const std::size_t depth = open_.size(); open_.size() >= depth;) {
    if (step() == Token::error) return Token::error;
  }
  token_begin_ = from;
  return token;
}

bool JsonScanner::fail(const char* where, std::string_view reason, std::string_view code) {
  error_ = {code, reason, at(where)};
  return false;
}

JsonScanner::Token JsonScanner::failed(const char* where, std::string_view reason,
                                       std::string_view code) {
  if (error_.code.empty()) fail(where, reason, code);
  state_ = State::finished;
  token_begin_ = token_end_ = begin_ + error_.offset;
  text_ = {};
  return Token::error;
}

// A token that is one value, from there to p_.
JsonScanner::Token JsonScanner::found(Token token, const char* from) {
  token_begin_ = from;
  token_end_ = p_;
  state_ = open_.empty() ? State::behind_root : State::behind_value;
  return token;
}

JsonScanner::Token JsonScanner::step() {
  switch (state_) {
    case State::value:
      return value();
    case State::behind_value:
      return member_or_item();
    case State::first_member:
      skip_space();
      return looking_at('}') ? close(Token::end_object) : name();
    case State::first_item:
      skip_space();
      return looking_at(']') ? close(Token::end_array) : value();
    case State::begun:
      return begin();
    case State::behind_root:
      return end();
    case State::finished:
      break;
  }
  return error_.code.empty() ? Token::done : Token::error;
}

JsonScanner::Token JsonScanner::begin() {
  const std::string_view message = span_of(begin_, end_);
  if (message.starts_with("\xFE\xFF") || message.starts_with("\xFF\xFE")) {  // UTF-16 or 32.
    return failed(begin_, "Only the encoding UTF-8 is accepted.", "json-encoding");
  }
  if (message.starts_with("\xEF\xBB\xBF")) p_ += 3;
  skip_space();
  return value();
}

JsonScanner::Token JsonScanner::end() {
  skip_space();
  if (p_ != end_) return failed(p_, "Something follows the value of the message.");
  state_ = State::finished;
  token_begin_ = token_end_ = end_;
  text_ = {};
  return Token::done;
}

JsonScanner::Token JsonScanner::member_or_item() {
  skip_space();
  const bool in_object = open_.back() == '}';
  if (looking_at(',')) {
    ++p_;
    skip_space();
    return in_object ? name() : value();
  }
  if (looking_at(open_.back())) return close(in_object ? Token::end_object : Token::end_array);
  if (p_ == end_) return failed(p_, "The message ends inside an object or array.");
  return failed(p_, "A comma or the closing bracket is missing behind a value.");
}

// With the colon and the space around it.
JsonScanner::Token JsonScanner::name() {
  if (!looking_at('"')) {
    return failed(
        p_, p_ == end_ ? "The message ends inside an object." : "The name of a member is missing.");
  }
  const char* from = p_;
  if (!string()) return failed(p_, {});
  const char* behind = p_;
  if (names_.count() >= limits_.members) {
    return failed(from, "An object has too many members.", "json-limit");
  }
  if (!(decoded_ ? names_.add_copy(text_) : names_.add(text_))) {
    return failed(from, "A member name occurs twice in one object.", "json-duplicate-name");
  }
  skip_space();
  if (!looking_at(':')) return failed(p_, "A colon is missing behind the name of a member.");
  ++p_;
  skip_space();
  token_begin_ = from;
  token_end_ = behind;
  state_ = State::value;
  return Token::name;
}

JsonScanner::Token JsonScanner::value() {
  if (p_ == end_) return failed(p_, "The message ends where a value is due.");
  const char* from = p_;
  switch (*p_) {
    case '"':
      return string() ? found(Token::string, from) : failed(p_, {});
    case '{':
      return open(Token::begin_object);
    case '[':
      return open(Token::begin_array);
    case 't':
      return literal(Token::boolean, "true");
    case 'f':
      return literal(Token::boolean, "false");
    case 'n':
      return literal(Token::null, "null");
    default:
      return number();
  }
}

JsonScanner::Token JsonScanner::open(Token token) {
  if (open_.size() >= limits_.depth) {
    return failed(p_, "Objects and arrays are nested too deeply.", "json-too-deep");
  }
  token_begin_ = p_++;
  token_end_ = p_;
  text_ = {};
  if (token == Token::begin_object) {
    open_.push_back('}');
    names_.open_object();
    state_ = State::first_member;
  } else {
    open_.push_back(']');
    state_ = State::first_item;
  }
  return token;
}

JsonScanner::Token JsonScanner::close(Token token) {
  if (token == Token::end_object) names_.close_object();
  open_.pop_back();
  text_ = {};
  ++p_;
  return found(token, p_ - 1);
}

JsonScanner::Token JsonScanner::literal(Token token, std::string_view word) {
  if (static_cast<std::size_t>(end_ - p_) < word.size() ||
      std::memcmp(p_, word.data(), word.size()) != 0) {
    return failed(p_, "A value is malformed.");
  }
  const char* from = p_;
  p_ += word.size();
  text_ = span_of(from, p_);
  return found(token, from);
}

// RFC 8259 §6.
JsonScanner::Token JsonScanner::number() {
  const char* from = p_;
  if (looking_at('-')) ++p_;
  if (!looking_at_digit()) {
    return failed(
        p_, p_ == from ? "A value is missing or malformed." : "A digit is missing in a number.");
  }
  if (*p_++ == '0') {
    if (looking_at_digit()) return failed(p_, "A number has a leading zero.");
  } else {
    while (looking_at_digit()) ++p_;
  }
  if (looking_at('.')) {
    ++p_;
    if (!digits()) return failed(p_, {});
  }
  if (looking_at('e') || looking_at('E')) {
    ++p_;
    if (looking_at('+') || looking_at('-')) ++p_;
    if (!digits()) return failed(p_, {});
  }
  text_ = span_of(from, p_);
  return found(Token::number, from);
}

bool JsonScanner::digits() {
  if (!looking_at_digit()) return fail(p_, "A digit is missing in a number.");
  while (looking_at_digit()) ++p_;
  return true;
}

void JsonScanner::skip_space() {
  if (p_ == end_ || *p_ > ' ' || !is_json_space(*p_)) return;
  ++p_;
  if (p_ == end_ || *p_ > ' ') return;  // One space, the common case.
  skip_long_space();
}

void JsonScanner::skip_long_space() {
  for (; end_ - p_ >= std::ptrdiff_t{Block16::kSize}; p_ += Block16::kSize) {
    const Block16 block(p_);
    const std::uint32_t other =
        ~(block.equal(' ') | block.equal('\n') | block.equal('\r') | block.equal('\t')).bits() &
        0xFFFFU;
    if (other != 0) {
      p_ += std::countr_zero(other);
      return;
    }
  }
  while (p_ != end_ && is_json_space(*p_)) ++p_;
}

}  // namespace flora::adapter
