// The audit's records, its chain, its seals, and the check that follows them.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/audit/check.h"
#include "gateway/audit/export.h"
#include "gateway/audit/query.h"
#include "gateway/audit/trail.h"
#include "gateway/base/crypto.h"

using namespace flora;
using Outcome = AuditEffect::Outcome;

namespace {

constexpr Instant kAt{1'793'690'130'123};  // 2026-11-03T07:15:30.123Z
const audit::Actor kActor{"land \"system\"", {"999902", "999907"}, "AE"};

audit::Trail trail_of(const std::string& origin, char seed) {
  auto key = crypto::Ed25519Key::from_seed(as_bytes(std::string(32, seed)));
  REQUIRE(key.has_value());
  return {origin, std::move(*key)};
}

const audit::Trail& trail() {
  static const audit::Trail one = trail_of("flora.example/test/audit", 'a');
  return one;
}

std::string reading(Outcome outcome) {
  AuditEffect effect;
  effect.outcome = outcome;
  return audit::body(audit::opening(kActor, audit::Action::read_procedure), effect);
}

/// What a store would keep: groups of records in segments.
struct Kept {
  std::vector<SealedSegment> segments;
  std::vector<AuditGroup> groups;
  AuditHead head = trail().first_head();
  AuditHead before = trail().first_head();
  std::int64_t segment = 1;
  std::int64_t first = 1;
  Instant begin;
  Instant at = kAt;

  void add(const std::vector<std::string>& bodies) {
    AuditGroup group;
    group.segment = segment;
    group.first = head.number + 1;
    group.at = at;
    for (const std::string& body : bodies) {
      const std::string line = trail().line(head.number + 1, at, body);
      head = {head.number + 1, trail().next_hash(head.hash, line)};
      group.records += line + '\n';
    }
    group.last = head;
    if (group.first == first) begin = at;
    groups.push_back(group);
    at.ms += 1000;
  }

  void seal() {
    const AuditSegment closed{segment, first, before, head, begin, groups.back().at};
    segments.push_back({segment++, trail().seal(closed), std::nullopt});
    before = head;
    first = head.number + 1;
  }

