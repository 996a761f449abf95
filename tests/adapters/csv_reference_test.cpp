// Differential test: CsvScanner against a simple reader that looks at one byte after the other.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "adapters/formats/record_scanner.h"

namespace flora::adapter {
namespace {

struct Field {
  std::string text;
  std::size_t offset;
  bool quoted;
  bool operator==(const Field&) const = default;
};

struct Record {
  std::vector<Field> fields;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t line = 0;
  std::string code;  // Empty: no fault.
  std::size_t fault = 0;
  bool fatal = false;
  bool operator==(const Record&) const = default;
};

struct Settings {
  Charset charset = Charset::utf_8;
  CsvDialect dialect;
  CsvLimits limits;
};

class SlowReader {
 public:
  SlowReader(std::string text, const Settings& settings)
      : text_(std::move(text)), settings_(settings) {}

  std::vector<Record> read() {
    const bool marked = text_.starts_with("\xEF\xBB\xBF");
    std::size_t at = marked ? 3 : 0;
    bool refuse_mark = marked && settings_.charset != Charset::utf_8;
    std::vector<Record> records;
    while (refuse_mark || !only_line_ends_from(at)) {
      record_ = {};
      record_.begin = refuse_mark ? 0 : at;
      record_.line = line_;
      if (refuse_mark) fault(0, "csv-unexpected-bom");
      refuse_mark = false;
      at = read_record(at);
      if (!record_.code.empty()) record_.fields.clear();
      records.push_back(record_);
      if (record_.fatal) break;
    }
    return records;
  }

 private:
  enum class State { field_begins, in_plain, in_quoted, behind_quote };

  bool only_line_ends_from(std::size_t at) const {
    while (at < text_.size()) {
      if (line_end_size(at) == 0) return false;
      at += line_end_size(at);
    }
    return true;
  }

  std::size_t line_end_size(std::size_t at) const {
    if (text_[at] == '\n') return 1;
    return text_.compare(at, 2, "\r\n") == 0 ? 2 : 0;
  }

  void fault(std::size_t at, const std::string& code) {
    if (!record_.code.empty()) return;
    record_.code = code;
    record_.fault = at;
  }

  void finish_field(const std::string& text, std::size_t offset, bool quoted) {
    record_.fields.push_back({text, offset, quoted});
    if (record_.fields.size() > settings_.limits.columns) fault(offset, "csv-too-many-columns");
  }

  std::size_t finish_record(std::size_t at) {
    record_.end = at;
    if (record_.end - record_.begin > settings_.limits.record_bytes) {
      fault(record_.begin + settings_.limits.record_bytes, "csv-record-too-long");
    } else if (record_.end == record_.begin) {
      fault(at, "csv-empty-record");
    }
    if (at == text_.size()) return at;
    ++line_;
    return at + line_end_size(at);
  }

  std::size_t skip_line(std::size_t at) {
    while (at < text_.size() && line_end_size(at) == 0) ++at;
    return finish_record(at);
  }

  // Line ends at the very end belong to the last record: the text of a record cannot reach there.
  std::size_t read_record(std::size_t at) {
    State state = State::field_begins;
    std::string text;
    std::size_t offset = at;
    std::size_t open_quote = 0;
    for (;; ++at) {
      const bool over = at == text_.size();
      const char c = over ? '\0' : text_[at];
      const bool quote = !over && settings_.dialect.quote == c;
      if (state == State::in_quoted) {
        if (over || (c == '\n' && at - open_quote > settings_.limits.record_bytes)) break;
        if (quote && text_.compare(at, 2, std::string(2, c)) == 0) {
          text += c;
          ++at;
        } else if (quote) {
          state = State::behind_quote;
        } else {
          if (c == '\0') fault(at, "csv-nul");
          if (c == '\r' && line_end_size(at) == 0) fault(at, "csv-bare-cr");
          if (c == '\n') ++line_;
          text += c;
        }
        continue;
      }
      if (state == State::field_begins && quote) {
        state = State::in_quoted;
        open_quote = at;
        offset = at + 1;
        continue;
      }
      if (over || line_end_size(at) > 0) {
        finish_field(text, offset, state == State::behind_quote);
        return finish_record(at);
      }
      if (c == settings_.dialect.delimiter) {
        finish_field(text, offset, state == State::behind_quote);
        text.clear();
        offset = at + 1;
        state = State::field_begins;
        continue;
      }
      if (state == State::behind_quote) {
        finish_field(text, offset, true);
        fault(at, c == '\r' ? "csv-bare-cr" : "csv-text-after-quote");
        return skip_line(at);
      }
      state = State::in_plain;
      if (c == '\0') fault(at, "csv-nul");
      if (c == '\r') fault(at, "csv-bare-cr");
      if (quote) {
        fault(at, "csv-stray-quote");
        return skip_line(at);
      }
      text += c;
    }
    record_.code = "csv-unclosed-quote";
    record_.fault = open_quote;
    record_.fatal = true;
    record_.end = text_.size();
    return text_.size();
  }

