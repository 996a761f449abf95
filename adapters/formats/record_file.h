// What the cursors of record formats have in common: texts in the file's character set, issues with
// their place, and the footer's count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/formats/reader.h"
#include "adapters/formats/record_scanner.h"
#include "adapters/formats/text_position.h"

namespace flora::adapter {

class RecordFile : public RecordCursor {
 public:
  std::string_view record() const override { return record_; }
  int line() const override { return line_; }
  const Issue& issue() const override { return issue_; }

 protected:
  explicit RecordFile(const Plan& plan) : plan_(plan) {}

  void begin_file(std::string_view message);
  void begin_record(std::size_t begin, std::size_t end, std::size_t line);

  /// Each notes the issue and returns the step. As no text: a header or footer, which costs the
  /// file.
  Step broken(std::string_view code, std::string_view detail, std::size_t offset);
  Step rejected(std::string_view code, std::string detail, std::size_t offset);
  Step rejected_as_no_text(std::size_t offset);

  /// Tells the walk the value of a field, if a rule reads it; an empty one is absent. False if it
  /// is no text of the character set: then issue() says so.
  bool tell(Walk& walk, int node, std::string_view name, std::string_view text, std::size_t offset);

  /// The text in UTF-8, valid until the next call; nothing if it is no text. Line ends may stand
  /// in it.
  std::optional<std::string_view> decoded(std::string_view text);

  /// Where the first byte is that is no text.
  std::optional<std::size_t> first_no_text(std::string_view text) {
    decoded_.clear();
    return decode(plan_.charset, text, decoded_);
  }

  /// Whether a footer's text is the number of the records that were read.
  bool is_count(std::string_view text) const;

  /// What the end of the file means, if nothing was wrong up to here.
  Step end_of_file(bool has_footer);

  std::size_t offset_of(std::string_view view) const {
    return static_cast<std::size_t>(view.data() - message_.data());
  }

  const Plan& plan_;
  std::string_view message_;
  std::string_view record_;
  int line_ = 1;
  std::size_t data_records_ = 0;  ///< Read so far, broken ones included.
  bool footer_seen_ = false;
  bool plain_ = false;  ///< The record at hand is ASCII: no field needs decoding.

 private:
  void note(std::string_view code, std::string detail, std::size_t offset);

  PositionIndex positions_;
  std::string decoded_;
  Issue issue_;
};

}  // namespace flora::adapter
