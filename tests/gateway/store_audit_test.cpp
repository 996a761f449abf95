// The audit trail within the store: what is recorded with what, segments, retention, and a trail
// that was cut, changed or put back.
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <sstream>
#include <thread>

#include "gateway/audit/check.h"
#include "gateway/base/log.h"
#include "gateway/store/audit_log.h"
#include "gateway/store/audit_reader.h"
#include "tests/gateway/store_fixture.h"

using namespace flora;
using namespace flora::store;
using namespace flora::store::test;

namespace {

constexpr std::int64_t kDay = 86'400'000;

/// A store whose accesses are recorded, and its trail as it stands on the disk.
class AuditedStore : public TestStore {
 public:
  AuditedStore() {
    log::set_level(log::Level::error);
    reopen();
  }

  /// True if the access may be answered.
  Result<void> record(const std::string& client) {
    AuditEffect effect;
    effect.outcome = AuditEffect::Outcome::found;
    auto promise = std::make_shared<std::promise<Result<void>>>();
    auto recorded = promise->get_future();
    store->record({audit::body(audit::opening({client, {std::string(kAe)}, "AE"},
                                              audit::Action::read_history),
                               effect)},
                  [promise](const Result<void>& result) { promise->set_value(result); });
    REQUIRE(recorded.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
    return recorded.get();
  }

  void record_many(int count) {
    for (int i = 0; i < count; ++i) REQUIRE(record("client").has_value());
  }

  std::string records() {
    std::string all;
    auto reader = good_reader();
    REQUIRE(reader.groups(1, 1'000'000, [&all](const AuditGroup& group) -> Result<void> {
      all += group.records;
      return {};
    }));
    return all;
  }

  std::vector<std::string> lines() {
    std::vector<std::string> out;
    std::istringstream text(records());
    for (std::string line; std::getline(text, line);) out.push_back(line);
    return out;
  }

  std::vector<SealedSegment> segments() {
    const auto all = good_reader().segments();
    REQUIRE(all.has_value());
    return *all;
  }

  /// Nothing if the trail cannot be read.
  std::optional<audit::CheckReport> try_check() {
    audit::Check check(trail->verifier());
    const auto head = read_signed_head(options.audit.head_file);
    auto reader = AuditReader::open(options.place());
    if (!head || !reader) return std::nullopt;
    check.signed_head(*head);
    const auto all = reader->segments();
    if (!all) return std::nullopt;
    check.segments(*all);
    const auto read = reader->groups(std::numeric_limits<std::int64_t>::min(), 1'000'000,
                                     [&check](const AuditGroup& g) -> Result<void> {
                                       check.group(g);
                                       return {};
                                     });
    if (!read) return std::nullopt;
    return check.finish();
  }

  audit::CheckReport check() {
    auto report = try_check();
    REQUIRE(report.has_value());
    return *report;
  }

  void check_clean() {
    for (const std::string& finding : check().findings) FAIL_CHECK(finding);
  }

  /// Changes the file behind the store's back.
  void tamper(const std::string& sql) {
    close();
    const auto database = TestStore::database(sql::Access::write);
    const auto done = database->execute(sql);
    REQUIRE_MESSAGE(done.has_value(), done.error().message);
  }

  std::string refusal() {
    close();
    const auto opened = open();
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Errc::corrupt);
    return opened.error().message;
  }

