// CsvScanner: one pass over the special bytes (delimiter, quote, CR, LF, NUL), which are found in
// blocks of 64 bytes; all other bytes are never looked at one by one.
#include <bit>
#include <cassert>

#include "adapters/formats/block16.h"
#include "adapters/formats/record_scanner.h"

namespace flora::adapter {

namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::ptrdiff_t kBlock = 64;

std::string_view text_between(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

[[maybe_unused]] bool may_separate(char c) { return c > '\0' && c != '\r' && c != '\n'; }

std::string_view without_empty_lines_at_end(std::string_view text) {
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
  }
  return text;
}

}  // namespace

void CsvScanner::reset(std::string_view message, Charset charset, const CsvDialect& dialect,
                       const CsvLimits& limits) {
  assert(may_separate(dialect.delimiter));
  assert(!dialect.quote || (may_separate(*dialect.quote) && *dialect.quote != dialect.delimiter));
  const bool marked = message.starts_with(kUtf8Mark);
  const std::size_t first = marked ? kUtf8Mark.size() : 0;
  begin_ = message.data();
  message_end_ = begin_ + message.size();
  p_ = begin_ + first;
  end_ = p_ + without_empty_lines_at_end(message.substr(first)).size();
  unexpected_mark_ = marked && charset != Charset::utf_8;
  delimiter_ = dialect.delimiter;
  quote_ = dialect.quote.value_or(dialect.delimiter);
  limits_ = limits;
  block_ = p_;
  bits_ = specials(block_);
  record_begin_ = record_end_ = begin_;
  line_ = next_line_ = 1;
  doubled_quotes_ = fatal_ = false;
  fields_.clear();
  error_ = {};
}

RecordToken CsvScanner::next() {
  fields_.clear();
  error_ = {};
  doubled_quotes_ = false;
  line_ = next_line_;
  record_begin_ = record_end_ = p_;
  if (unexpected_mark_) {
    unexpected_mark_ = false;
    record_begin_ = begin_;
    note(begin_, "csv-unexpected-bom",
         "The file begins with a UTF-8 byte order mark, but another charset is declared.");
  } else if (fatal_ || p_ == end_) {
    record_begin_ = record_end_ = message_end_;
    return RecordToken::done;
  }
  for (const char* field = p_; field != nullptr;) {
    const bool quoted = field != end_ && *field == quote_ && quote_ != delimiter_;
    field = quoted ? quoted_field(field) : plain_field(field);
  }
  if (error_.code.empty()) {
    if (doubled_quotes_) fold_quotes();
    return RecordToken::record;
  }
  fields_.clear();
  return RecordToken::error;
}

// The special bytes of the block at `from`, one bit each.
std::uint64_t CsvScanner::specials(const char* from) const {
  std::uint64_t bits = 0;
  if (end_ - from >= kBlock) {
    for (int i = 0; i < 4; ++i) {
      const Block16 block(from + 16 * i);
      const Block16 found = block.equal(delimiter_) | block.equal(quote_) | block.equal('\n') |
                            block.equal('\r') | block.equal('\0');
      bits |= std::uint64_t{found.bits()} << (16 * i);
    }
    return bits;
  }
  for (std::ptrdiff_t i = 0; i < end_ - from; ++i) {
    const char c = from[i];
    const bool special = c == delimiter_ || c == quote_ || c == '\n' || c == '\r' || c == '\0';
    bits |= std::uint64_t{special} << i;
  }
  return bits;
}

// Each special byte once, in their order; then end_.
const char* CsvScanner::next_special() {
  while (bits_ == 0) {
    if (end_ - block_ <= kBlock) return end_;
    block_ += kBlock;
    bits_ = specials(block_);
  }
  const char* found = block_ + std::countr_zero(bits_);
  bits_ &= bits_ - 1;
  return found;
}

const char* CsvScanner::plain_field(const char* from) {
  for (;;) {
    const char* here = next_special();
    if (here == end_) {
      add_field(from, here, false);
      return end_record(here, here);
    }
    if (*here == delimiter_) {
      add_field(from, here, false);
      return here + 1;
    }
    switch (*here) {
      case '\n':
        add_field(from, here, false);
        return end_record(here, here + 1);
      case '\r':
        if (const char* behind = end_of_line_at(here)) {
          add_field(from, here, false);
          return end_record(here, behind);
        }
        break;
      case '\0':
        note(here, "csv-nul", "The record holds a NUL byte.");
        break;
      default:
        note(here, "csv-stray-quote",
             "A quote stands inside a field that does not begin with one.");
        return resume_at_next_line();
    }
  }
}

