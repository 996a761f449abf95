#include "gateway/audit/check.h"

#include <utility>

#include "gateway/audit/chain.h"

namespace flora::audit {
namespace {

constexpr std::size_t kMaxFindings = 100;

// Calls use(line) for each line; false if the text does not end in a line feed.
template <typename Use>
bool for_each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return false;
    use(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return true;
}

std::string number(std::int64_t value) { return std::to_string(value); }

}  // namespace

Check::Check(ledger::NoteVerifier verifier)
    : verifier_(std::move(verifier)), head_(first_head(verifier_.name)) {
  moved_on();
}

void Check::find(std::string what) {
  if (report_.findings.size() < kMaxFindings) report_.findings.push_back(std::move(what));
}

void Check::signed_head(const std::optional<std::string>& note) {
  no_signed_head_ = !note;
  if (!note) return;
  const auto head = open_head(*note, verifier_);
  if (!head) return find("the file of the last head: " + head.error().message);
  signed_ = *head;
  moved_on();
}

void Check::segments(const std::vector<SealedSegment>& segments) {
  AuditHead before = first_head(verifier_.name);
  for (const SealedSegment& one : segments) {
    const auto segment = open_seal(one.seal, verifier_);
    const std::string name = "segment " + number(one.number);
    if (!segment) {
      find(name + ": the seal is " + segment.error().message);
      continue;
    }
    const auto expected = static_cast<std::int64_t>(sealed_.size()) + 1;
    if (one.number != expected || segment->number != expected) {
      find(name + ": segment " + number(expected) + " should stand here");
    }
    if (segment->before != before) find(name + ": it does not follow the segment before it");
    if (one.deleted && !sealed_.empty() && !sealed_.back().deleted) {
      find(name + ": it is gone, and an older one is not");
    }
    before = segment->last;
    sealed_.push_back({*segment, one.deleted});
  }
  report_.segments = static_cast<std::int64_t>(sealed_.size());
  skip_deleted();
}

bool Check::is_deleted(std::int64_t segment) const {
  return segment >= 1 && segment <= static_cast<std::int64_t>(sealed_.size()) &&
         sealed_[static_cast<std::size_t>(segment) - 1].deleted.has_value();
}

// The heads of segments whose records are gone are known by their seals.
void Check::skip_deleted() {
  while (next_segment_ < sealed_.size() && sealed_[next_segment_].deleted) {
    ++report_.deleted;
    head_ = sealed_[next_segment_].segment.last;
    at_ = sealed_[next_segment_].segment.end;
    moved_on();
    ++next_segment_;
  }
}

// Compares with the signed head where its number is reached.
void Check::moved_on() {
  if (!signed_ || signed_seen_ || head_.number != signed_->number) return;
  signed_seen_ = true;
  if (head_ != *signed_) {
    find("record " + number(head_.number) + ": another head was signed behind it");
  }
}

void Check::group(const AuditGroup& group) {
  if (is_deleted(group.segment)) return;  // Its deletion is under way.
  begin_group(group);
  const bool whole =
      for_each_line(group.records, [&](std::string_view line) { record(line, group.at); });
  const std::string name = "the group of records up to " + number(group.last.number);
  if (!whole || group.records.empty()) find(name + ": its text does not end in a line feed");
  if (head_ != group.last) {
    find(name + ": its records do not lead to the head that is kept with it");
    head_ = group.last;  // To go on with what follows.
  }
  close_segment();
}

// What is kept beside the records must say what they say.
void Check::begin_group(const AuditGroup& group) {
  const auto first =
      parse_record(std::string_view(group.records).substr(0, group.records.find('\n')));
  if (first && first->number != group.first) {
    find("record " + number(first->number) + ": it is kept as number " + number(group.first));
  }
  const auto expected = static_cast<std::int64_t>(next_segment_) + 1;
  if (group.segment != expected) {
    find("record " + number(group.first) + ": it stands in segment " + number(group.segment) +
         " instead of " + number(expected));
  }
}

void Check::record(std::string_view line, Instant at) {
  const auto parsed = parse_record(line);
  if (!parsed) {
    find("record " + number(head_.number + 1) + ": " + parsed.error().message);
    head_ = {head_.number + 1, next_hash(head_.hash, line)};
    return;
  }
  const bool goes_on = parsed->action == to_string(Action::continued);
  if (parsed->number != head_.number + 1 || goes_on) open(*parsed);
  if (parsed->at != at) find("record " + number(parsed->number) + ": it is kept with another time");
  if (parsed->at < at_) find("record " + number(parsed->number) + ": it is older than the last");
  if (parsed->action == to_string(Action::segment_deleted)) {
    recorded_deletions_[parsed->segment] = parsed->at;
  }
  at_ = parsed->at;
  if (next_segment_ < sealed_.size()) {
    const AuditSegment& segment = sealed_[next_segment_].segment;
    if (parsed->number == segment.first && at_ != segment.begin) {
      find("segment " + number(segment.number) + ": it does not begin when its seal says");
    }
  }
  head_ = {parsed->number, next_hash(head_.hash, line)};
  ++report_.records;
  moved_on();
}

// A record that does not follow the last one, or says that it need not.
void Check::open(const Record& record) {
  const std::string gap =
      "records " + number(head_.number + 1) + " to " + number(record.number - 1) + " are missing";
  const bool said = record.action == to_string(Action::continued) && record.after == head_.number &&
                    record.number > head_.number;
  if (!said) {
    return find(record.number > head_.number
                    ? gap
                    : "record " + number(record.number) + ": it follows " + number(head_.number));
  }
  report_.notes.push_back("record " + number(record.number) + ": an operator let the trail go on" +
                          (record.number > head_.number + 1 ? "; " + gap : std::string()));
}

void Check::close_segment() {
  if (next_segment_ >= sealed_.size()) return;
  const AuditSegment& segment = sealed_[next_segment_].segment;
  if (head_.number < segment.last.number) return;
  const std::string name = "segment " + number(segment.number);
  if (head_ != segment.last) find(name + ": it does not end with the head of its seal");
  if (at_ != segment.end) find(name + ": it does not end when its seal says");
  head_ = segment.last;
  ++next_segment_;
  skip_deleted();
}

// A segment goes after its end, with a record that says so. Only where that record has gone in its
// turn, with a later segment, it cannot be asked for; so that the last one to go always has its
// own.
void Check::check_deletions() {
  Instant gone_until;
  for (const Sealed& one : sealed_) {
    if (one.deleted) gone_until = one.segment.end;
  }
  for (const Sealed& one : sealed_) {
    if (!one.deleted) continue;
    const std::string name = "segment " + number(one.segment.number);
    if (*one.deleted <= one.segment.end) find(name + ": it is gone since before its end");
    if (*one.deleted <= gone_until) continue;
    const auto recorded = recorded_deletions_.find(one.segment.number);
    const bool stands = recorded != recorded_deletions_.end() && recorded->second == *one.deleted;
    if (!stands) find(name + ": it is gone, and no record says so");
  }
}

CheckReport Check::finish() {
  for (; next_segment_ < sealed_.size(); ++next_segment_) {
    if (sealed_[next_segment_].deleted) continue;
    find("segment " + number(sealed_[next_segment_].segment.number) +
         ": records are missing at its end");
  }
  check_deletions();
  if (no_signed_head_ && (head_.number > 0)) {
    find("the file of the last head is missing: a trail without its end would not be noticed");
  }
  if (signed_ && signed_->number > head_.number) {
    find("records " + number(head_.number + 1) + " to " + number(signed_->number) +
         " were signed and are missing");
  } else if (signed_ && !signed_seen_ && report_.records > 0 && report_.deleted == 0) {
    find("no record has the number of the signed head, " + number(signed_->number));
  }
  report_.head = head_;
  return std::move(report_);
}

SegmentCheck::SegmentCheck(const AuditSegment& segment)
    : segment_(segment), head_(segment.before) {}

void SegmentCheck::record(std::string_view line) {
  const auto parsed = parse_record(line);
  numbered_ = numbered_ && parsed && parsed->number > head_.number;
  head_ = {parsed ? parsed->number : head_.number + 1, next_hash(head_.hash, line)};
}

Result<void> SegmentCheck::finish() const {
  if (numbered_ && head_ == segment_.last) return {};
  return Error{Errc::corrupt, "the records of segment " + number(segment_.number) +
                                  " do not lead to the head of its seal"};
}

}  // namespace flora::audit
