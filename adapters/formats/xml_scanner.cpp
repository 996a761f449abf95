#include "adapters/formats/xml_scanner.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "adapters/formats/xml_names.h"

namespace flora::adapter {
namespace {

constexpr std::string_view kXmlUri = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kXmlnsUri = "http://www.w3.org/2000/xmlns/";

// What a byte means in character data, and whether it may stand in a name.
enum class Class : std::uint8_t { plain, line, markup, ampersand, carriage, bracket, multi, bad };

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  for (std::size_t i = 0; i < 256; ++i) {
    classes[i] = i < 0x20 ? Class::bad : i < 0x80 ? Class::plain : Class::multi;
  }
  classes['\t'] = Class::line;
  classes['\n'] = Class::line;
  classes['\r'] = Class::carriage;
  classes['<'] = Class::markup;
  classes['&'] = Class::ampersand;
  classes[']'] = Class::bracket;
  return classes;
}
constexpr std::array<Class, 256> kClasses = make_classes();

constexpr std::array<std::uint8_t, 256> make_name_bytes() {
  std::array<std::uint8_t, 256> bytes{};
  for (int c = 'a'; c <= 'z'; ++c) bytes[static_cast<std::size_t>(c)] = 3;
  for (int c = 'A'; c <= 'Z'; ++c) bytes[static_cast<std::size_t>(c)] = 3;
  for (int c = '0'; c <= '9'; ++c) bytes[static_cast<std::size_t>(c)] = 1;
  bytes['_'] = 3;
  bytes['-'] = 1;
  bytes['.'] = 1;
  return bytes;
}
constexpr std::array<std::uint8_t, 256> kNameBytes =
    make_name_bytes();  // 1 may follow, 2 may begin.

Class class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }
std::uint8_t name_byte(char c) { return kNameBytes[static_cast<unsigned char>(c)]; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_multibyte(char c) { return static_cast<unsigned char>(c) >= 0x80; }

std::string_view view(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
         });
}

// XML 1.0 production 2.
bool legal_character(std::uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c < 0xD800 || (c > 0xDFFF && c < 0xFFFE) || (c > 0xFFFF && c <= 0x10FFFF);
}

std::size_t encode(std::uint32_t c, char (&out)[4]) {
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | (c >> 6));
    out[1] = tail(c);
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | (c >> 12));
    out[1] = tail(c >> 6);
    out[2] = tail(c);
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | (c >> 18));
  out[1] = tail(c >> 12);
  out[2] = tail(c >> 6);
  out[3] = tail(c);
  return 4;
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
    if (looking_at("<?xml") && end_ - p_ > 5 && is_space(p_[5]) && !declaration()) return failed();
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

XmlScanner::Token XmlScanner::start_tag() {
  ++p_;
  Name element;
  if (!name(element)) return failed();
  if (open_.size() >= static_cast<std::size_t>(limits_.depth)) {
    fail(begin_ + token_begin_, "The elements are nested too deeply.", "xml-too-deep");
    return failed();
  }
  open_.push_back(element.whole);
  seen_root_ = true;
  prefix_ = element.prefix;
  local_ = element.local;
  if (p_ != end_ && *p_ == '>') {  // The common case: no attributes.
    ++p_;
    attributes_.clear();
  } else if (!attributes_of_tag()) {
    return failed();
  }
  const Binding* binding = find_binding(prefix_);
  if (binding == nullptr && !prefix_.empty() && prefix_ != "xml") {
    fail(begin_ + token_begin_, "A namespace prefix is not declared.");
    return failed();
  }
  uri_ = binding != nullptr ? binding->uri : prefix_.empty() ? std::string_view{} : kXmlUri;
  space_ = binding != nullptr ? binding->space : prefix_.empty() ? 0 : number_of(kXmlUri);
  return Token::start;
}

