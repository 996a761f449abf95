#include "gateway/store/audit_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gateway/base/log.h"

namespace flora::store {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kGroupsAtOnce = 16;  // Deleted in one transaction.
constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};

std::chrono::year year_of(Instant at) {
  const auto day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(at.ms)));
  return std::chrono::year_month_day(day).year();
}

Instant start_of(std::chrono::year year) {
  const std::chrono::sys_days day(year / std::chrono::January / 1);
  return {day.time_since_epoch().count() * kDayMs};
}

Instant expiry_of(Instant end, const std::optional<std::int64_t>& retention_days) {
  if (retention_days) return {end.ms + *retention_days * kDayMs};
  return start_of(year_of(end) + std::chrono::years(2));
}

Error corrupt(const std::string& what) {
  return {Errc::corrupt, "the audit trail " + what + " (see: flora-gateway audit verify)"};
}

AuditEffect effect_of(const Accepted& accepted) {
  using Effect = AuditEffect::Outcome;
  AuditEffect effect;
  effect.outcome = accepted.repeat ? Effect::repeat : Effect::accepted;
  effect.procedures.push_back(accepted.procedure);
  if (accepted.merged_into) effect.procedures.push_back(*accepted.merged_into);
  effect.transaction = accepted.transaction_id;
  return effect;
}

AuditEffect effect_of(Refusal refusal) {
  AuditEffect effect;
  effect.problem = problem_of(refusal);
  return effect;
}

}  // namespace

AuditLog::AuditLog(AuditOptions options, ledger::CheckpointFile file, Statements statements)
    : options_(std::move(options)), file_(std::move(file)), statements_(std::move(statements)) {}

Result<AuditLog> AuditLog::load(sql::Database& db, AuditOptions options, const std::string& vfs) {
  if (!options.format) return Error{Errc::invalid, "a store needs the format of its audit trail"};
  FLORA_ASSIGN(auto file, ledger::CheckpointFile::open(options.head_file, vfs));
  FLORA_ASSIGN(auto insert_group,
               db.prepare("INSERT INTO audit_group(first, last, segment, at, records, head) "
                          "VALUES(?,?,?,?,?,?)"));
  FLORA_ASSIGN(auto insert_segment, db.prepare("INSERT INTO audit_segment(n, seal) VALUES(?,?)"));
  FLORA_ASSIGN(auto mark_deleted, db.prepare("UPDATE audit_segment SET deleted=? WHERE n=?"));
  FLORA_ASSIGN(auto oldest_segment, db.prepare("SELECT n, seal FROM audit_segment WHERE deleted IS "
                                               "NULL ORDER BY n LIMIT 1"));
  FLORA_ASSIGN(auto delete_groups,
               db.prepare("DELETE FROM audit_group WHERE first IN (SELECT first FROM audit_group "
                          "WHERE first<=? ORDER BY first LIMIT ?)"));
  AuditLog log(std::move(options), std::move(file),
               {std::move(insert_group), std::move(insert_segment), std::move(mark_deleted),
                std::move(oldest_segment), std::move(delete_groups)});
  FLORA_TRY(log.load_closed(db));
  FLORA_TRY(log.load_open(db));
  log.state_.highest = log.state_.head.number;
  log.settled_ = log.state_;
  return log;
}

Result<AuditLog> AuditLog::open(sql::Database& database, AuditOptions options,
                                const std::string& vfs) {
  FLORA_ASSIGN(AuditLog log, load(database, std::move(options), vfs));
  FLORA_TRY(log.check_signed_head(database));
  return log;
}

Result<AuditLog> AuditLog::continue_at(sql::Database& database, AuditOptions options,
                                       const std::string& vfs, Instant now) {
  FLORA_ASSIGN(AuditLog log, load(database, std::move(options), vfs));
  std::optional<AuditHead> known;
  if (log.file_.note()) {
    // A note that is not ours says nothing.
    if (const auto head = log.options_.format->open_head(*log.file_.note())) known = *head;
  }
  State& state = log.state_;
  if (known) state.highest = std::max(state.highest, known->number);
  log.add(log.options_.format->body_of_continuation(state.head.number, known));
  FLORA_TRY(log.write(now));
  return log;
}

// The closed segments, and whether one of them is still being deleted.
Result<void> AuditLog::load_closed(sql::Database& database) {
  state_.head = state_.before = options_.format->first_head();
  FLORA_ASSIGN(auto last,
               database.prepare("SELECT seal FROM audit_segment ORDER BY n DESC LIMIT 1"));
  FLORA_ASSIGN(const bool any, last.step());
  if (!any) {
    state_.next_deletion = kNever;
    return {};
  }
  const auto segment = options_.format->open_seal(last.text(0));
  if (!segment) return corrupt("has a seal that is " + segment.error().message);
  state_.segment = segment->number + 1;
  state_.head = state_.before = segment->last;
  state_.at = segment->end;
  FLORA_ASSIGN(auto gone, database.prepare("SELECT seal FROM audit_segment WHERE deleted IS NOT "
                                           "NULL ORDER BY n DESC LIMIT 1"));
  FLORA_ASSIGN(const bool any_gone, gone.step());
  if (!any_gone) return {};
  const auto deleted = options_.format->open_seal(gone.text(0));
  if (!deleted) return corrupt("has a seal that is " + deleted.error().message);
  state_.deleting = deleted->last.number;  // Nothing is left, perhaps: then it ends at once.
  return {};
}

