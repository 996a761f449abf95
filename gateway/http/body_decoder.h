// The framing of request bodies: nothing, a known length, or chunks (RFC 9112 §6, §7.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/http/limits.h"

namespace flora::http {

/// Takes a body out of the bytes of a connection. Chunk extensions and trailer fields are checked
/// for their syntax and size, and dropped. Not thread-safe; the limits must outlive it.
class BodyDecoder {
 public:
  enum class Status : std::uint8_t { more, end, malformed };

  BodyDecoder() = default;  ///< A request without a body: end.
  static BodyDecoder fixed(std::uint64_t length);
  static BodyDecoder chunked(const Limits& limits);

  /// Appends to `out` at most `room` bytes of the body. Returns how many bytes of `data` are used
  /// up; the rest is to be offered again, or belongs to the next request when status() is end.
  std::size_t decode(std::string_view data, std::size_t room, std::string& out);

  Status status() const { return status_; }

 private:
  enum class Step : std::uint8_t {
    size,       // Hexadecimal digits.
    space,      // White space before an extension.
    extension,  // Up to CR.
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,  // The first character of a trailer line.
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf
  };

  std::size_t copy(std::string_view data, std::size_t room, std::string& out);
  void frame(char c);
  bool over_bound();
  void on_size(char c);
  void on_size_end(char c);
  void on_trailer(char c);
  void expect(char c, char wanted, Step next);
  void fail() { status_ = Status::malformed; }

  const Limits* limits_ = nullptr;  // Null unless chunked.
  std::uint64_t left_ = 0;          // Bytes of the body or of the chunk.
  std::size_t line_ = 0;            // Bytes of the chunk line or trailer section so far.
  std::uint8_t digits_ = 0;
  Step step_ = Step::data;
  Status status_ = Status::end;
};

}  // namespace flora::http