  audit::CheckReport check() const { return check(trail().sign(head)); }
  audit::CheckReport check(const std::optional<std::string>& signed_head) const {
    audit::Check check(trail().verifier());
    check.signed_head(signed_head);
    check.segments(segments);
    for (const AuditGroup& group : groups) check.group(group);
    return check.finish();
  }
};

/// Two sealed segments and an open one, of nine records in six groups.
Kept kept() {
  Kept made;
  made.add({reading(Outcome::found)});
  made.add({reading(Outcome::hidden), reading(Outcome::not_found)});
  made.seal();
  made.add({reading(Outcome::found), reading(Outcome::found)});
  made.add({reading(Outcome::refused)});
  made.seal();
  made.add({reading(Outcome::found), reading(Outcome::found)});
  made.add({reading(Outcome::found)});
  return made;
}

/// What the deletion of the first segment leaves behind.
Kept with_deletion() {
  Kept made = kept();
  made.segments[0].deleted = made.at;
  made.add({audit::body_of_deletion(1)});
  std::erase_if(made.groups, [](const AuditGroup& group) { return group.segment == 1; });
  return made;
}

bool is_found(const Kept& changed, std::string_view what) {
  for (const std::string& finding : changed.check(trail().sign(kept().head)).findings) {
    if (finding.find(what) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the text of a record") {
  AuditEffect effect;
  effect.outcome = Outcome::accepted;
  effect.procedures = {*parse_uuid("27fd4402-bff2-4bb0-9f54-09cd2721514f"),
                       *parse_uuid("0a0bd6a5-2f5a-4f0e-8d5c-6b1f0d2c9e77")};
  effect.transaction = parse_uuid("019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968");
  const std::string body = audit::body(audit::opening(kActor, audit::Action::merge), effect);
  CHECK(audit::line(17, kAt, body) ==
        R"({"n":17,"at":"2026-11-03T07:15:30.123Z","action":"MERGE","client":"land \"system\"",)"
        R"("authorities":["999902","999907"],"role":"AE","outcome":"ACCEPTED",)"
        R"("procedures":["27fd4402-bff2-4bb0-9f54-09cd2721514f",)"
        R"("0a0bd6a5-2f5a-4f0e-8d5c-6b1f0d2c9e77"],)"
        R"("transaction":"019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"})");

  AuditEffect search;
  search.outcome = Outcome::not_found;
  search.types = {IdentifierType::azr_nummer, IdentifierType::bamf_aktenzeichen};
  CHECK(audit::line(1, kAt, audit::body(audit::opening(kActor, audit::Action::search), search)) ==
        R"({"n":1,"at":"2026-11-03T07:15:30.123Z","action":"SEARCH","client":"land \"system\"",)"
        R"("authorities":["999902","999907"],"role":"AE","outcome":"NOT_FOUND",)"
        R"("types":["AZR_NUMMER","BAMF_AKTENZEICHEN"]})");

  AuditEffect entries;
  entries.outcome = Outcome::found;
  entries.entries = {512, 256};
  CHECK(audit::body("\"action\":\"READ_ENTRIES\"", entries) ==
        R"("action":"READ_ENTRIES","outcome":"FOUND","first":512,"count":256)");
  AuditEffect refused;
  refused.problem = "not-permitted";
  CHECK(audit::body("\"action\":\"REPORT\"", refused) ==
        R"("action":"REPORT","outcome":"REFUSED","problem":"not-permitted")");
  CHECK(audit::line(9, kAt, audit::body_of_deletion(3)) ==
        R"({"n":9,"at":"2026-11-03T07:15:30.123Z","action":"SEGMENT_DELETED","outcome":"DONE",)"
        R"("segment":3})");
  CHECK(audit::body_of_continuation(7, std::nullopt) ==
        R"("action":"CONTINUED","outcome":"DONE","after":7)");
}

TEST_CASE("a record is read again, and what is none is refused") {
  const auto record = audit::parse_record(audit::line(17, kAt, reading(Outcome::found)));
  REQUIRE(record.has_value());
  CHECK(record->number == 17);
  CHECK(record->at == kAt);
  CHECK(record->action == "READ_PROCEDURE");
  CHECK(record->client == "land \"system\"");
  CHECK(record->procedures.empty());
  for (const char* text :
       {"", "{}", "[]", R"({"n":0,"at":"2026-11-03T07:15:30.123Z","action":"REPORT"})",
        R"({"n":1,"at":"yesterday","action":"REPORT"})", R"({"n":1,"at":"2026-11-03T07:15:30Z"})",
        R"({"n":1,"at":"2026-11-03T07:15:30Z","action":"REPORT","procedures":["x"]})",
        R"({"n":1,"at":"2026-11-03T07:15:30Z","action":"REPORT","procedures":"x"})"}) {
    CHECK_FALSE(audit::parse_record(text).has_value());
  }
}

TEST_CASE("the chain's definition does not change") {
  CHECK(to_hex(audit::first_head("flora.example/test/audit").hash) ==
        to_hex(crypto::sha256("flora-audit v1\nflora.example/test/audit")));
  const Digest zero{};
  CHECK(to_hex(audit::next_hash(zero, "ab")) ==
        to_hex(crypto::sha256(std::string(32, '\0') + std::string(7, '\0') + "\x02" + "ab")));
}

TEST_CASE("a seal says what was sealed, to nobody but its own trail") {
  const Kept made = kept();
  const auto second = trail().open_seal(made.segments[1].seal);
  REQUIRE(second.has_value());
  CHECK(second->number == 2);
  CHECK(second->first == 4);
  CHECK(second->last.number == 6);
  CHECK(second->before.number == 3);
  CHECK(trail().open_head(trail().sign(made.head)).has_value());
  CHECK_FALSE(trail().open_head(made.segments[1].seal).has_value());
  CHECK_FALSE(trail().open_seal(trail().sign(made.head)).has_value());
  for (const audit::Trail& other :
       {trail_of("flora.example/test/audit", 'b'), trail_of("flora.example/other/audit", 'a')}) {
    CHECK_FALSE(other.open_seal(made.segments[1].seal).has_value());
  }
}

TEST_CASE("a whole trail is clean, also without the records of a deleted segment") {
  const audit::CheckReport whole = kept().check();
  CHECK(whole.clean());
  CHECK(whole.records == 9);
  CHECK(whole.segments == 2);
  CHECK(whole.head.number == 9);
  const audit::CheckReport shorter = with_deletion().check();
  for (const std::string& finding : shorter.findings) FAIL_CHECK(finding);
  CHECK(shorter.records == 7);
  CHECK(shorter.deleted == 1);
  CHECK(Kept{}.check().clean());
}

TEST_CASE("what was changed in the groups of a trail is found") {
  const Kept whole = kept();
  for (std::size_t g = 0; g < whole.groups.size(); ++g) {
    CAPTURE(g);
    for (std::size_t i = 0; i < whole.groups[g].records.size(); ++i) {
      Kept changed = whole;
      changed.groups[g].records[i] = static_cast<char>(changed.groups[g].records[i] ^ 1);
      if (changed.check().clean()) FAIL_CHECK("byte ", i, " is not noticed");
    }
    for (std::size_t i = 0; i < whole.head.hash.size(); ++i) {
      Kept changed = whole;
      changed.groups[g].last.hash[i] ^= std::byte{1};
      CHECK_FALSE(changed.check().clean());
    }
    for (const auto change : {&AuditGroup::segment, &AuditGroup::first}) {
      Kept changed = whole;
      changed.groups[g].*change += 1;
      CHECK_FALSE(changed.check().clean());
    }
    Kept changed = whole;
    changed.groups[g].last.number += 1;
    CHECK_FALSE(changed.check().clean());
    changed = whole;
    changed.groups[g].at.ms += 1;
    CHECK_FALSE(changed.check().clean());
    changed = whole;
    changed.groups.erase(changed.groups.begin() + static_cast<std::ptrdiff_t>(g));
    CHECK_FALSE(changed.check(trail().sign(whole.head)).clean());
  }
  for (std::size_t g = 0; g + 1 < whole.groups.size(); ++g) {
    Kept changed = whole;
    std::swap(changed.groups[g], changed.groups[g + 1]);
    CHECK_FALSE(changed.check().clean());
  }
}

TEST_CASE("what was changed in the seals of a trail is found") {
  for (const Kept& whole : {kept(), with_deletion()}) {
    for (std::size_t s = 0; s < whole.segments.size(); ++s) {
      CAPTURE(s);
      for (std::size_t i = 0; i < whole.segments[s].seal.size(); ++i) {
        Kept changed = whole;
        changed.segments[s].seal[i] = static_cast<char>(changed.segments[s].seal[i] ^ 1);
        if (changed.check().clean()) FAIL_CHECK("byte ", i, " is not noticed");
      }
      Kept changed = whole;
      changed.segments.erase(changed.segments.begin() + static_cast<std::ptrdiff_t>(s));
      CHECK_FALSE(changed.check().clean());
      changed = whole;
      changed.segments[s].number += 1;
      CHECK_FALSE(changed.check().clean());
    }
  }
}

TEST_CASE("a segment is not gone without a record of it") {
  Kept changed = kept();
  changed.segments[0].deleted = changed.at;
  std::erase_if(changed.groups, [](const AuditGroup& group) { return group.segment == 1; });
  CHECK(is_found(changed, "segment 1: it is gone, and no record says so"));
  changed.segments[0].deleted = Instant{1};
  CHECK(is_found(changed, "segment 1: it is gone since before its end"));
  changed = with_deletion();
  changed.segments[1].deleted = changed.segments[0].deleted;
  std::erase_if(changed.groups, [](const AuditGroup& group) { return group.segment == 2; });
  CHECK_FALSE(changed.check().clean());
  changed = kept();
  changed.segments[1].deleted = changed.at;
  std::erase_if(changed.groups, [](const AuditGroup& group) { return group.segment == 2; });
  CHECK(is_found(changed, "segment 2: it is gone, and an older one is not"));
  changed = with_deletion();
  changed.segments[0].deleted->ms += 1;
  CHECK_FALSE(changed.check().clean());
  changed = with_deletion();
  changed.segments[0].deleted.reset();
  CHECK_FALSE(changed.check().clean());
}

TEST_CASE("a trail that ends too early, or whose signed head is missing, is found") {
  Kept cut = kept();
  cut.groups.pop_back();
  CHECK(is_found(cut, "records 9 to 9 were signed and are missing"));
  cut.groups.pop_back();
  cut.groups.pop_back();
  CHECK(is_found(cut, "segment 2: records are missing at its end"));
  CHECK_FALSE(kept().check(std::nullopt).clean());
  CHECK_FALSE(kept().check("no note").clean());
  CHECK(Kept{}.check(std::nullopt).clean());
  // An older head is one that the trail has passed.
  AuditHead older = kept().groups[2].last;
  CHECK(kept().check(trail().sign(older)).clean());
  older.hash[0] ^= std::byte{1};
  CHECK_FALSE(kept().check(trail().sign(older)).clean());
}

TEST_CASE("a gap is a note where an operator has written it down, and a finding elsewhere") {
  Kept made = kept();
  const AuditHead known{42, {}};
  const std::string body = audit::body_of_continuation(made.head.number, known);
  const std::string line = trail().line(43, made.at, body);
  AuditGroup group;
  group.segment = made.segment;
  group.first = 43;
  group.at = made.at;
  group.last = {43, trail().next_hash(made.head.hash, line)};
  group.records = line + '\n';
  made.head = group.last;
  made.groups.push_back(group);
  const audit::CheckReport report = made.check();
  CHECK(report.clean());
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0].find("records 10 to 42 are missing") != std::string::npos);
  // The same at another place says nothing.
  made.groups.erase(made.groups.end() - 2);
  CHECK_FALSE(made.check().clean());
}