 private:
  AuditReader good_reader() {
    auto reader = AuditReader::open(options.place());
    REQUIRE(reader.has_value());
    return std::move(*reader);
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Two sealed segments and an open one, in a file without a write-ahead log.
void fill_and_close(AuditedStore& fixture) {
  fixture.options.audit.segment_records = 3;
  fixture.reopen();
  fixture.record_many(3);
  fixture.added(draft("a", by({azr("1")})));
  fixture.record_many(4);
  fixture.check_clean();
  REQUIRE(fixture.segments().size() == 2);
  fixture.close();
  if (!on_postgresql()) fixture.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace

TEST_CASE("each draft that is decided leaves one record, in the order of the decisions") {
  AuditedStore fixture;
  const Draft first = draft("a", by({azr("1")}));
  const Accepted accepted = fixture.added(first);
  CHECK(fixture.accepted(first).repeat);
  Draft other = first;
  other.content = crypto::sha256("other");
  fixture.refused(other);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 3);
  const std::string ids = R"("procedures":[")" + to_string(accepted.procedure) +
                          R"("],"transaction":")" + to_string(accepted.transaction_id) + "\"}";
  const std::string begin =
      R"("at":"2026-11-03T07:15:30.123Z","action":"REPORT","client":"client",)"
      R"("authorities":["000250"],"role":"AE","outcome":)";
  CHECK(lines[0] == R"({"n":1,)" + begin + R"("ACCEPTED",)" + ids);
  CHECK(lines[1] == R"({"n":2,)" + begin + R"("REPEAT",)" + ids);
  CHECK(lines[2] == R"({"n":3,)" + begin + R"("REFUSED","problem":"event-conflict"})");
  fixture.check_clean();
}

TEST_CASE("a merge names both procedures") {
  AuditedStore fixture;
  const Accepted one = fixture.added(draft("a", by({azr("1")})));
  const Accepted two = fixture.added(draft("b", by({azr("2")})));
  fixture.added(merge("m", by({azr("1")}), by({azr("2")})));
  CHECK(has(fixture.lines().back(), R"("procedures":[")" + to_string(one.procedure) + R"(",")" +
                                        to_string(two.procedure) + R"("])"));
}

TEST_CASE("the trail goes on over restarts, and its time never goes back") {
  AuditedStore fixture;
  fixture.record_many(2);
  fixture.env.advance_ms(-kDay);
  fixture.record_many(1);
  fixture.reopen();
  fixture.record_many(2);
  const audit::CheckReport report = fixture.check();
  CHECK(report.clean());
  CHECK(report.records == 5);
  CHECK(has(fixture.lines().back(), R"({"n":5,"at":"2026-11-03T07:15:30.123Z")"));
}

TEST_CASE("a segment is closed by its number of records, its age, and the end of the year") {
  AuditedStore fixture;
  fixture.options.audit.segment_records = 4;
  fixture.options.audit.segment_days = 7;
  fixture.reopen();
  fixture.record_many(5);  // The fifth opens the second segment.
  CHECK(fixture.segments().size() == 1);
  fixture.env.advance_ms(7 * kDay - 1);
  fixture.record_many(1);
  CHECK(fixture.segments().size() == 1);
  fixture.env.advance_ms(1);
  fixture.record_many(1);
  CHECK(fixture.segments().size() == 2);
  fixture.options.audit.segment_days = 366;
  fixture.reopen();
  fixture.env.set_now_ms(parse_instant("2026-12-31T23:59:59.999Z")->ms);
  fixture.record_many(1);
  CHECK(fixture.segments().size() == 2);
  fixture.env.advance_ms(1);
  fixture.record_many(1);
  CHECK(fixture.segments().size() == 3);
  fixture.reopen();
  fixture.check_clean();
}

TEST_CASE("a segment goes at the end of the year that follows its own, and its seal stays") {
  AuditedStore fixture;
  fixture.record_many(40);
  fixture.env.set_now_ms(parse_instant("2027-06-01T00:00:00Z")->ms);
  fixture.record_many(2);
  fixture.env.set_now_ms(parse_instant("2027-12-31T23:59:59.999Z")->ms);
  fixture.record_many(1);
  CHECK(fixture.check().records == 43);
  fixture.env.advance_ms(1);
  // A little with each commit.
  fixture.record_many(1);
  CHECK(has(fixture.records(), R"("action":"SEGMENT_DELETED","outcome":"DONE","segment":1})"));
  fixture.check_clean();
  fixture.reopen();
  fixture.check_clean();
  fixture.record_many(4);
  const audit::CheckReport report = fixture.check();
  CHECK(report.clean());
  CHECK(report.deleted == 1);
  CHECK(report.segments >= 2);
  const auto first = audit::parse_record(fixture.lines().front());
  REQUIRE(first.has_value());
  CHECK(first->number == 41);
  REQUIRE(fixture.segments().front().deleted.has_value());
  CHECK(to_string(*fixture.segments().front().deleted) == "2028-01-01T00:00:00.000Z");
}

