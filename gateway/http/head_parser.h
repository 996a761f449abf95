// The parser of request heads (RFC 9112 §2–§6): strict, incremental, one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http/limits.h"
#include "gateway/http/message.h"

namespace flora::http {

/// Why a request is not acceptable and what to answer. The texts are fixed.
struct Refusal {
  int status = 400;
  std::string_view problem;
  std::string_view detail;
};

/// A complete head and what framing needs to know of it.
struct ParsedHead {
  RequestHead head;
  bool http10 = false;
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
};

/// Parses one head; reset() prepares for the next. Not thread-safe.
class HeadParser {
 public:
  enum class Status : std::uint8_t { need_more, complete, refused };

  /// The limits must outlive the parser.
  explicit HeadParser(const Limits& limits) : limits_(&limits) {}

  /// `data` holds all bytes since the end of the last request; on each further call the same bytes
  /// and those that came since. A fault is reported as soon as its line is there.
  Status parse(std::string_view data);

  std::size_t consumed() const { return line_; }       ///< After complete: the length of the head.
  const Refusal& refusal() const { return refusal_; }  ///< After refused.
  ParsedHead& parsed() { return parsed_; }             ///< After complete; may be moved from.
  void reset();

 private:
  enum class Expecting : std::uint8_t { request_line, field };

  Status refuse(int status, std::string_view problem, std::string_view detail);
  Status malformed(std::string_view detail);
  Status incomplete(std::string_view data);
  Status check_size(std::size_t line_end);
  Status parse_line(std::string_view line);
  Status parse_request_line(std::string_view line);
  Status parse_version(std::string_view version);
  Status parse_target();
  Status parse_absolute(std::string_view rest);
  Status split_path(std::string_view target);
  Status parse_field(std::string_view line);
  Status finish();
  Status check_host();
  Status check_framing();
  Status refuse_coding(std::string_view codings);
  Status check_content_length(std::string_view value);
  Status check_expectation();
  void decide_persistence();

  const Limits* limits_;
  ParsedHead parsed_;
  std::string authority_;  // Of a target in absolute form.
  std::size_t line_ = 0;   // Where the line begins that is expected.
  std::size_t scan_ = 0;   // Up to where it was searched for its end.
  Expecting expecting_ = Expecting::request_line;
  bool skipped_blank_ = false;
  Refusal refusal_;
};

}  // namespace flora::http