TEST_CASE("an exported segment is checked by itself") {
  const Kept made = kept();
  const auto segment = trail().open_seal(made.segments[1].seal);
  std::vector<std::string> lines;
  for (const AuditGroup& group : made.groups) {
    if (group.segment != 2) continue;
    for (std::size_t at = 0; at < group.records.size();) {
      const std::size_t end = group.records.find('\n', at);
      lines.push_back(group.records.substr(at, end - at));
      at = end + 1;
    }
  }
  REQUIRE(lines.size() == 3);
  const auto check = [&segment](const std::vector<std::string>& records) {
    audit::SegmentCheck checker(*segment);
    for (const std::string& record : records) checker.record(record);
    return checker.finish().has_value();
  };
  CHECK(check(lines));
  CHECK_FALSE(check({lines[0], lines[1]}));
  CHECK_FALSE(check({lines[1], lines[0], lines[2]}));
  CHECK_FALSE(check({}));
}

namespace {

// The lines of an export of those records that `keep` names.
std::vector<std::string> exported(const Kept& kept, const std::function<bool(std::int64_t)>& keep) {
  audit::ExportStatement statement;
  statement.at = kAt;
  statement.head = kept.head;
  statement.first = 1;
  statement.last = kept.head.number;
  statement.scope = "all";
  statement.query = "{}";
  audit::ExportWriter writer(trail(), statement);
  std::string text = writer.seals(kept.segments);
  for (const AuditGroup& group : kept.groups) {
    audit::for_each_record(group, [&](std::string_view line) {
      if (keep(audit::parse_record(line)->number)) text += writer.record(line);
    });
  }
  text += writer.finish();
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

audit::ExportReport checked(const std::vector<std::string>& lines) {
  audit::ExportCheck check(trail().verifier());
  for (const std::string& line : lines) check.line(line);
  return check.finish();
}

Kept two_segments_and_more() {
  Kept kept;
  const std::string one = reading(Outcome::found);
  kept.add({one, one});
  kept.add({one});
  kept.seal();
  kept.add({one, one, one});
  kept.seal();
  kept.add({one, one});
  return kept;
}

const auto kAll = [](std::int64_t) { return true; };

}  // namespace

TEST_CASE("an export of all records is closed by the chain, segment by segment") {
  const auto report = checked(exported(two_segments_and_more(), kAll));
  CHECK(report.findings.empty());
  CHECK(report.records == 8);
  CHECK(report.whole_segments == 2);
  CHECK(report.partial_segments == 0);
}

TEST_CASE("an export without some records says which segments it does not show whole") {
  const auto report =
      checked(exported(two_segments_and_more(), [](std::int64_t n) { return n != 2; }));
  CHECK(report.findings.empty());
  CHECK(report.records == 7);
  CHECK(report.whole_segments == 1);
  CHECK(report.partial_segments == 1);
}

TEST_CASE("a gap that an operator let be is no part that was left out of an export") {
  Kept kept;
  kept.add({reading(Outcome::found)});
  const AuditHead known = kept.head;
  const std::string line = trail().line(5, kept.at, audit::body_of_continuation(1, known));
  kept.head = {5, trail().next_hash(kept.head.hash, line)};
  kept.groups.push_back({1, 5, kept.head, kept.at, line + '\n'});
  kept.seal();
  const auto report = checked(exported(kept, kAll));
  CHECK(report.findings.empty());
  CHECK(report.whole_segments == 1);
}

TEST_CASE("an export that was changed, cut or put together is found") {
  const auto lines = exported(two_segments_and_more(), kAll);
  const auto is_found = [&lines](const auto& change) {
    std::vector<std::string> changed = lines;
    change(changed);
    CHECK_FALSE(checked(changed).clean());
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(i);
    is_found([i](auto& all) { all.erase(all.begin() + static_cast<std::ptrdiff_t>(i)); });
    is_found([i](auto& all) { all.insert(all.begin() + static_cast<std::ptrdiff_t>(i), all[i]); });
    is_found([i](auto& all) { all[i][all[i].size() / 2] ^= 1; });
    if (i > 0) is_found([i](auto& all) { std::swap(all[i], all[i - 1]); });
  }
  const auto others = exported(two_segments_and_more(), [](std::int64_t n) { return n < 8; });
  is_found([&others](auto& all) { all.back() = others.back(); });
  audit::ExportCheck stranger(trail_of("flora.example/other/audit", 'b').verifier());
  for (const std::string& line : lines) stranger.line(line);
  CHECK_FALSE(stranger.finish().clean());
}

TEST_CASE("a filter lets own records pass, and of a named procedure who was told") {
  const Uuid id = *parse_uuid("5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10");
  audit::Record record;
  record.at = kAt;
  record.authorities = {"999904"};
  record.outcome = "FOUND";
  record.procedures = {id};
  audit::Query query;
  const auto passes = [&](audit::Scope scope) {
    return audit::Filter(query, std::move(scope)).matches(record);
  };
  CHECK(passes({}));
  CHECK(passes({{{"999902", "999904"}}, false}));
  CHECK_FALSE(passes({{{"999902"}}, true}));
  query.procedure = id;
  CHECK(passes({{{"999902"}}, true}));
  CHECK_FALSE(passes({{{"999902"}}, false}));
  record.outcome = "HIDDEN";
  CHECK_FALSE(passes({{{"999902"}}, true}));
}
