#include "adapters/formats/record_file.h"

#include <charconv>

#include "adapters/engine/walk.h"

namespace flora::adapter {
namespace {

constexpr const char* kNoText = "The bytes are no text in the character set of the file.";

}  // namespace

Result<Path> RecordReader::path(std::string_view text, std::vector<SpacePrefix>&) const {
  Path out;
  out.shown = text;
  PathStep step;
  step.name = text;
  out.steps.push_back(std::move(step));
  return out;
}

Result<RootPattern> RecordReader::root(std::string_view, std::vector<SpacePrefix>&) const {
  return Error{Errc::invalid, "messages of this format have no name"};
}

void RecordFile::begin_file(std::string_view message) {
  message_ = message;
  record_ = {};
  line_ = 1;
  data_records_ = 0;
  footer_seen_ = false;
}

void RecordFile::begin_record(std::size_t begin, std::size_t end, std::size_t line) {
  record_ = message_.substr(begin, end - begin);
  line_ = static_cast<int>(line);
  plain_ = is_plain_ascii(record_);
}

void RecordFile::note(std::string_view code, std::string detail, std::size_t offset) {
  positions_.reset(record_, {record_.empty() ? offset : offset_of(record_), line_,
                             plan_.charset != Charset::utf_8});
  const TextPosition at = positions_.at(offset);
  issue_ = {std::string(code), std::move(detail), {at.line, at.column, {}}, {}};
}

RecordCursor::Step RecordFile::broken(std::string_view code, std::string_view detail,
                                      std::size_t offset) {
  note(code, std::string(detail), offset);
  return Step::broken;
}

RecordCursor::Step RecordFile::rejected(std::string_view code, std::string detail,
                                        std::size_t offset) {
  note(code, std::move(detail), offset);
  return Step::rejected;
}

RecordCursor::Step RecordFile::rejected_as_no_text(std::size_t offset) {
  return rejected("charset-violated", kNoText, offset);
}

RecordCursor::Step RecordFile::end_of_file(bool has_footer) {
  if (has_footer && !footer_seen_) {
    return rejected("footer-missing",
                    "The file ends without its last record: it may have been cut off.",
                    message_.size());
  }
  // A last record says that there is nothing; a file without one may have lost everything.
  if (!has_footer && data_records_ == 0) {
    return rejected("record-missing", "The file holds no record.", message_.size());
  }
  return Step::done;
}

bool RecordFile::tell(Walk& walk, int node, std::string_view name, std::string_view text,
                      std::size_t offset) {
  if (!plain_) {
    const std::optional<std::string_view> utf8 = decoded(text);
    if (!utf8) {
      note("charset-violated", kNoText, offset);
      issue_.at.path = name;
      return false;
    }
    text = *utf8;
  }
  if (node >= 0 && !text.empty()) walk.value(node, text, offset);
  return true;
}

std::optional<std::string_view> RecordFile::decoded(std::string_view text) {
  decoded_.clear();
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    if (decode(plan_.charset, text.substr(0, end), decoded_)) return std::nullopt;
    if (end == text.npos) break;
    decoded_ += text[end];
    text.remove_prefix(end + 1);
  }
  return decoded_;
}

bool RecordFile::is_count(std::string_view text) const {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, count);
  return parsed.ec == std::errc() && parsed.ptr == end && count == data_records_;
}

}  // namespace flora::adapter
