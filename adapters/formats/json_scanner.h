// A strict pull scanner for one JSON text (RFC 8259). It builds no tree and copies nothing: strings
// and names are views into the message, save those with escapes. It takes less than the standard
// allows: UTF-8 only, no name twice in one object, no U+0000, no half of a surrogate pair, bounded
// depth and members.
//
// | code                  | meaning, and the place that is given                                 |
// |-----------------------|----------------------------------------------------------------------|
// | `json-malformed`      | violates the grammar; the first byte that cannot stand there         |
// | `json-encoding`       | ill-formed UTF-8, an escape that is no character, or is U+0000; its  |
// |                       | first byte                                                           |
// | `json-too-deep`       | nesting; the bracket that is too much                                |
// | `json-limit`          | too many members; the name that is too much                          |
// | `json-duplicate-name` | a name for the second time in its object; that                       |
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/formats/json_names.h"

namespace flora::adapter {

struct JsonLimits {
  std::size_t depth = 64;      ///< Open objects and arrays.
  std::size_t members = 1024;  ///< Of one object.
};

/// Reuse one per thread: after warm-up it allocates nothing. Not thread-safe.
class JsonScanner {
 public:
  enum class Token : std::uint8_t {
    begin_object,
    end_object,
    begin_array,
    end_array,
    name,  ///< Of a member, whose value's tokens follow.
    string,
    number,
    boolean,
    null,
    done,
    error
  };

  /// Why and where a message is not acceptable. No text of the message stands in it.
  struct Error {
    std::string_view code;    ///< An issue code of the table above.
    std::string_view reason;  ///< A fixed English sentence.
    std::size_t offset = 0;
  };

  /// Begins a message, which must outlive all views. A byte order mark is passed over.
  void reset(std::string_view message, const JsonLimits& limits = {});

  /// The next token. After done or error, the same again.
  Token next();

  /// The next token as next() gives it, but a whole object or array is one token: begin_object or
  /// begin_array. It is checked like all others, and passed over.
  Token skip_value();

  /// name and string: the decoded text; number, boolean and null: the literal as it stands. Of a
  /// text with escapes valid until the next call. A number is checked, not computed: it may be too
  /// large for any type.
  std::string_view text() const { return text_; }

  /// The token's first byte, and one past its last; quotes are part of a token.
  std::size_t begin_offset() const { return at(token_begin_); }
  std::size_t end_offset() const { return at(token_end_); }
  const Error& error() const { return error_; }

 private:
  enum class State : std::uint8_t {
    begun,         // Before the message.
    value,         // Before a value.
    first_member,  // Behind {.
    first_item,    // Behind [.
    behind_value,  // Of a member or item.
    behind_root,
    finished
  };

  std::size_t at(const char* p) const { return static_cast<std::size_t>(p - begin_); }
  bool fail(const char* where, std::string_view reason, std::string_view code = "json-malformed");
  Token failed(const char* where, std::string_view reason,
               std::string_view code = "json-malformed");
  Token found(Token token, const char* from);

  Token step();
  Token begin();
  Token member_or_item();
  Token end();
  Token name();
  Token value();
  Token open(Token token);
  Token close(Token token);
  Token literal(Token token, std::string_view word);
  Token number();

  // These return false after fail().
  bool digits();
  bool string();
  bool escaped_string(const char* from);
  bool multibyte();
  bool escape();
  bool unicode_escape();
  bool four_digits(const char* from, char32_t& code);

  bool looking_at(char c) const { return p_ != end_ && *p_ == c; }
  bool looking_at_digit() const { return p_ != end_ && *p_ >= '0' && *p_ <= '9'; }
  void skip_space();
  void skip_long_space();

  JsonLimits limits_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  const char* p_ = nullptr;
  const char* token_begin_ = nullptr;
  const char* token_end_ = nullptr;
  std::string_view text_;
  State state_ = State::begun;
  bool decoded_ = false;    // text_ is in buffer_.
  std::vector<char> open_;  // The brackets that will close what is open.
  JsonNames names_;
  std::string buffer_;
  Error error_;
};

}  // namespace flora::adapter