// The records behind the closed segments.
Result<void> AuditLog::load_open(sql::Database& database) {
  FLORA_ASSIGN(auto oldest, database.prepare("SELECT first, at FROM audit_group WHERE first>? "
                                             "ORDER BY first LIMIT 1"));
  FLORA_ASSIGN(const bool any, oldest.bind(1, state_.before.number).step());
  if (!any) return {};
  state_.first = oldest.integer(0);
  state_.begin = {oldest.integer(1)};
  FLORA_ASSIGN(auto newest, database.prepare("SELECT first, last, head, at, records FROM "
                                             "audit_group ORDER BY first DESC LIMIT 2"));
  FLORA_ASSIGN(const bool row, newest.step());
  if (!row) return corrupt("changes while it is read");
  AuditGroup last;
  last.first = newest.integer(0);
  last.last = {newest.integer(1), digest_from(newest.blob(2))};
  state_.at = std::max(state_.at, Instant{newest.integer(3)});
  last.records = newest.text(4);
  state_.head = last.last;
  FLORA_ASSIGN(const bool earlier, newest.step());
  const bool within = earlier && newest.integer(1) > state_.before.number;
  return check_last(last, within ? digest_from(newest.blob(2)) : state_.before.hash);
}

Result<void> AuditLog::check_last(const AuditGroup& last, const Digest& before) const {
  Digest hash = before;
  std::string_view rest = last.records;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    hash = options_.format->next_hash(hash, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (hash == last.last.hash) return {};
  return corrupt("was changed: its last records do not lead to its head");
}

Result<void> AuditLog::check_signed_head(sql::Database& database) {
  if (!file_.note()) return begin_head_file(database);
  const auto head = options_.format->open_head(*file_.note());
  if (!head) return corrupt("has a file of its last head that is " + head.error().message);
  if (head->number > state_.head.number) {
    return corrupt("lacks records that were signed: it ends with " +
                   std::to_string(state_.head.number) + ", signed were " +
                   std::to_string(head->number));
  }
  FLORA_ASSIGN(const bool agrees, is_in_trail(database, *head));
  if (!agrees) return corrupt("is not the one whose head was signed");
  written_ = *head;
  return remember_keeper(database);
}

// True also of what has been deleted since.
Result<bool> AuditLog::is_in_trail(sql::Database& database, const AuditHead& head) const {
  FLORA_ASSIGN(auto select, database.prepare("SELECT last, head FROM audit_group WHERE first<=? "
                                             "ORDER BY first DESC LIMIT 1"));
  FLORA_ASSIGN(const bool row, select.bind(1, head.number).step());
  AuditHead kept = options_.format->first_head();
  if (row) kept = {select.integer(0), digest_from(select.blob(1))};
  if (!row && head.number == state_.before.number) kept = state_.before;
  return head == kept || head.number <= state_.deleting;
}

// From here on a missing file is a loss. Who comes to a trail that others have begun had none.
Result<void> AuditLog::begin_head_file(sql::Database& database) {
  FLORA_ASSIGN(const bool lost, has_kept_file(database));
  if (lost) {
    return corrupt("has records, but the file of its last head is missing: " + options_.head_file);
  }
  FLORA_TRY(write_head());
  FLORA_TRY(file_.sync());
  return remember_keeper(database);
}

Result<bool> AuditLog::has_kept_file(sql::Database& database) const {
  if (!database.is_shared()) return state_.head.number > 0;
  FLORA_ASSIGN(auto select, database.prepare("SELECT 1 FROM audit_keeper WHERE name=?"));
  return select.bind_text(1, options_.keeper).step();
}

Result<void> AuditLog::remember_keeper(sql::Database& database) const {
  if (!database.is_shared()) return {};
  FLORA_ASSIGN(auto insert,
               database.prepare("INSERT INTO audit_keeper(name) VALUES(?) ON CONFLICT DO NOTHING"));
  return insert.bind_text(1, options_.keeper).run();
}

Result<void> AuditLog::catch_up(sql::Database& database) {
  const AuditHead known = settled_.head;
  state_ = {};
  FLORA_TRY(load_closed(database));
  FLORA_TRY(load_open(database));
  state_.highest = state_.head.number;
  FLORA_ASSIGN(const bool agrees, is_in_trail(database, known));
  if (!agrees || state_.head.number < known.number) {
    return corrupt("lacks records that this gateway has written or seen");
  }
  settled_ = state_;
  return {};
}

void AuditLog::add(std::string_view opening, const Outcome& outcome) {
  const AuditEffect effect = std::visit([](const auto& one) { return effect_of(one); }, outcome);
  add(options_.format->body(opening, effect));
}

Result<void> AuditLog::write(Instant now) {
  const Instant at = std::max(now, state_.at);
  if (state_.first > 0 && is_due(at)) FLORA_TRY(close_segment());
  if (state_.deleting == 0 && at >= state_.next_deletion) FLORA_TRY(begin_deletion(at));
  if (state_.deleting > 0) FLORA_TRY(delete_some());
  return waiting_.empty() ? Result<void>() : write_group(at);
}

bool AuditLog::is_due(Instant at) const {
  return state_.head.number - state_.first + 1 >= options_.segment_records ||
         at.ms - state_.begin.ms >= options_.segment_days * kDayMs ||
         year_of(at) != year_of(state_.begin);
}

Result<void> AuditLog::close_segment() {
  const AuditSegment segment{state_.segment, state_.first, state_.before,
                             state_.head,    state_.begin, state_.at};
  const std::string seal = options_.format->seal(segment);
  FLORA_TRY(statements_.insert_segment.bind(1, segment.number).bind_text(2, seal).run());
  ++state_.segment;
  state_.before = state_.head;
  state_.first = 0;
  state_.next_deletion = {};  // To be looked up.
  return {};
}

// The oldest segment goes if its time has come.
Result<void> AuditLog::begin_deletion(Instant at) {
  statements_.oldest_segment.reset();
  FLORA_ASSIGN(const bool any, statements_.oldest_segment.step());
  state_.next_deletion = kNever;
  if (!any) return {};
  const std::int64_t number = statements_.oldest_segment.integer(0);
  const auto segment = options_.format->open_seal(statements_.oldest_segment.text(1));
  statements_.oldest_segment.reset();
  if (!segment) return {};  // Damage is told by `audit verify`; nothing is deleted on its word.
  state_.next_deletion = expiry_of(segment->end, options_.retention_days);
  if (at < state_.next_deletion) return {};
  FLORA_TRY(statements_.mark_deleted.bind(1, at.ms).bind(2, number).run());
  state_.deleting = segment->last.number;
  add(options_.format->body_of_deletion(number));
  return {};
}

Result<void> AuditLog::delete_some() {
  FLORA_TRY(statements_.delete_groups.bind(1, state_.deleting).bind(2, kGroupsAtOnce).run());
  if (statements_.delete_groups.changes() >= kGroupsAtOnce) return {};
  state_.deleting = 0;
  state_.next_deletion = {};
  return {};
}

Result<void> AuditLog::write_group(Instant at) {
  const std::int64_t first = state_.highest + 1;
  std::string records;
  for (const std::string& body : waiting_) {
    const std::string line = options_.format->line(++state_.highest, at, body);
    state_.head = {state_.highest, options_.format->next_hash(state_.head.hash, line)};
    records += line;
    records += '\n';
  }
  state_.at = at;
  if (state_.first == 0) {
    state_.first = first;
    state_.begin = at;
  }
  return statements_.insert_group.bind(1, first)
      .bind(2, state_.head.number)
      .bind(3, state_.segment)
      .bind(4, at.ms)
      .bind_text(5, records)
      .bind_blob(6, state_.head.hash)
      .run();
}

void AuditLog::committed(std::chrono::nanoseconds now) {
  const bool closed = state_.segment != settled_.segment;
  settled_ = state_;
  waiting_.clear();
  hampered_ = false;
  if (!head_waits() || (!closed && now < next_write_)) return;
  next_write_ = now + kHeadPause;
  Result<void> written = write_head();
  if (written && closed) written = file_.sync();
  report(written);
}

// The records are durable; what suffers if the file is not written is that a missing end would be
// noticed later than it could be.
void AuditLog::report(const Result<void>& written) {
  if (!written && !head_failed_) {
    log::write(log::Level::error, "audit: the file of the last head cannot be written",
               {{"detail", std::string_view(written.error().message)}});
  }
  head_failed_ = !written;
}

void AuditLog::rolled_back() {
  state_ = settled_;
  waiting_.clear();
  hampered_ = true;
}

std::chrono::milliseconds AuditLog::pause() const {
  using namespace std::chrono_literals;
  if (hampered_) return 1h;
  if (state_.deleting > 0) return 10ms;
  return head_waits() ? kHeadPause : std::chrono::milliseconds(1h);
}

void AuditLog::sync() {
  Result<void> synced = head_waits() ? write_head() : Result<void>();
  if (synced && file_.is_dirty()) synced = file_.sync();
  report(synced);
}

Result<void> AuditLog::write_head() {
  FLORA_TRY(file_.write(options_.format->sign(settled_.head)));
  written_ = settled_.head;
  return {};
}

}  // namespace flora::store
