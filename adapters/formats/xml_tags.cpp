// The part of XmlScanner that reads start tags: attributes, references and namespaces.
#include <algorithm>

#include "adapters/formats/xml_characters.h"
#include "adapters/formats/xml_scanner.h"

namespace flora::adapter {

using namespace xml;

namespace {

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

}  // namespace flora::adapter
