// Cuts a file into records without copying it: delimited fields (RFC 4180, with a dialect) and
// records of fixed length. Bytes are cut, not decoded: every Charset holds ASCII as it is.
//
// A faulty record is an error with its place, and the scan goes on: the records behind it are not
// lost. Where it goes on is fixed:
// - Where the quotes of a record cannot be trusted any more (csv-stray-quote, csv-text-after-quote,
//   csv-bare-cr behind a closing quote) behind the next line feed, whatever stands before it.
// - Else behind the line end of the record, as its quotes say.
// - Behind a fatal error nothing is read any more.
// A quote that was never meant to open a field takes the lines up to the next quote with it: they
// lie between begin_offset() and end_offset() of the fault.
//
// Of several faults in one record the first that is met is reported; those of the whole record
// (too long, empty) come last.
//
// | code                   | meaning, and the place that is given                                |
// |------------------------|---------------------------------------------------------------------|
// | `csv-stray-quote`      | a quote inside a field that does not begin with one; the quote      |
// | `csv-text-after-quote` | other than a delimiter or line end behind a closing quote; that     |
// | `csv-bare-cr`          | a carriage return without line feed; the carriage return            |
// | `csv-nul`              | a NUL byte; its place                                               |
// | `csv-too-many-columns` | more fields than the limit; the first that is too many              |
// | `csv-record-too-long`  | more bytes than the limit; the first that is too many               |
// | `csv-empty-record`     | an empty line that others follow; its place                         |
// | `csv-unexpected-bom`   | the UTF-8 byte order mark in a file that is declared otherwise; 0   |
// | `csv-unclosed-quote`   | fatal: a quoted field that the file does not close, or that has a   |
// |                        | line end more than `record_bytes` behind its quote; the quote       |
// | `fixed-length`         | a record of other length; the first character that is too much, or  |
// |                        | the end of a record that is too short                               |
// | `fixed-control`        | a NUL, carriage return or line feed inside a record; its place      |
// | `fixed-unexpected-bom` | as above                                                            |
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/formats/charset.h"

namespace flora::adapter {

enum class RecordToken : std::uint8_t { record, done, error };

/// Why and where a record is not acceptable. No text of the message stands in it.
struct RecordError {
  std::string_view code;    ///< An issue code of the table above.
  std::string_view reason;  ///< A fixed English sentence.
  std::size_t offset = 0;
};

/// Both are ASCII, differ, and are neither NUL nor a line end.
struct CsvDialect {
  char delimiter = ';';
  std::optional<char> quote = '"';
};

struct CsvLimits {
  std::size_t record_bytes = 16384;  ///< Of one record, without its line end.
  std::size_t columns = 256;
};

/// Cuts delimited records. Reuse one per thread: after warm-up it allocates nothing. Not
/// thread-safe.
class CsvScanner {
 public:
  struct Field {
    std::string_view text;   ///< Without quotes, doubled ones folded. Valid until the next call.
    std::size_t offset = 0;  ///< Of the first byte of the text, in the message.
    bool quoted = false;
  };

  /// Begins a message, which must outlive all views. A UTF-8 byte order mark is passed over if the
  /// charset is UTF-8.
  void reset(std::string_view message, Charset charset, const CsvDialect& dialect = {},
             const CsvLimits& limits = {});

  /// The next record, or the next fault. Line ends are LF and CR LF, also mixed; that of the last
  /// record may be missing, and empty lines at the very end are passed over. After done, done
  /// again; after a fatal error, done.
  RecordToken next();

  /// record: its fields, never none.
  std::span<const Field> fields() const { return fields_; }

  /// record and error: the first byte of the record and one past its last, without the line end.
  /// All that stands between two records is a line end.
  std::size_t begin_offset() const { return at(record_begin_); }
  std::size_t end_offset() const { return at(record_end_); }
  /// The number of the record's first line, from 1. A line ends with a line feed, quoted or not.
  std::size_t line() const { return line_; }

  const RecordError& error() const { return error_; }
  /// error: nothing of the rest of the message is read.
  bool fatal() const { return fatal_; }

 private:
  std::size_t at(const char* p) const { return static_cast<std::size_t>(p - begin_); }
  std::uint64_t specials(const char* from) const;
  const char* next_special();

  // These return the beginning of the next field, or nothing if the record has ended.
  const char* plain_field(const char* from);
  const char* quoted_field(const char* from);
  const char* closing_quote(const char* from);

  void add_field(const char* from, const char* to, bool quoted);
  void note(const char* where, std::string_view code, std::string_view reason);
  const char* end_record(const char* where, const char* behind);
  const char* end_of_line_at(const char* carriage);
  const char* resume_at_next_line();
  void give_up(const char* quote);
  void fold_quotes();

  const char* begin_ = nullptr;
  const char* end_ = nullptr;          // Without the empty lines at the end.
  const char* message_end_ = nullptr;  // With them.
  const char* p_ = nullptr;            // Where the next record begins.
  const char* block_ = nullptr;        // Of 64 bytes, of which bits_ are the special bytes to come.
  std::uint64_t bits_ = 0;
  const char* record_begin_ = nullptr;
  const char* record_end_ = nullptr;
  std::size_t line_ = 1;
  std::size_t next_line_ = 1;
  char delimiter_ = ';';
  char quote_ = '"';  // The delimiter if there is no quoting, so that it is never met as a quote.
  bool unexpected_mark_ = false;
  bool doubled_quotes_ = false;
  bool fatal_ = false;
  CsvLimits limits_;
  std::vector<Field> fields_;
  std::string scratch_;
  RecordError error_;
};

/// How records of fixed length are told from each other.
enum class FixedForm : std::uint8_t {
  lines,    ///< Each ends with LF or CR LF; the last may lack it.
  adjacent  ///< Nothing is between them. Not for UTF-8.
};

/// Cuts records of fixed length. It allocates nothing. Not thread-safe.
class FixedScanner {
 public:
  /// Begins a message, which must outlive all views, of records of `length` characters, at least
  /// one. A UTF-8 byte order mark is passed over if the charset is UTF-8; so are, at the very end,
  /// one 0x1A (DOS) and, in lines, empty lines.
  void reset(std::string_view message, Charset charset, std::size_t length,
             FixedForm form = FixedForm::lines);

  /// As CsvScanner::next(). No error is fatal.
  RecordToken next();

  /// record: the bytes of it.
  std::string_view record() const { return record_; }
  /// record and error: the first byte of the record and one past its last, without the line end.
  std::size_t begin_offset() const { return record_begin_; }
  std::size_t end_offset() const { return record_end_; }
  /// The number of the record, from 1. In lines that is the number of its line.
  std::size_t line() const { return line_; }
  const RecordError& error() const { return error_; }

  /// The field of a record from character `at` on, from 0, of `length` characters, or of as many as
  /// there are. That UTF-8 is well-formed is for decode() to say.
  static std::string_view cut(std::string_view record, Charset charset, std::size_t at,
                              std::size_t length);

 private:
  void take_line();
  void take_adjacent();
  void check(std::size_t text_begin);

  std::string_view message_;
  std::size_t end_ = 0;  // Without what is passed over at the end.
  std::size_t p_ = 0;    // Where the next record begins.
  Charset charset_ = Charset::utf_8;
  FixedForm form_ = FixedForm::lines;
  std::size_t length_ = 1;
  bool unexpected_mark_ = false;
  std::string_view record_;
  std::size_t record_begin_ = 0;
  std::size_t record_end_ = 0;
  std::size_t line_ = 0;
  RecordError error_;
};

}  // namespace flora::adapter