  std::string text_;
  Settings settings_;
  std::size_t line_ = 1;
  Record record_;
};

std::vector<Record> by_scanner(const std::string& text, const Settings& settings) {
  static CsvScanner scanner;
  scanner.reset(text, settings.charset, settings.dialect, settings.limits);
  std::vector<Record> records;
  for (RecordToken token = scanner.next(); token != RecordToken::done; token = scanner.next()) {
    Record record;
    record.begin = scanner.begin_offset();
    record.end = scanner.end_offset();
    record.line = scanner.line();
    record.code = scanner.error().code;
    record.fault = scanner.error().offset;
    record.fatal = scanner.fatal();
    for (const CsvScanner::Field& field : scanner.fields()) {
      record.fields.push_back({std::string(field.text), field.offset, field.quoted});
    }
    if ((token == RecordToken::error) == record.code.empty()) FAIL_CHECK("an error without code");
    records.push_back(record);
  }
  return records;
}

struct Tally {
  int texts = 0;
  int records = 0;
  int faults = 0;

  void compare(const std::string& text, const Settings& settings) {
    const std::vector<Record> expected = SlowReader(text, settings).read();
    ++texts;
    for (const Record& record : expected) {
      ++records;
      faults += !record.code.empty();
    }
    if (by_scanner(text, settings) != expected) FAIL_CHECK("read otherwise: " << text);
  }
};

const std::vector<std::string>& samples() {
  static const std::vector<std::string> all = {
      "Vorgang;Status;Datum;Behoerde\r\nV-1;AE;01.02.2026;000250\r\nV-2;AE;02.02.2026;000250\r\n",
      "a;\"b;c\";d\n\"e\"\"f\";\"\";\"g\nh\r\ni\"\nj;k;l\n\n",
      "\xEF\xBB\xBF\"a\";\"b\"\r\n\"c\";\"d\"",
      "x;y\n\n\"z\";\"w\"\n;;;\n\"a\"b;c\nd\"e;f\n\"g\";h\r\ni\rj;k\n\"l\nm",
  };
  return all;
}

const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {
      ";", "\"", "\"\"",  "\n",     "\r\n", "\r", "\n\n",     std::string(1, '\0'),
      "x", ",",  "\";\"", "\"\n\"", "\xE4", "'",  "some text"};
  return all;
}

std::vector<Settings> all_settings() {
  std::vector<Settings> all;
  for (const Charset charset : {Charset::utf_8, Charset::windows_1252}) {
    for (const CsvDialect& dialect :
         {CsvDialect{}, CsvDialect{',', '\''}, CsvDialect{';', std::nullopt}}) {
      all.push_back({charset, dialect, {}});
      all.push_back({charset, dialect, {.record_bytes = 20, .columns = 3}});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a text that is cut at any byte is read as the slow reader reads it") {
  Tally tally;
  for (const Settings& settings : all_settings()) {
    for (const std::string& sample : samples()) {
      for (std::size_t n = 0; n <= sample.size(); ++n) tally.compare(sample.substr(0, n), settings);
    }
  }
  CHECK(tally.records > 1000);
  CHECK(tally.faults > 500);
}

TEST_CASE("a text with a piece put in anywhere is read as the slow reader reads it") {
  Tally tally;
  for (const Settings& settings : all_settings()) {
    for (const std::string& sample : samples()) {
      for (std::size_t at = 0; at <= sample.size(); ++at) {
        for (const std::string& piece : pieces()) {
          tally.compare(sample.substr(0, at) + piece + sample.substr(at), settings);
        }
      }
    }
  }
  CHECK(tally.faults > 10000);
}

TEST_CASE("random texts are read as the slow reader reads them") {
  std::mt19937 random(20260417);
  const auto pick = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::vector<Settings> settings = all_settings();
  Tally tally;
  for (int round = 0; round < 40000; ++round) {
    std::string text = pick(20) == 0 ? "\xEF\xBB\xBF" : "";
    for (std::size_t n = pick(60); n > 0; --n) {
      text += pick(3) == 0 ? pieces()[pick(pieces().size())] : std::string(pick(20), 'x') + ";";
    }
    tally.compare(text, settings[pick(settings.size())]);
  }
  CHECK(tally.records > 40000);
  CHECK(tally.faults > 10000);
}

TEST_CASE("records that a writer quoted are read back, and cover the file") {
  std::mt19937 random(7);
  const auto pick = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    std::vector<std::vector<std::string>> written(1 + pick(8));
    for (std::vector<std::string>& record : written) {
      record.resize(2 + pick(4));
      for (std::string& value : record) {
        for (std::size_t n = pick(30); n > 0; --n) value += "ab;\"\n ,x"[pick(8)];
        std::string quoted = "\"";
        for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
        text += (&value == &record[0] ? "" : ";") + quoted + "\"";
      }
      text += pick(2) == 0 ? "\n" : "\r\n";
    }
    std::size_t read = 0;
    for (const Record& record : by_scanner(text, {})) {
      std::vector<std::string> values;
      for (const Field& field : record.fields) values.push_back(field.text);
      REQUIRE(read < written.size());
      CHECK(values == written[read++]);
    }
    CHECK(read == written.size());
  }
}

}  // namespace flora::adapter
