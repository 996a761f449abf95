// Strict JSON (RFC 8259, I-JSON): one pass over the text into a flat index of positions, without
// building a tree. Duplicate names, deep nesting, lone surrogates, ill-formed UTF-8 and numbers
// that do not fit are errors with their offset. All intake uses this reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace flora::json {

enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

/// "object", "string" … as JSON Schema names the types.
std::string_view to_string(Kind kind);

struct Limits {
  std::size_t bytes = 1 << 20;
  int depth = 32;
};

/// Why and where a text is not acceptable. `reason` is a fixed English sentence without any content
/// of the text.
struct ParseError {
  std::size_t offset = 0;  ///< In bytes, from 0.
  int line = 1;            ///< From 1.
  int column = 1;          ///< From 1, in bytes.
  std::string_view reason;
};

class Document;

/// A view of one value. Copyable; valid as long as the Document is neither parsed again nor moved
/// nor destroyed, and the text lives.
class Value {
 public:
  Value() = default;  ///< Not valid().

  Kind kind() const;
  bool is(Kind k) const { return kind() == k; }

  bool boolean() const;             ///< kind() == boolean.
  std::int64_t integer() const;     ///< kind() == integer: no fraction, no exponent, fits 64 bits.
  double number() const;            ///< integer or number.
  std::string_view string() const;  ///< Decoded; kind() == string.
  std::string_view raw() const;     ///< The value's exact text, quotes included.
  std::size_t offset() const;       ///< Of the value's first byte in the text.
  std::size_t size() const;         ///< Items of an array, members of an object.

  /// The member with this name, or nothing. kind() == object.
  std::optional<Value> find(std::string_view name) const;

  /// Iterates the items of an array: `for (Value item = v.first(); item.valid(); item =
  /// item.next())`. For an object, iterates the member values; name() is the name.
  Value first() const;
  Value next() const;
  bool valid() const { return document_ != nullptr; }
  std::string_view name() const;  ///< Of a member value that came from first()/next()/find().

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t token, std::uint32_t end, bool member)
      : document_(document), token_(token), end_(end), member_(member) {}
  const Document* document_ = nullptr;
  std::uint32_t token_ = 0;
  std::uint32_t end_ = 0;  // One past the last token of the container that is iterated.
  bool member_ = false;    // The token before this value is its name.
};

/// A parsed text. Reuse one per thread: parse() keeps its memory, so that after warm-up it
/// allocates nothing. Not thread-safe.
class Document {
 public:
  /// True on success; the root is then root(). The text is not copied and must outlive the values.
  bool parse(std::string_view text, const Limits& limits = {});
  Value root() const;
  const ParseError& error() const { return error_; }

 private:
  friend class Value;
  friend class Reader;
  struct Token {
    std::uint32_t begin;  // Offset in the text; of a string with escapes: offset in decoded_.
    std::uint32_t end;
    std::uint32_t skip;   // Index of the token behind this value.
    std::uint32_t count;  // Items or members.
    std::uint32_t raw_begin;
    Kind kind;
    bool decoded;
    bool flag;  // The value of a boolean.
  };
  std::string_view text_;
  std::string decoded_;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> scratch_;
  ParseError error_;
};

/// Appends `text` as a JSON string, quotes included, escaped as RFC 8785 §3.2.2.2 asks.
void append_string(std::string& out, std::string_view text);

/// Appends the canonical form (RFC 8785, JCS) of a value: names sorted by UTF-16 code units,
/// numbers as ECMAScript prints them.
void append_canonical(std::string& out, const Value& value);

}  // namespace flora::json