bool XmlScanner::attributes_of_tag() {
  attributes_.clear();
  raw_values_.clear();
  buffer_.clear();
  for (;;) {
    const bool spaced = skip_space();
    if (p_ == end_) return fail(p_, "The message ends inside a tag.");
    if (*p_ == '>') {
      ++p_;
      break;
    }
    if (looking_at("/>")) {
      p_ += 2;
      empty_element_ = true;
      break;
    }
    if (!spaced)
      return fail(p_, "White space is missing before an attribute, or a tag is malformed.");
    if (attributes_.size() >= limits_.attributes) {
      return fail(p_, "An element has too many attributes.", "xml-limit");
    }
    if (!read_attribute()) return false;
  }
  return attributes_.empty() || apply_namespaces();
}

bool XmlScanner::read_attribute() {
  Attribute attribute;
  attribute.offset = at(p_);
  Name attribute_name;
  if (!name(attribute_name)) return false;
  attribute.prefix = attribute_name.prefix;
  attribute.local = attribute_name.local;
  skip_space();
  if (!looking_at("=")) return fail(p_, "An attribute has no value.");
  ++p_;
  skip_space();
  RawValue value;
  if (!quoted_value(value)) return false;
  attributes_.push_back(attribute);
  raw_values_.push_back(value);
  return true;
}

bool XmlScanner::quoted_value(RawValue& out) {
  if (p_ == end_ || (*p_ != '"' && *p_ != '\'')) {
    return fail(p_, "The value of an attribute must be quoted.");
  }
  const char quote = *p_++;
  const char* run = p_;
  out.begin = at(p_);
  const auto decode_run = [&] {
    if (!out.decoded) out.begin = buffer_.size();
    out.decoded = true;
    buffer_.append(run, p_);
  };
  while (p_ != end_ && *p_ != quote) {
    switch (class_of(*p_)) {
      case Class::plain:
      case Class::bracket:
        ++p_;
        break;
      case Class::multi: {
        char32_t c = 0;
        if (!multibyte(c)) return false;
        break;
      }
      case Class::line:
      case Class::carriage:
        decode_run();
        buffer_ += ' ';
        p_ += looking_at("\r\n") ? 2 : 1;
        run = p_;
        break;
      case Class::ampersand: {
        decode_run();
        char utf8[4];
        std::size_t size = 0;
        if (!reference(utf8, size)) return false;
        buffer_.append(utf8, size);
        run = p_;
        break;
      }
      case Class::markup:
        return fail(p_, "The value of an attribute may not contain the character <.");
      case Class::bad:
        return fail(p_, "The message contains a character that XML forbids.");
    }
  }
  if (p_ == end_) return fail(p_, "The message ends inside the value of an attribute.");
  if (out.decoded) buffer_.append(run, p_);
  out.size = out.decoded ? buffer_.size() - out.begin : at(p_) - out.begin;
  ++p_;
  return true;
}

bool XmlScanner::reference(char (&utf8)[4], std::size_t& size) {
  struct Entity {
    std::string_view text;
    char value;
  };
  static constexpr Entity kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  if (looking_at("&#")) return character_reference(utf8, size);
  for (const Entity& entity : kEntities) {
    if (!looking_at(entity.text)) continue;
    utf8[0] = entity.value;
    size = 1;
    p_ += entity.text.size();
    return true;
  }
  return fail(p_, "Only the five predefined entities and character references are accepted.",
              "xml-entity");
}

bool XmlScanner::character_reference(char (&utf8)[4], std::size_t& size) {
  const char* from = p_;
  p_ += 2;
  const bool hexadecimal = p_ != end_ && *p_ == 'x';
  if (hexadecimal) ++p_;
  const char* digits = p_;
  std::uint32_t value = 0;
  for (; p_ != end_; ++p_) {
    const char c = *p_;
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (hexadecimal && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
      digit = static_cast<std::uint32_t>((c | 0x20) - 'a') + 10;
    } else {
      break;
    }
    value = std::min<std::uint32_t>(value * (hexadecimal ? 16 : 10) + digit, 0x110000);
  }
  if (p_ == digits || p_ == end_ || *p_ != ';' || !legal_character(value)) {
    return fail(from, "A character reference is malformed or names a character that XML forbids.");
  }
  ++p_;
  size = encode(value, utf8);
  return true;
}

