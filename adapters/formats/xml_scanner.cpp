#include "adapters/formats/xml_scanner.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "adapters/formats/xml_characters.h"
#include "adapters/formats/xml_names.h"

namespace flora::adapter {

using namespace xml;

namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
         });
}

}  // namespace

void XmlScanner::reset(std::string_view message, std::span<const std::string> spaces,
                       const XmlLimits& limits) {
  spaces_ = spaces;
  limits_ = limits;
  begin_ = message.data();
  end_ = begin_ + message.size();
  p_ = begin_;
  token_begin_ = 0;
  prefix_ = local_ = uri_ = text_ = {};
  space_ = 0;
  empty_element_ = seen_root_ = in_cdata_ = started_ = finished_ = false;
  attributes_.clear();
  open_.clear();
  bindings_.clear();
  decoded_uris_.clear();
  error_ = {};
}

XmlScanner::Token XmlScanner::next() {
  if (finished_) return error_.reason.empty() ? Token::done : Token::error;
  if (!started_) {
    started_ = true;
    if (looking_at("\xEF\xBB\xBF")) p_ += 3;
    if (looking_at("<?xml") && end_ - p_ > 5 && is_xml_space(p_[5]) && !declaration())
      return failed();
  }
  if (empty_element_) {
    empty_element_ = false;
    token_begin_ = at(p_);
    return close_element();
  }
  for (;;) {
    token_begin_ = at(p_);
    if (std::optional<Token> token = step()) return *token;
  }
}

std::optional<XmlScanner::Token> XmlScanner::step() {
  if (in_cdata_) return cdata();
  if (open_.empty()) return outside();
  if (p_ != end_) return *p_ == '<' ? markup() : character_data();
  fail(p_, "The message ends inside an element.");
  return failed();
}

bool XmlScanner::looking_at(std::string_view text) const {
  return static_cast<std::size_t>(end_ - p_) >= text.size() &&
         std::memcmp(p_, text.data(), text.size()) == 0;
}

bool XmlScanner::fail(const char* where, std::string_view reason, std::string_view code) {
  if (error_.reason.empty()) error_ = {code, reason, at(where)};
  return false;
}

XmlScanner::Token XmlScanner::failed() {
  finished_ = true;
  return Token::error;
}

std::optional<XmlScanner::Token> XmlScanner::outside() {
  skip_space();
  token_begin_ = at(p_);
  if (p_ == end_) {
    if (!seen_root_) {
      fail(p_, "The message has no root element.");
      return failed();
    }
    finished_ = true;
    return Token::done;
  }
  if (*p_ != '<') {
    fail(p_,
         "Only white space, comments and processing instructions may stand outside the root "
         "element.");
    return failed();
  }
  return markup();
}

std::optional<XmlScanner::Token> XmlScanner::markup() {
  if (looking_at("</")) return end_tag();
  if (looking_at("<?")) return instruction() ? std::nullopt : std::optional(failed());
  if (looking_at("<!--")) return comment() ? std::nullopt : std::optional(failed());
  if (looking_at("<![CDATA[") && !open_.empty()) {
    p_ += 9;
    in_cdata_ = true;
    return std::nullopt;
  }
  if (looking_at("<!DOCTYPE")) {
    fail(p_, "A document type declaration is not accepted.", "xml-doctype");
    return failed();
  }
  if (looking_at("<!")) {
    fail(p_, "This markup declaration may not stand here.");
    return failed();
  }
  if (open_.empty() && seen_root_) {
    fail(p_, "A message has one root element only.");
    return failed();
  }
  return start_tag();
}

// XML 1.0 productions 23 to 32 and 80.
bool XmlScanner::declaration() {
  p_ += 5;
  static constexpr std::string_view kNames[] = {"version", "encoding", "standalone"};
  std::size_t next_name = 0;
  for (;;) {
    const bool spaced = skip_space();
    if (looking_at("?>")) break;
    std::size_t which = next_name;
    while (which < 3 && !looking_at(kNames[which])) ++which;
    if (which == 3 || !spaced || (which > 0 && next_name == 0)) {
      return fail(p_, "The XML declaration is malformed.");
    }
    p_ += kNames[which].size();
    std::string_view value;
    if (!quoted_literal(value)) return false;
    const bool good = which == 0   ? value == "1.0"
                      : which == 1 ? declared_encoding(value)
                                   : value == "yes" || value == "no";
    if (!good) return fail(p_, "The XML declaration has a value that is not accepted.");
    next_name = which + 1;
  }
  if (next_name == 0) return fail(p_, "The XML declaration is malformed.");
  p_ += 2;
  return true;
}

