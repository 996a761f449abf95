// A strict, namespace-aware pull scanner for XML 1.0 (Fifth Edition) with Namespaces in XML 1.0
// (Third Edition). It builds no tree and copies nothing: names, values and text are views into the
// message, save attribute values that need decoding. It takes less than the standards allow: UTF-8
// only, no DOCTYPE, hence no entities but the five predefined ones, and bounded depth and counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flora::adapter {

struct XmlLimits {
  int depth = 64;                ///< Open elements.
  std::size_t attributes = 64;   ///< Of one element, namespace declarations included.
  std::size_t bindings = 256;    ///< Namespace declarations in scope.
  std::size_t name_bytes = 512;  ///< Of one name.
};

/// Reuse one per thread: after warm-up it allocates nothing. Not thread-safe.
class XmlScanner {
 public:
  enum class Token : std::uint8_t { start, end, text, done, error };

  struct Attribute {
    std::string_view prefix;
    std::string_view local;
    std::string_view value;  ///< Normalised (XML 1.0 §3.3.3, as CDATA). Valid until the next call.
    std::string_view uri;    ///< Of its namespace; empty: none.
    int space = 0;           ///< As XmlScanner::space().
    std::size_t offset = 0;  ///< Of its name.
  };

  /// Why and where a message is not acceptable. No text of the message stands in it.
  struct Error {
    std::string_view code;    ///< An issue code, such as `xml-malformed`.
    std::string_view reason;  ///< A fixed English sentence.
    std::size_t offset = 0;
  };

  /// Begins a message. `spaces` are the namespace URIs that space() numbers. Both must outlive all
  /// views.
  void reset(std::string_view message, std::span<const std::string> spaces = {},
             const XmlLimits& limits = {});

  /// The next token. An empty element gives start and end; comments, processing instructions and
  /// the XML declaration are checked and passed over. Text comes in as many pieces as line ends,
  /// references and CDATA sections make of it. After done or error, the same again.
  Token next();

  /// start and end: the element's name.
  std::string_view prefix() const { return prefix_; }
  std::string_view local() const { return local_; }
  /// start: the namespace by number: 0 none, n the n-th of `spaces`, -1 any other.
  int space() const { return space_; }
  /// start: the namespace URI, empty for none.
  std::string_view uri() const { return uri_; }
  /// start: the attributes without namespace declarations, in document order.
  std::span<const Attribute> attributes() const { return attributes_; }
  /// text: a piece of character data, never empty.
  std::string_view text() const { return text_; }

  /// The token's first byte, and one past its last.
  std::size_t begin_offset() const { return token_begin_; }
  std::size_t end_offset() const { return at(p_); }
  const Error& error() const { return error_; }

 private:
  struct Binding {
    std::string_view prefix;
    std::string_view uri;
    int space;
    int depth;
  };
  struct Name {
    std::string_view prefix;
    std::string_view local;
    std::string_view whole;
  };
  struct RawValue {
    bool decoded = false;
    std::size_t begin = 0;  // In buffer_ when decoded, else in the message.
    std::size_t size = 0;
  };

  std::size_t at(const char* p) const { return static_cast<std::size_t>(p - begin_); }
  bool looking_at(std::string_view text) const;
  bool fail(const char* where, std::string_view reason, std::string_view code = "xml-malformed");
  Token failed();

  // These return the token that they found, or nothing when there is none to report.
  std::optional<Token> step();
  std::optional<Token> outside();
  std::optional<Token> markup();
  std::optional<Token> character_data();
  std::optional<Token> cdata();
  Token start_tag();
  Token end_tag();
  Token close_element();
  Token found_text(const char* from);

  // These return false after fail().
  bool declaration();
  bool declared_encoding(std::string_view value);
  bool comment();
  bool instruction();
  bool legal_until(std::string_view stop);
  bool multibyte(char32_t& c);
  bool name(Name& out);
  bool name_part();
  bool attributes_of_tag();
  bool read_attribute();
  bool quoted_value(RawValue& out);
  bool reference(char (&utf8)[4], std::size_t& size);
  bool character_reference(char (&utf8)[4], std::size_t& size);
  bool apply_namespaces();
  bool declare(const Attribute& attribute, bool decoded);
  bool resolve(Attribute& attribute);
  bool unique_names();
  bool unique_expanded_names();

  bool quoted_literal(std::string_view& value);
  const Binding* find_binding(std::string_view prefix) const;
  int number_of(std::string_view uri) const;
  bool skip_space();

  std::span<const std::string> spaces_;
  XmlLimits limits_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  const char* p_ = nullptr;
  std::size_t token_begin_ = 0;
  std::string_view prefix_, local_, uri_, text_;
  int space_ = 0;
  bool empty_element_ = false;
  bool seen_root_ = false;
  bool in_cdata_ = false;
  bool started_ = false;
  bool finished_ = false;
  char decoded_[4] = {};
  std::vector<Attribute> attributes_;
  std::vector<RawValue> raw_values_;
  std::string buffer_;
  std::vector<std::string_view> open_;
  std::vector<Binding> bindings_;
  std::deque<std::string> decoded_uris_;
  Error error_;
};

}  // namespace flora::adapter
