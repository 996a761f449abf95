#include "gateway/base/json.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

#include "gateway/base/bytes.h"

namespace flora::json {

// One pass over the text. Containers are kept on a stack of token indexes, so that deep nesting
// cannot overflow the machine's stack.
class Reader {
 public:
  Reader(Document& document, std::string_view text, const Limits& limits)
      : d_(document), text_(text), limits_(limits) {}

  bool run() {
    if (text_.size() > limits_.bytes || text_.size() > 0xFFFFFFF0U) {
      return fail("the text is too long");
    }
    skip_space();
    if (!value()) return false;
    while (!d_.scratch_.empty()) {
      if (!step()) return false;
    }
    skip_space();
    if (at_ != text_.size()) return fail("text after the value");
    return true;
  }

 private:
  using Token = Document::Token;

  bool fail(std::string_view reason) {
    d_.error_.offset = std::min(at_, text_.size());
    d_.error_.reason = reason;
    const std::string_view before = text_.substr(0, d_.error_.offset);
    d_.error_.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    const std::size_t start = before.rfind('\n');
    d_.error_.column =
        1 + static_cast<int>(start == before.npos ? before.size() : before.size() - start - 1);
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
      ++at_;
    }
  }

  std::uint32_t here() const { return static_cast<std::uint32_t>(at_); }

  Token& push(Kind kind, std::size_t begin) {
    Token token{};
    token.kind = kind;
    token.begin = static_cast<std::uint32_t>(begin);
    token.raw_begin = token.begin;
    d_.tokens_.push_back(token);
    return d_.tokens_.back();
  }

  void finish_scalar(Token& token) {
    token.end = here();
    token.skip = static_cast<std::uint32_t>(d_.tokens_.size());
  }

  // Continues the innermost open container: one item or member, or its end.
  bool step() {
    const std::uint32_t index = d_.scratch_.back();
    const bool is_object = d_.tokens_[index].kind == Kind::object;
    const char close = is_object ? '}' : ']';
    skip_space();
    if (peek() == close) return end_container(index);
    if (d_.tokens_[index].count > 0) {
      if (peek() != ',') return fail(is_object ? "expected , or }" : "expected , or ]");
      ++at_;
      skip_space();
      if (peek() == close) return fail("a value is missing behind the comma");
    }
    if (is_object) {
      if (peek() != '"') return fail("expected a member name");
      if (!string()) return false;
      skip_space();
      if (peek() != ':') return fail("expected :");
      ++at_;
      skip_space();
    }
    ++d_.tokens_[index].count;
    return value();
  }

  bool end_container(std::uint32_t index) {
    ++at_;
    Token& token = d_.tokens_[index];
    token.end = here();
    token.skip = static_cast<std::uint32_t>(d_.tokens_.size());
    d_.scratch_.pop_back();
    return token.kind == Kind::array || unique_names(index);
  }

  bool unique_names(std::uint32_t index) {
    const std::size_t count = d_.tokens_[index].count;
    if (count < 2) return true;
    names_.clear();
    std::uint32_t at = index + 1;
    for (std::size_t i = 0; i < count; ++i) {
      names_.push_back(name_text(d_.tokens_[at]));
      at = d_.tokens_[at + 1].skip;
    }
    bool duplicate = false;
    if (count <= 24) {
      for (std::size_t i = 1; i < count && !duplicate; ++i) {
        for (std::size_t j = 0; j < i; ++j) duplicate = duplicate || names_[i] == names_[j];
      }
    } else {
      std::sort(names_.begin(), names_.end());
      duplicate = std::adjacent_find(names_.begin(), names_.end()) != names_.end();
    }
    return duplicate ? fail("a member name occurs twice in the object that ends here") : true;
  }

  std::string_view name_text(const Token& token) const {
    const std::string_view source = token.decoded ? std::string_view(d_.decoded_) : text_;
    return source.substr(token.begin, token.end - token.begin);
  }

  bool value() {
    switch (peek()) {
      case '{':
      case '[': {
        if (d_.scratch_.size() >= static_cast<std::size_t>(limits_.depth)) {
          return fail("nested too deeply");
        }
        push(peek() == '{' ? Kind::object : Kind::array, at_);
        d_.scratch_.push_back(static_cast<std::uint32_t>(d_.tokens_.size() - 1));
        ++at_;
        return true;
      }
      case '"':
        return string();
      case 't':
        return literal("true", Kind::boolean, true);
      case 'f':
        return literal("false", Kind::boolean, false);
      case 'n':
        return literal("null", Kind::null, false);
      default:
        return number();
    }
  }