bool XmlScanner::declared_encoding(std::string_view value) {
  return equals_ignoring_case(value, "utf-8") ||
         fail(p_, "Only the encoding UTF-8 is accepted.", "xml-encoding");
}

bool XmlScanner::quoted_literal(std::string_view& value) {
  skip_space();
  if (!looking_at("=")) return fail(p_, "The XML declaration is malformed.");
  ++p_;
  skip_space();
  if (p_ == end_ || (*p_ != '"' && *p_ != '\'')) {
    return fail(p_, "The XML declaration is malformed.");
  }
  const char quote = *p_++;
  const char* from = p_;
  while (p_ != end_ && *p_ != quote && *p_ != '<' && *p_ != '>') ++p_;
  if (p_ == end_ || *p_ != quote) return fail(p_, "The XML declaration is malformed.");
  value = view(from, p_++);
  return true;
}

bool XmlScanner::comment() {
  p_ += 4;
  if (!legal_until("--")) return false;
  if (!looking_at("-->")) return fail(p_, "Two hyphens may not stand inside a comment.");
  p_ += 3;
  return true;
}

bool XmlScanner::instruction() {
  const char* from = p_;
  p_ += 2;
  Name target;
  if (!name(target)) return false;
  if (!target.prefix.empty())
    return fail(from, "The name of a processing instruction has a colon.");
  if (equals_ignoring_case(target.local, "xml")) {
    return fail(from, "An XML declaration may stand at the very beginning only.");
  }
  if (!looking_at("?>") && !skip_space()) {
    return fail(p_, "The name of a processing instruction must be followed by white space.");
  }
  if (!legal_until("?>")) return false;
  p_ += 2;
  return true;
}

bool XmlScanner::legal_until(std::string_view stop) {
  while (p_ != end_) {
    if (*p_ == stop[0] && looking_at(stop)) return true;
    switch (class_of(*p_)) {
      case Class::bad:
        return fail(p_, "The message contains a character that XML forbids.");
      case Class::multi: {
        char32_t c = 0;
        if (!multibyte(c)) return false;
        break;
      }
      default:
        ++p_;
    }
  }
  return fail(p_, "The message ends inside a comment or processing instruction.");
}

// RFC 3629, less the two code points that XML forbids.
bool XmlScanner::multibyte(char32_t& c) {
  const auto first = static_cast<unsigned char>(*p_);
  const std::ptrdiff_t size = first < 0xC2   ? 0
                              : first < 0xE0 ? 2
                              : first < 0xF0 ? 3
                              : first < 0xF5 ? 4
                                             : 0;
  if (size == 0 || end_ - p_ < size) return fail(p_, "The message is not well-formed UTF-8.");
  c = first & (0xFFu >> (size + 1));
  for (std::ptrdiff_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(p_[i]);
    if ((byte & 0xC0) != 0x80) return fail(p_, "The message is not well-formed UTF-8.");
    c = (c << 6) | (byte & 0x3Fu);
  }
  const bool overlong = (size == 3 && c < 0x800) || (size == 4 && c < 0x10000);
  if (overlong || !legal_character(c)) {
    return fail(p_,
                "The message contains a character that XML forbids, or is not well-formed UTF-8.");
  }
  p_ += size;
  return true;
}

// Namespaces in XML 1.0, production 7 (QName).
bool XmlScanner::name(Name& out) {
  const char* from = p_;
  if (!name_part()) return false;
  const char* colon = p_;
  if (p_ != end_ && *p_ == ':') {
    ++p_;
    if (!name_part()) return false;
    if (p_ != end_ && *p_ == ':') return fail(p_, "A name may have one colon only.");
    out.prefix = view(from, colon);
    out.local = view(colon + 1, p_);
  } else {
    out.prefix = {};
    out.local = view(from, p_);
  }
  out.whole = view(from, p_);
  if (out.whole.size() > limits_.name_bytes) return fail(from, "A name is too long.", "xml-limit");
  return true;
}