TEST_CASE("a retention in days, also in a gateway that nobody uses") {
  AuditedStore fixture;
  fixture.options.audit.segment_days = 1;
  fixture.options.audit.retention_days = 30;
  fixture.reopen();
  fixture.record_many(100);
  fixture.env.advance_ms(kDay);
  fixture.record_many(1);
  fixture.env.advance_ms(29 * kDay - 1);
  fixture.record_many(1);
  CHECK(fixture.check().deleted == 0);
  fixture.env.advance_ms(1);
  fixture.record_many(1);
  // The rest goes without a further access.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (audit::parse_record(fixture.lines().front())->number < 101) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::yield();
  }
  fixture.check_clean();
  CHECK(fixture.check().deleted == 1);
}

TEST_CASE("a store that has lost the end of its trail does not start") {
  AuditedStore fixture;
  fixture.record_many(3);
  fixture.tamper("DELETE FROM audit_group WHERE last=3");
  CHECK(has(fixture.refusal(), "lacks records that were signed: it ends with 2, signed were 3"));
  CHECK_FALSE(fixture.check().clean());
}

TEST_CASE("a store whose trail was changed at its end, or replaced, does not start") {
  AuditedStore fixture;
  fixture.record_many(3);
  fixture.tamper(
      "UPDATE audit_group SET records=replace(records, 'client', 'cliend') WHERE last=3");
  CHECK(has(fixture.refusal(), "its last records do not lead to its head"));
  AuditedStore other;
  other.record_many(4);
  other.close();
  std::filesystem::copy_file(fixture.options.audit.head_file, other.options.audit.head_file,
                             std::filesystem::copy_options::overwrite_existing);
  // Both are at the same instant, so that only the names of the clients tell them apart.
  CHECK(other.open().has_value());
  other.close();
  AuditedStore third;
  REQUIRE(third.record("another").has_value());
  third.record_many(4);
  third.close();
  std::filesystem::copy_file(fixture.options.audit.head_file, third.options.audit.head_file,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(has(third.refusal(), "is not the one whose head was signed"));
}

TEST_CASE("a store whose file of the last head is missing or another's does not start") {
  AuditedStore fixture;
  fixture.record_many(1);
  fixture.close();
  std::filesystem::remove(fixture.options.audit.head_file);
  CHECK(has(fixture.refusal(), "the file of its last head is missing"));
  CHECK_FALSE(fixture.check().clean());
}

TEST_CASE("the head file follows a commit within a pause, and is not tried while commits fail") {
  using namespace std::chrono_literals;
  AuditedStore fixture;
  fixture.close();
  const auto database = fixture.database(sql::Access::write);
  auto log = AuditLog::open(*database, fixture.options.audit, {});
  REQUIRE(log.has_value());
  const auto commit = [&](std::chrono::nanoseconds now) {
    REQUIRE(database->begin());
    log->add("\"action\":\"TEST\"");
    REQUIRE(log->write({fixture.env.now_ms()}));
    REQUIRE(database->commit());
    log->committed(now);
  };
  const auto head = [&] { return read_signed_head(fixture.options.audit.head_file)->value(); };
  commit(0ms);
  const std::string first = head();
  commit(50ms);
  CHECK(head() == first);
  CHECK(log->pause() == AuditLog::kHeadPause);
  REQUIRE(database->begin());
  database->rollback();
  log->rolled_back();
  CHECK(log->pause() > AuditLog::kHeadPause);
  commit(AuditLog::kHeadPause);
  const std::string second = head();
  CHECK(second != first);
  CHECK(log->pause() > AuditLog::kHeadPause);
  commit(AuditLog::kHeadPause + 1ms);
  CHECK(head() == second);
  log->sync();
  CHECK(head() != second);
}

TEST_CASE("after a loss the trail goes on under numbers that were never used, and says so") {
  AuditedStore fixture;
  fixture.record_many(5);
  fixture.tamper("DELETE FROM audit_group WHERE first>2");
  fixture.refusal();
  REQUIRE(continue_audit(fixture.options.place(), fixture.options.audit, {fixture.env.now_ms()}));
  fixture.reopen();
  fixture.record_many(1);
  const audit::CheckReport report = fixture.check();
  for (const std::string& finding : report.findings) FAIL_CHECK(finding);
  REQUIRE(report.notes.size() == 1);
  CHECK(has(report.notes[0], "records 3 to 5 are missing"));
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 4);
  CHECK(has(lines[2], R"({"n":6,)"));
  CHECK(
      has(lines[2], R"("action":"CONTINUED","outcome":"DONE","after":2,"known":5,"knownHash":")"));
  CHECK(has(lines[3], R"({"n":7,)"));
}

TEST_CASE("a trail that is put back where no head is known says so, too") {
  AuditedStore fixture;
  fixture.record_many(2);
  fixture.close();
  std::filesystem::remove(fixture.options.audit.head_file);
  REQUIRE(continue_audit(fixture.options.place(), fixture.options.audit, {fixture.env.now_ms()}));
  fixture.reopen();
  CHECK(fixture.check().clean());
  CHECK(has(fixture.lines().back(), R"("action":"CONTINUED","outcome":"DONE","after":2})"));
}

TEST_CASE("a changed byte of the kept trail is found" * doctest::skip(on_postgresql())) {
  const bool all = std::getenv("FLORA_SOAK") != nullptr;
  AuditedStore fixture;
  fill_and_close(fixture);
  const auto database = fixture.database(sql::Access::write);
  REQUIRE(database->execute("PRAGMA synchronous=OFF"));
  int changes = 0;
  for (const auto& [table, column, key] :
       std::vector<std::array<std::string, 3>>{{"audit_group", "records", "first"},
                                               {"audit_group", "head", "first"},
                                               {"audit_segment", "seal", "n"}}) {
    std::map<std::int64_t, std::string> rows;
    {
      auto select =
          database->prepare("SELECT " + key + ", CAST(" + column + " AS BLOB) FROM " + table);
      REQUIRE(select.has_value());
      while (*select->step()) {
        rows.emplace(select->integer(0), std::string(as_text(select->blob(1))));
      }
    }
    auto update = database->prepare("UPDATE " + table + " SET " + column + "=CASE typeof(" +
                                    column + ") WHEN 'text' THEN CAST(?1 AS TEXT) ELSE ?1 END " +
                                    "WHERE " + key + "=?2");
    REQUIRE(update.has_value());
    for (const auto& [row, value] : rows) {
      for (std::size_t i = 0; i < value.size(); i += all ? 1 : 7) {
        std::string changed = value;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        REQUIRE(update->bind_blob(1, as_bytes(changed)).bind(2, row).run());
        const auto report = fixture.try_check();
        if (report && report->clean()) {
          FAIL_CHECK(table, ".", column, " of ", row, ", byte ", i, ": not found");
        }
        ++changes;
      }
      REQUIRE(update->bind_blob(1, as_bytes(value)).bind(2, row).run());
    }
  }
  MESSAGE(changes, " changes, all found");
  CHECK(changes > 100);
}

TEST_CASE(
    "a row of the trail that is missing, or says something else beside its records, is found") {
  for (const char* sql :
       {"UPDATE audit_group SET at=at+1 WHERE first=1",
        "UPDATE audit_group SET last=last+1 WHERE first=1",
        "UPDATE audit_group SET first=-1 WHERE first=1",
        "UPDATE audit_group SET segment=segment+1 WHERE first=1",
        "UPDATE audit_segment SET n=n+10 WHERE n=2", "UPDATE audit_segment SET deleted=1 WHERE n=1",
        "UPDATE audit_segment SET deleted=4000000000000 WHERE n=1",
        "DELETE FROM audit_group WHERE first=1", "DELETE FROM audit_segment WHERE n=1",
        "DELETE FROM audit_segment WHERE n=2", "DELETE FROM audit_group",
        "DELETE FROM audit_segment"}) {
    CAPTURE(sql);
    AuditedStore fixture;
    fill_and_close(fixture);
    fixture.tamper(sql);
    const auto report = fixture.try_check();
    CHECK((!report || !report->clean()));
  }
}
