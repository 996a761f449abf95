#include "adapters/formats/fixed_reader.h"

#include "adapters/engine/walk.h"
#include "adapters/formats/record_file.h"

namespace flora::adapter {
namespace {

std::string_view without_padding(std::string_view text) {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

class FixedFile final : public RecordFile {
 public:
  explicit FixedFile(const Plan& plan) : RecordFile(plan) {
    for (const FixedInput::Field& field : plan.fixed.fields) {
      nodes_.push_back(node_of(plan.messages.front(), field.name));
    }
  }

  void reset(std::string_view message) override {
    begin_file(message);
    scanner_.reset(message, plan_.charset, plan_.fixed.length,
                   plan_.fixed.line_ends ? FixedForm::lines : FixedForm::adjacent);
    header_seen_ = plan_.fixed.header.empty();
  }

  Step next(Walk& walk) override {
    for (;;) {
      const RecordToken token = scanner_.next();
      if (token == RecordToken::done) return end();
      begin_record(scanner_.begin_offset(), scanner_.end_offset(), scanner_.line());
      if (footer_seen_) {
        return rejected("footer-not-last", "Nothing may stand behind the last record of the file.",
                        scanner_.begin_offset());
      }
      if (!header_seen_) {
        if (token == RecordToken::error || !record_.starts_with(plan_.fixed.header)) {
          return without_header();
        }
        header_seen_ = true;
        if (const auto at = no_text_at()) return rejected_as_no_text(*at);
        continue;
      }
      if (token == RecordToken::error) {
        ++data_records_;
        return broken(scanner_.error().code, scanner_.error().reason, scanner_.error().offset);
      }
      const auto& last = plan_.fixed.footer;
      if (!last || !record_.starts_with(last->begins)) return data(walk);
      if (const std::optional<Step> problem = footer(*last)) return *problem;
    }
  }

 private:
  Step without_header() {
    return rejected("header-missing", "The file does not begin with the record that it should.",
                    offset_of(record_));
  }

  Step end() {
    if (!header_seen_) return rejected("header-missing", "The file is empty.", 0);
    return end_of_file(plan_.fixed.footer.has_value());
  }

  std::optional<Step> footer(const FixedInput::Footer& last) {
    footer_seen_ = true;
    if (const auto at = no_text_at()) return rejected_as_no_text(*at);
    if (!last.count || is_count(cut(*last.count))) return std::nullopt;
    return rejected("footer-count",
                    "The last record does not give the number of records before it.",
                    offset_of(record_));
  }

  std::string_view cut(const FixedInput::Field& field) const {
    return FixedScanner::cut(record_, plan_.charset, field.at, field.length);
  }

  // Where the first byte of the record is that is no text.
  std::optional<std::size_t> no_text_at() {
    const auto at = plain_ ? std::nullopt : first_no_text(record_);
    return at ? std::optional(offset_of(record_) + *at) : std::nullopt;
  }

  Step data(Walk& walk) {
    ++data_records_;
    if (const auto at = no_text_at()) {
      return broken("charset-violated", "The byte is no text in the character set of the file.",
                    *at);
    }
    walk.reset_record(plan_, message_, offset_of(record_));
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i] < 0) continue;
      const FixedInput::Field& field = plan_.fixed.fields[i];
      const std::string_view text = without_padding(cut(field));
      if (!tell(walk, nodes_[i], field.name, text, offset_of(text))) return Step::broken;
    }
    return Step::record;
  }

  FixedScanner scanner_;
  std::vector<int> nodes_;  // Of each field of the bundle, in the walk.
  bool header_seen_ = false;
};

}  // namespace

std::unique_ptr<RecordCursor> FixedReader::records(const Plan& plan) const {
  return std::make_unique<FixedFile>(plan);
}

}  // namespace flora::adapter