bool XmlScanner::apply_namespaces() {
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    const RawValue& raw = raw_values_[i];
    attributes_[i].value = {(raw.decoded ? buffer_.data() : begin_) + raw.begin, raw.size};
  }
  if (!unique_names()) return false;
  const auto is_declaration = [](const Attribute& attribute) {
    return attribute.prefix == "xmlns" || (attribute.prefix.empty() && attribute.local == "xmlns");
  };
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    if (is_declaration(attributes_[i]) && !declare(attributes_[i], raw_values_[i].decoded))
      return false;
  }
  std::erase_if(attributes_, is_declaration);
  for (Attribute& attribute : attributes_) {
    if (!attribute.prefix.empty() && !resolve(attribute)) return false;
  }
  return unique_expanded_names();
}

bool XmlScanner::unique_names() {
  for (std::size_t i = 1; i < attributes_.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (attributes_[i].local == attributes_[k].local &&
          attributes_[i].prefix == attributes_[k].prefix) {
        return fail(begin_ + attributes_[i].offset, "An attribute occurs twice.");
      }
    }
  }
  return true;
}

bool XmlScanner::unique_expanded_names() {
  for (std::size_t i = 1; i < attributes_.size(); ++i) {
    if (attributes_[i].prefix.empty()) continue;
    for (std::size_t k = 0; k < i; ++k) {
      if (attributes_[i].local == attributes_[k].local &&
          attributes_[i].uri == attributes_[k].uri) {
        return fail(begin_ + attributes_[i].offset,
                    "An attribute occurs twice, under two prefixes.");
      }
    }
  }
  return true;
}

// Namespaces in XML 1.0, §3 and the namespace constraints of §§2.2 and 5.
bool XmlScanner::declare(const Attribute& attribute, bool decoded) {
  const std::string_view prefix = attribute.prefix.empty() ? std::string_view{} : attribute.local;
  const char* where = begin_ + attribute.offset;
  if (prefix == "xmlns") return fail(where, "The prefix xmlns may not be declared.");
  if ((prefix == "xml") != (attribute.value == kXmlUri) || attribute.value == kXmlnsUri) {
    return fail(where, "A reserved namespace or prefix is declared.");
  }
  if (!prefix.empty() && attribute.value.empty()) {
    return fail(where, "A namespace prefix may not be undeclared.");
  }
  if (bindings_.size() >= limits_.bindings) {
    return fail(where, "Too many namespaces are declared.", "xml-limit");
  }
  const std::string_view uri =
      decoded ? decoded_uris_.emplace_back(attribute.value) : attribute.value;
  bindings_.push_back({prefix, uri, number_of(uri), static_cast<int>(open_.size())});
  return true;
}

bool XmlScanner::resolve(Attribute& attribute) {
  if (const Binding* binding = find_binding(attribute.prefix)) {
    attribute.uri = binding->uri;
    attribute.space = binding->space;
    return true;
  }
  if (attribute.prefix != "xml") {
    return fail(begin_ + attribute.offset, "A namespace prefix is not declared.");
  }
  attribute.uri = kXmlUri;
  attribute.space = number_of(kXmlUri);
  return true;
}

const XmlScanner::Binding* XmlScanner::find_binding(std::string_view prefix) const {
  for (auto i = bindings_.rbegin(); i != bindings_.rend(); ++i) {
    if (i->prefix == prefix) return &*i;
  }
  return nullptr;
}

int XmlScanner::number_of(std::string_view uri) const {
  if (uri.empty()) return 0;
  const auto found = std::find(spaces_.begin(), spaces_.end(), uri);
  return found == spaces_.end() ? -1 : static_cast<int>(found - spaces_.begin()) + 1;
}

XmlScanner::Token XmlScanner::end_tag() {
  const char* from = p_;
  p_ += 2;
  Name element;
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
  while (p_ != end_ && is_space(*p_)) ++p_;
  return p_ != from;
}

}  // namespace flora::adapter
