#include "adapters/formats/csv_reader.h"

#include <algorithm>

#include "adapters/engine/function_kinds.h"
#include "adapters/engine/walk.h"
#include "adapters/formats/record_file.h"

namespace flora::adapter {
namespace {

class CsvFile final : public RecordFile {
 public:
  explicit CsvFile(const Plan& plan) : RecordFile(plan) {
    for (const std::string& column : plan.csv.columns) {
      nodes_.push_back(node_of(plan.messages.front(), column));
    }
  }

  void reset(std::string_view message) override {
    begin_file(message);
    const CsvInput& csv = plan_.csv;
    scanner_.reset(message, plan_.charset, {csv.delimiter, csv.quote},
                   {plan_.limits.record_bytes, kMostColumns});
    column_at_.clear();
    header_ = {};
    if (csv.header) return;
    for (std::size_t i = 0; i < csv.columns.size(); ++i) column_at_.push_back(static_cast<int>(i));
  }

  std::string_view header() const override { return header_; }

  Step next(Walk& walk) override {
    if (column_at_.empty()) {
      if (const std::optional<Step> problem = header()) return *problem;
    }
    for (;;) {
      const RecordToken token = scanner_.next();
      if (token == RecordToken::done) return end();
      begin_record(scanner_.begin_offset(), scanner_.end_offset(), scanner_.line());
      if (footer_seen_) {
        return rejected("footer-not-last", "Nothing may stand behind the last record of the file.",
                        scanner_.begin_offset());
      }
      if (token == RecordToken::error) return faulty();
      if (scanner_.fields().size() != column_at_.size()) {
        ++data_records_;
        return broken("csv-columns",
                      "The record has more or fewer fields than the file has columns.",
                      scanner_.begin_offset());
      }
      if (!is_footer()) return data(walk);
      if (const std::optional<Step> problem = footer()) return *problem;
    }
  }

 private:
  static constexpr std::size_t kMostColumns = 256;
  static constexpr int kOther = -1;  // A column that the bundle does not name.

  Step faulty() {
    const RecordError& error = scanner_.error();
    if (scanner_.fatal()) return rejected(error.code, std::string(error.reason), error.offset);
    ++data_records_;
    return broken(error.code, error.reason, error.offset);
  }

  Step end() { return end_of_file(plan_.csv.footer.has_value()); }

  // Finds out where each column of the bundle stands.
  std::optional<Step> header() {
    const RecordToken token = scanner_.next();
    if (token == RecordToken::done) {
      return rejected("csv-column-missing", "The file is empty.", 0);
    }
    begin_record(scanner_.begin_offset(), scanner_.end_offset(), scanner_.line());
    header_ = record();
    if (token == RecordToken::error) {
      return rejected(scanner_.error().code, std::string(scanner_.error().reason),
                      scanner_.error().offset);
    }
    const std::vector<std::string>& known = plan_.csv.columns;
    for (const CsvScanner::Field& field : scanner_.fields()) {
      std::optional<std::string_view> name = decoded(field.text);
      if (!name) return rejected_as_no_text(field.offset);
      texts::nfc({}, *name, scratch_);
      const auto found = std::find(known.begin(), known.end(), *name);
      const int number = found == known.end() ? kOther : static_cast<int>(found - known.begin());
      if (number == kOther && !plan_.csv.other_columns) {
        return rejected("csv-column-unknown",
                        "The adapter does not know this column of the header.", field.offset);
      }
      if (number != kOther && std::ranges::find(column_at_, number) != column_at_.end()) {
        return rejected("csv-column-repeated", "The column occurs twice in the header.",
                        field.offset);
      }
      column_at_.push_back(number);
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (std::ranges::find(column_at_, static_cast<int>(i)) != column_at_.end()) continue;
      return rejected("csv-column-missing", "The header lacks the column \"" + known[i] + "\".",
                      scanner_.begin_offset());
    }
    return std::nullopt;
  }

  std::string_view field(int column) const {
    const auto at = std::ranges::find(column_at_, column) - column_at_.begin();
    return scanner_.fields()[static_cast<std::size_t>(at)].text;
  }

  bool is_footer() const {
    const auto& footer = plan_.csv.footer;
    return footer && field(footer->column) == footer->text;
  }

  std::optional<Step> footer() {
    footer_seen_ = true;
    for (const CsvScanner::Field& field : scanner_.fields()) {
      if (!decoded(field.text)) return rejected_as_no_text(field.offset);
    }
    const int count = plan_.csv.footer->count;
    if (count < 0 || is_count(field(count))) return std::nullopt;
    return rejected("footer-count",
                    "The last record does not give the number of records before it.",
                    scanner_.begin_offset());
  }

  Step data(Walk& walk) {
    ++data_records_;
    walk.reset_record(plan_, message_, scanner_.begin_offset());
    for (std::size_t i = 0; i < column_at_.size(); ++i) {
      const CsvScanner::Field& field = scanner_.fields()[i];
      const auto column = static_cast<std::size_t>(column_at_[i]);
      const bool known = column_at_[i] != kOther;
      if (!tell(walk, known ? nodes_[column] : -1, known ? plan_.csv.columns[column] : "",
                field.text, field.offset)) {
        return Step::broken;
      }
    }
    return Step::record;
  }

  CsvScanner scanner_;
  Scratch scratch_;
  std::string_view header_;
  std::vector<int> nodes_;      // Of each column of the bundle, in the walk.
  std::vector<int> column_at_;  // Which column of the bundle each field of the file is.
};

}  // namespace

std::unique_ptr<RecordCursor> CsvReader::records(const Plan& plan) const {
  return std::make_unique<CsvFile>(plan);
}

}  // namespace flora::adapter