const char* CsvScanner::quoted_field(const char* from) {
  next_special();  // The quote at `from`.
  const char* close = closing_quote(from);
  if (close == nullptr) return nullptr;
  add_field(from + 1, close, true);
  const char* behind = close + 1;
  if (behind == end_) return end_record(behind, behind);
  if (*behind == delimiter_) return next_special() + 1;
  if (*behind == '\n') return end_record(behind, next_special() + 1);
  if (*behind == '\r') {
    next_special();
    if (const char* next = end_of_line_at(behind)) return end_record(behind, next);
  } else {
    note(behind, "csv-text-after-quote",
         "Only a delimiter or a line end may stand behind a closing quote.");
  }
  return resume_at_next_line();
}

// Nothing after give_up().
const char* CsvScanner::closing_quote(const char* from) {
  for (;;) {
    const char* here = next_special();
    if (here == end_) break;
    if (*here == quote_) {
      if (here + 1 == end_ || here[1] != quote_) return here;
      next_special();
      doubled_quotes_ = true;
    } else if (*here == '\n') {
      if (static_cast<std::size_t>(here - from) > limits_.record_bytes) break;
      ++next_line_;
    } else if (*here == '\r') {
      if (here + 1 == end_ || here[1] != '\n') {
        note(here, "csv-bare-cr", "A carriage return stands without a line feed.");
      }
    } else if (*here == '\0') {
      note(here, "csv-nul", "The record holds a NUL byte.");
    }
  }
  give_up(from);
  return nullptr;
}

void CsvScanner::add_field(const char* from, const char* to, bool quoted) {
  if (fields_.size() < limits_.columns) {
    fields_.push_back({text_between(from, to), at(from), quoted});
  } else {
    note(from, "csv-too-many-columns", "The record has too many fields.");
  }
}

void CsvScanner::note(const char* where, std::string_view code, std::string_view reason) {
  if (error_.code.empty()) error_ = {code, reason, at(where)};
}

const char* CsvScanner::end_record(const char* where, const char* behind) {
  record_end_ = where;
  p_ = behind;
  if (behind != where) ++next_line_;
  if (static_cast<std::size_t>(where - record_begin_) > limits_.record_bytes) {
    note(record_begin_ + limits_.record_bytes, "csv-record-too-long", "The record is too long.");
  } else if (where == record_begin_) {
    note(where, "csv-empty-record", "An empty line stands between records.");
  }
  return nullptr;
}

// Behind the CR LF at `carriage`; nothing, and a fault, if there is none.
const char* CsvScanner::end_of_line_at(const char* carriage) {
  if (carriage + 1 != end_ && carriage[1] == '\n') return next_special() + 1;
  note(carriage, "csv-bare-cr", "A carriage return stands without a line feed.");
  return nullptr;
}

const char* CsvScanner::resume_at_next_line() {
  const char* here = next_special();
  while (here != end_ && *here != '\n') here = next_special();
  if (here == end_) return end_record(here, here);
  return end_record(here[-1] == '\r' ? here - 1 : here, here + 1);
}

void CsvScanner::give_up(const char* quote) {
  error_ = {"csv-unclosed-quote", "A quoted field is not closed.", at(quote)};
  fatal_ = true;
  record_end_ = message_end_;
}

void CsvScanner::fold_quotes() {
  scratch_.clear();
  scratch_.reserve(static_cast<std::size_t>(record_end_ - record_begin_));  // No view may move.
  for (Field& field : fields_) {
    if (!field.quoted || field.text.find(quote_) == std::string_view::npos) continue;
    const std::size_t begin = scratch_.size();
    for (std::size_t i = 0; i < field.text.size(); ++i) {
      scratch_ += field.text[i];
      if (field.text[i] == quote_) ++i;
    }
    field.text = std::string_view(scratch_).substr(begin);
  }
}

}  // namespace flora::adapter