  bool literal(std::string_view word, Kind kind, bool flag) {
    if (text_.substr(at_, word.size()) != word) return fail("not a JSON value");
    Token& token = push(kind, at_);
    token.flag = flag;
    at_ += word.size();
    finish_scalar(token);
    return true;
  }

  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }

  // RFC 8259 §6.
  bool number() {
    const std::size_t start = at_;
    Kind kind = Kind::integer;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      at_ = start;
      return fail(start == text_.size() ? "the text ends early" : "not a JSON value");
    }
    if (peek() == '.') {
      kind = Kind::number;
      ++at_;
      if (!digits()) return fail("expected a digit");
    }
    if (peek() == 'e' || peek() == 'E') {
      kind = Kind::number;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return fail("expected a digit");
    }
    const char* const begin = text_.data() + start;
    const char* const end = text_.data() + at_;
    std::int64_t integer = 0;
    if (kind == Kind::integer && std::from_chars(begin, end, integer).ec != std::errc()) {
      kind = Kind::number;
    }
    double number = 0;
    if (kind == Kind::number &&
        (std::from_chars(begin, end, number).ec != std::errc() || !std::isfinite(number))) {
      return fail("the number does not fit");
    }
    finish_scalar(push(kind, start));
    return true;
  }

  // A string or name, at its opening quote.
  bool string() {
    const std::size_t start = at_++;
    const std::size_t first = at_;
    bool ascii = true;
    while (true) {
      if (at_ >= text_.size()) return fail("the text ends within a string");
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') break;
      if (c == '\\') return escaped_string(start, first);
      if (c < 0x20) return fail("a control character within a string");
      ascii = ascii && c < 0x80;
      ++at_;
    }
    if (!ascii && !is_utf8(text_.substr(first, at_ - first))) return fail("ill-formed UTF-8");
    Token& token = push(Kind::string, start);
    token.begin = static_cast<std::uint32_t>(first);
    token.end = here();
    ++at_;
    token.skip = static_cast<std::uint32_t>(d_.tokens_.size());
    token.count = here();  // Strings keep the end of their raw text here.
    return true;
  }

  bool escaped_string(std::size_t start, std::size_t first) {
    const std::size_t decoded_begin = d_.decoded_.size();
    d_.decoded_.append(text_, first, at_ - first);
    while (true) {
      if (at_ >= text_.size()) return fail("the text ends within a string");
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') break;
      if (c < 0x20) return fail("a control character within a string");
      if (c == '\\') {
        if (!escape()) return false;
      } else {
        d_.decoded_ += static_cast<char>(c);
        ++at_;
      }
    }
    if (!is_utf8(std::string_view(d_.decoded_).substr(decoded_begin))) {
      return fail("ill-formed UTF-8");
    }
    Token& token = push(Kind::string, start);
    token.decoded = true;
    token.begin = static_cast<std::uint32_t>(decoded_begin);
    token.end = static_cast<std::uint32_t>(d_.decoded_.size());
    ++at_;
    token.skip = static_cast<std::uint32_t>(d_.tokens_.size());
    token.count = here();
    return true;
  }

  bool escape() {
    ++at_;
    const char c = peek();
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kNames.find(c); c != '\0' && i != kNames.npos) {
      d_.decoded_ += kValues[i];
      ++at_;
      return true;
    }
    if (c != 'u') return fail("an unknown escape");
    ++at_;
    std::uint32_t code = 0;
    if (!four_hex(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return fail("a lone surrogate");
    if (code >= 0xD800 && code <= 0xDBFF) {
      std::uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") return fail("a lone surrogate");
      at_ += 2;
      if (!four_hex(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fail("a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(code);
    return true;
  }

  bool four_hex(std::uint32_t& code) {
    const std::string_view four = text_.substr(at_, 4);
    const char* const end = four.data() + four.size();
    if (four.size() != 4 || four[0] == '-' || four[0] == '+') return fail("expected four digits");
    const auto result = std::from_chars(four.data(), end, code, 16);
    if (result.ec != std::errc() || result.ptr != end) {
      return fail("expected four hexadecimal digits");
    }
    at_ += 4;
    return true;
  }

  void append_utf8(std::uint32_t code) {
    const auto add = [this](std::uint32_t byte) { d_.decoded_ += static_cast<char>(byte); };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xC0 | code >> 6);
      add(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      add(0xE0 | code >> 12);
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    }
  }

  Document& d_;
  std::string_view text_;
  Limits limits_;
  std::size_t at_ = 0;
  std::vector<std::string_view> names_;
};

std::string_view to_string(Kind kind) {
  constexpr std::array<std::string_view, 7> kNames = {"null",   "boolean", "integer", "number",
                                                      "string", "array",   "object"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool Document::parse(std::string_view text, const Limits& limits) {
  text_ = text;
  decoded_.clear();
  tokens_.clear();
  scratch_.clear();
  error_ = {};
  return Reader(*this, text, limits).run();
}

Value Document::root() const {
  return Value(this, 0, static_cast<std::uint32_t>(tokens_.size()), false);
}

Kind Value::kind() const { return document_->tokens_[token_].kind; }
bool Value::boolean() const { return document_->tokens_[token_].flag; }

std::int64_t Value::integer() const {
  std::int64_t value = 0;
  const std::string_view text = raw();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double Value::number() const {
  double value = 0;
  const std::string_view text = raw();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view Value::string() const {
  assert(is(Kind::string));
  const auto& token = document_->tokens_[token_];
  const std::string_view source =
      token.decoded ? std::string_view(document_->decoded_) : document_->text_;
  return source.substr(token.begin, token.end - token.begin);
}

std::string_view Value::raw() const {
  const auto& token = document_->tokens_[token_];
  const std::uint32_t end = token.kind == Kind::string ? token.count : token.end;
  return document_->text_.substr(token.raw_begin, end - token.raw_begin);
}

std::size_t Value::offset() const { return document_->tokens_[token_].raw_begin; }

std::size_t Value::size() const {
  assert(is(Kind::array) || is(Kind::object));
  return document_->tokens_[token_].count;
}

Value Value::first() const {
  const auto& token = document_->tokens_[token_];
  if (token.count == 0) return {};
  const bool member = token.kind == Kind::object;
  return Value(document_, token_ + (member ? 2U : 1U), token.skip, member);
}

Value Value::next() const {
  // A member value is preceded by its name, and so is the next one.
  const std::uint32_t behind = document_->tokens_[token_].skip;
  if (behind >= end_) return {};
  return Value(document_, behind + (member_ ? 1U : 0U), end_, member_);
}

std::string_view Value::name() const {
  assert(member_);
  return Value(document_, token_ - 1, token_, false).string();
}

std::optional<Value> Value::find(std::string_view name) const {
  assert(is(Kind::object));
  for (Value member = first(); member.valid(); member = member.next()) {
    if (member.name() == name) return member;
  }
  return std::nullopt;
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  static constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < plain.size(); ++c) plain[c] = c != '"' && c != '\\';
    return plain;
  }();
  out += '"';
  std::size_t copied = 0;  // Runs without escapes are appended at once.
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (kPlain[static_cast<unsigned char>(c)]) continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  out.append(text, copied);
  out += '"';
}

namespace {

// True if `a` sorts before `b` by UTF-16 code units (RFC 8785 §3.2.3). It differs from the order of
// bytes only where a supplementary character (lead byte F0..F4, surrogates D800..DFFF) meets
// U+E000..U+FFFF (lead bytes EE, EF).
bool before_utf16(std::string_view a, std::string_view b) {
  const auto rank = [](char c) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (byte >= 0xF0) return byte - 0xF0 + 0xEE;  // Behind ED, before EE.
    if (byte >= 0xEE) return byte + 0x10;
    return byte;
  };
  const auto pair = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (pair.first == a.end() || pair.second == b.end()) return a.size() < b.size();
  return rank(*pair.first) < rank(*pair.second);
}

// ECMAScript's Number::toString (ECMA-262 §6.1.6.1.20), as RFC 8785 §3.2.2.3 asks.
void append_number(std::string& out, double value) {
  if (value == 0) {
    out += '0';
    return;
  }
  char buffer[32];
  const auto result =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(result.ptr - buffer));
  const std::size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const char* from = text.data() + e + 1;
  if (*from == '+') ++from;
  std::from_chars(from, result.ptr, exponent);
  const int n = exponent + 1;  // The decimal point stands behind the n-th digit.
  const int k = static_cast<int>(digits.size());
  if (value < 0) out += '-';
  if (n > 21 || n < -5) {
    out += digits[0];
    if (k > 1) out.append(1, '.').append(digits, 1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  } else if (n <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
  } else if (k <= n) {
    out += digits + std::string(static_cast<std::size_t>(n - k), '0');
  } else {
    out += digits.substr(0, static_cast<std::size_t>(n)) + '.' +
           digits.substr(static_cast<std::size_t>(n));
  }
}

constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;

}  // namespace

void append_canonical(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case Kind::integer:
      if (const std::int64_t n = value.integer(); n >= -kExactInteger && n <= kExactInteger) {
        out += std::to_string(n);
        return;
      }
      append_number(out, value.number());
      return;
    case Kind::number:
      append_number(out, value.number());
      return;
    case Kind::string:
      append_string(out, value.string());
      return;
    case Kind::array: {
      out += '[';
      bool first = true;
      for (Value item = value.first(); item.valid(); item = item.next()) {
        if (!first) out += ',';
        first = false;
        append_canonical(out, item);
      }
      out += ']';
      return;
    }
    case Kind::object: {
      std::vector<Value> members;
      members.reserve(value.size());
      for (Value member = value.first(); member.valid(); member = member.next()) {
        members.push_back(member);
      }
      std::sort(members.begin(), members.end(),
                [](const Value& a, const Value& b) { return before_utf16(a.name(), b.name()); });
      out += '{';
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out += ',';
        append_string(out, members[i].name());
        out += ':';
        append_canonical(out, members[i]);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace flora::json
