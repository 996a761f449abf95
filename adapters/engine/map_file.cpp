#include "adapters/engine/map_file.h"

#include <algorithm>
#include <array>

#include "gateway/base/bytes.h"
#include "gateway/model/time.h"

namespace flora::adapter {
namespace {

constexpr std::string_view kHead = "source;target;comment";
constexpr std::string_view kDatedHead = "source;target;valid_from;valid_to;comment";

class MapFile {
 public:
  MapFile(const std::string& file, Bundle& bundle, Map& out)
      : file_(file), bundle_(bundle), out_(out) {}

  void read(std::string_view text);

 private:
  struct Line {
    Map::Row row;
    int number = 0;
  };

  void head(std::string_view text);
  void line(std::string_view text);
  void days(std::string_view first, std::string_view last, Map::Row& row);
  void check_target(const std::string& target);
  void keep();
  void error(Mistake mistake, std::string_view what) {
    bundle_.errors.error({number_, 1}, mistake, what, file_);
  }

  const std::string& file_;
  Bundle& bundle_;
  Map& out_;
  int number_ = 1;
  std::vector<Line> lines_;
};

void MapFile::read(std::string_view text) {
  for (; !text.empty(); ++number_) {
    const std::size_t end = text.find('\n');
    std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (number_ == 1) {
      head(row);
    } else {
      line(row);
    }
  }
  number_ = 1;
  if (lines_.empty()) error(Mistake::map_empty, "the code list is empty");
  keep();
}

void MapFile::head(std::string_view text) {
  out_.dated = text == kDatedHead;
  if (text != kHead && !out_.dated) {
    error(Mistake::map_head,
          "the first line must be source;target;comment or "
          "source;target;valid_from;valid_to;comment");
  }
}

void MapFile::line(std::string_view text) {
  std::array<std::string_view, 4> fields;
  const std::size_t wanted = out_.dated ? 4 : 2;
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::size_t end = text.find(';');
    fields[i] = text.substr(0, end);
    if (end == std::string_view::npos || (i < 2 && end == 0)) {
      return error(Mistake::map_line,
                   out_.dated
                       ? "a line is source;target;valid_from;valid_to;comment, and source "
                         "and target must not be empty"
                       : "a line is source;target;comment, and only the comment may be empty");
    }
    text.remove_prefix(end + 1);
  }
  Line fresh;
  fresh.number = number_;
  fresh.row.source = fields[0];
  fresh.row.target = fields[1];
  if (!is_utf8(fields[0]) || !is_utf8(fields[1]) || !is_utf8(text))
    error(Mistake::map_encoding, "the line is not UTF-8");
  check_target(fresh.row.target);
  days(fields[2], fields[3], fresh.row);
  lines_.push_back(std::move(fresh));
}

void MapFile::days(std::string_view first, std::string_view last, Map::Row& row) {
  const auto read = [&](std::string_view text, std::string_view name, Day& out) {
    if (text.empty()) return;
    const std::optional<Day> day = parse_day(text);
    if (!day) error(Mistake::map_day, std::string(name) + " is a day like 2026-01-31, or empty");
    out = day.value_or(out);
  };
  read(first, "valid_from", row.first);
  read(last, "valid_to", row.last);
  if (row.last < row.first) error(Mistake::map_day, "valid_to is before valid_from");
}

void MapFile::check_target(const std::string& target) {
  if (!out_.to_status || bundle_.types == nullptr) return;
  const auto& statuses = bundle_.types->statuses;
  if (std::none_of(statuses.begin(), statuses.end(),
                   [&](const auto& status) { return status.name == target; })) {
    error(Mistake::map_target, "\"" + target + "\" is no status");
  }
}

// Sorts the rows. Of one source, no two may hold on the same day.
void MapFile::keep() {
  std::stable_sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
    return a.row.source != b.row.source ? a.row.source < b.row.source : a.row.first < b.row.first;
  });
  const Line* widest = nullptr;  // Of the source at hand, the line that holds longest.
  for (const Line& line : lines_) {
    const bool same = widest != nullptr && widest->row.source == line.row.source;
    if (same && line.row.first <= widest->row.last) {
      number_ = std::max(line.number, widest->number);
      error(Mistake::map_source_twice,
            out_.dated ? "the source is valid already on a day of this line, by line " +
                             std::to_string(std::min(line.number, widest->number))
                       : "the source occurs twice");
    }
    if (!same || widest->row.last < line.row.last) widest = &line;
  }
  for (Line& line : lines_) out_.rows.push_back(std::move(line.row));
}

}  // namespace

void read_map(std::string_view text, const std::string& file, Bundle& bundle, Map& out) {
  MapFile(file, bundle, out).read(text);
}

}  // namespace flora::adapter