bool XmlScanner::name_part() {
  const char* from = p_;
  while (p_ != end_) {
    if ((name_byte(*p_) & (p_ == from ? 2 : 1)) != 0) {
      ++p_;
      continue;
    }
    if (!is_multibyte(*p_)) break;
    const char* here = p_;
    char32_t c = 0;
    if (!multibyte(c)) return false;
    if (!(here == from ? begins_xml_name(c) : continues_xml_name(c))) {
      return fail(here, "A name contains a character that XML forbids there.");
    }
  }
  return p_ != from || fail(p_, "A name is missing or malformed.");
}

XmlScanner::Token XmlScanner::end_tag() {
  const char* from = p_;
  p_ += 2;
  Name element;
  if (!open_.empty() && looking_at(open_.back()) &&
      end_ - p_ > static_cast<std::ptrdiff_t>(open_.back().size()) &&
      p_[open_.back().size()] == '>') {  // The common case, without reading the name again.
    const std::string_view whole = open_.back();
    const std::size_t colon = whole.find(':');
    prefix_ = colon == std::string_view::npos ? std::string_view{} : whole.substr(0, colon);
    local_ = colon == std::string_view::npos ? whole : whole.substr(colon + 1);
    p_ += whole.size() + 1;
    return close_element();
  }
  if (!name(element)) return failed();
  skip_space();
  if (!looking_at(">")) {
    fail(p_, "An end tag is malformed.");
    return failed();
  }
  if (open_.empty() || open_.back() != element.whole) {
    fail(from, "An end tag does not match the element that is open.");
    return failed();
  }
  ++p_;
  prefix_ = element.prefix;
  local_ = element.local;
  return close_element();
}

XmlScanner::Token XmlScanner::close_element() {
  while (!bindings_.empty() && bindings_.back().depth == static_cast<int>(open_.size())) {
    bindings_.pop_back();
  }
  open_.pop_back();
  return Token::end;
}

XmlScanner::Token XmlScanner::found_text(const char* from) {
  text_ = view(from, p_);
  return Token::text;
}

std::optional<XmlScanner::Token> XmlScanner::character_data() {
  const char* run = p_;
  while (p_ != end_) {
    switch (class_of(*p_)) {
      case Class::plain:
      case Class::line:
        ++p_;
        break;
      case Class::multi: {
        char32_t c = 0;
        if (!multibyte(c)) return failed();
        break;
      }
      case Class::bracket:
        if (looking_at("]]>")) {
          fail(p_, "The characters ]]> may not stand in text.");
          return failed();
        }
        ++p_;
        break;
      case Class::markup:
        return found_text(run);
      case Class::ampersand: {
        if (p_ != run) return found_text(run);
        std::size_t size = 0;
        if (!reference(decoded_, size)) return failed();
        text_ = {decoded_, size};
        return Token::text;
      }
      case Class::carriage:
        if (p_ != run) return found_text(run);
        ++p_;
        if (p_ == end_ || *p_ != '\n') {
          text_ = "\n";
          return Token::text;
        }
        run = p_;  // CR LF is one LF (XML 1.0 §2.11).
        break;
      case Class::bad:
        fail(p_, "The message contains a character that XML forbids.");
        return failed();
    }
  }
  return found_text(run);
}

std::optional<XmlScanner::Token> XmlScanner::cdata() {
  const char* run = p_;
  while (p_ != end_) {
    if (*p_ == ']' && looking_at("]]>")) {
      text_ = view(run, p_);
      p_ += 3;
      in_cdata_ = false;
      return text_.empty() ? std::nullopt : std::optional(Token::text);
    }
    switch (class_of(*p_)) {
      case Class::carriage:
        if (p_ != run) return found_text(run);
        ++p_;
        if (p_ == end_ || *p_ != '\n') {
          text_ = "\n";
          return Token::text;
        }
        run = p_;
        break;
      case Class::multi: {
        char32_t c = 0;
        if (!multibyte(c)) return failed();
        break;
      }
      case Class::bad:
        fail(p_, "The message contains a character that XML forbids.");
        return failed();
      default:
        ++p_;
    }
  }
  fail(p_, "The message ends inside a CDATA section.");
  return failed();
}

bool XmlScanner::skip_space() {
  const char* from = p_;
  while (p_ != end_ && is_xml_space(*p_)) ++p_;
  return p_ != from;
}

}  // namespace flora::adapter
