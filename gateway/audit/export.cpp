#include "gateway/audit/export.h"

#include <utility>

#include "gateway/audit/record.h"
#include "gateway/base/json.h"

namespace flora::audit {
namespace {

constexpr std::size_t kMaxFaults = 100;
constexpr std::string_view kSeal = "seal";
constexpr std::string_view kStatement = "statement";

std::string line_of(std::string_view name, std::string_view note) {
  std::string out = "{";
  json::append_string(out, name);
  out += ':';
  json::append_string(out, note);
  return out + '}';
}

// The note in a line of this name; nothing if it is another line.
std::optional<std::string> note_in(const json::Value& line, std::string_view name) {
  const auto note = line.find(name);
  if (!note || !note->is(json::Kind::string)) return std::nullopt;
  return std::string(note->string());
}

// Numbers are left out only where an operator let the trail go on.
bool follows(const Record& record, const AuditHead& head) {
  const bool goes_on = record.action == to_string(Action::continued) && record.after == head.number;
  return record.number == head.number + 1 || goes_on;
}

std::string to_text(std::int64_t value) { return std::to_string(value); }

}  // namespace

ExportWriter::ExportWriter(const Trail& trail, ExportStatement statement)
    : trail_(trail), statement_(std::move(statement)) {
  statement_.lines = 0;
  statement_.content = trail_.first_head().hash;
}

std::string ExportWriter::line(std::string text) {
  ++statement_.lines;
  statement_.content = next_hash(statement_.content, text);
  text += '\n';
  return text;
}

std::string ExportWriter::seals(const std::vector<SealedSegment>& segments) {
  std::string out;
  for (const SealedSegment& one : segments) {
    const auto segment = trail_.open_seal(one.seal);
    const bool touched = segment && segment->last.number >= statement_.first &&
                         segment->first <= statement_.last && !one.deleted;
    if (touched) out += line(line_of(kSeal, one.seal));
  }
  return out;
}

std::string ExportWriter::record(std::string_view text) { return line(std::string(text)); }

std::string ExportWriter::finish() { return line_of(kStatement, trail_.sign(statement_)) + '\n'; }

ExportCheck::ExportCheck(ledger::NoteVerifier verifier)
    : verifier_(std::move(verifier)), content_(first_head(verifier_.name)) {
  head_ = content_;
}

void ExportCheck::find(std::string what) {
  if (report_.findings.size() < kMaxFaults) report_.findings.push_back(std::move(what));
}

void ExportCheck::line(std::string_view text) {
  thread_local json::Document document;
  const std::string name = "line " + to_text(content_.number + 1);
  if (ended_) return find(name + ": it stands behind the statement");
  if (!document.parse(text) || !document.root().is(json::Kind::object)) {
    find(name + ": it is no line of an export");
  } else if (const auto note = note_in(document.root(), kStatement)) {
    return statement(*note);
  } else if (const auto sealed = note_in(document.root(), kSeal)) {
    seal(*sealed);
  } else {
    record(text);
  }
  content_ = {content_.number + 1, next_hash(content_.hash, text)};
}

void ExportCheck::seal(std::string_view note) {
  const auto segment = open_seal(note, verifier_);
  const std::string name = "line " + to_text(content_.number + 1);
  if (!segment) return find(name + ": the seal is " + segment.error().message);
  const bool in_order = segments_.empty() || segment->number > segments_.back().number;
  if (!in_order || report_.records > 0)
    return find(name + ": the seal does not stand in its place");
  segments_.push_back(*segment);
}

void ExportCheck::record(std::string_view text) {
  const auto parsed = parse_record(text);
  const std::string name = "line " + to_text(content_.number + 1);
  if (!parsed) return find(name + ": " + parsed.error().message);
  if (parsed->number <= last_) return find(name + ": its record does not follow the one before");
  pass_seals(parsed->number);
  if (head_ && !follows(*parsed, *head_)) head_.reset();
  if (head_) head_ = {parsed->number, next_hash(head_->hash, text)};
  last_ = parsed->number;
  ++report_.records;
}

// Leaves the segments that end before the record, and takes the head that the record's own begins
// with where it is its first.
void ExportCheck::pass_seals(std::int64_t number) {
  while (next_segment_ < segments_.size() && segments_[next_segment_].last.number < number) {
    close_segment();
  }
  if (next_segment_ >= segments_.size()) return;
  const AuditSegment& segment = segments_[next_segment_];
  if (number == segment.first) head_ = AuditHead{number - 1, segment.before.hash};
}

void ExportCheck::close_segment() {
  const AuditSegment& segment = segments_[next_segment_++];
  if (!head_ || head_->number != segment.last.number) {
    ++report_.partial_segments;
  } else if (*head_ == segment.last) {
    ++report_.whole_segments;
  } else {
    find("segment " + to_text(segment.number) +
         ": its records do not lead to the head of its seal");
  }
}

void ExportCheck::statement(std::string_view note) {
  ended_ = true;
  const auto opened = open_statement(note, verifier_);
  if (!opened) return find("the statement is " + opened.error().message);
  report_.statement = *opened;
  if (content_ != AuditHead{opened->lines, opened->content}) {
    find("the lines are not those that the statement is about");
  }
  if (report_.records > 0 && last_ > opened->last) {
    find("record " + to_text(last_) + ": the statement is about records up to " +
         to_text(opened->last));
  }
  if (head_ && head_->number == opened->head.number && head_ != opened->head) {
    find("the records do not lead to the head of the trail that the statement names");
  }
}

ExportReport ExportCheck::finish() {
  while (next_segment_ < segments_.size()) close_segment();
  if (!ended_) find("the statement at the end is missing: the export is not complete");
  return std::move(report_);
}

}  // namespace flora::audit
