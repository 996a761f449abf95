#include "gateway/store/rotation.h"

#include <algorithm>
#include <utility>

#include "gateway/base/log.h"

namespace flora::store {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int kRowsPerStep = 512;  // Also of those that are passed over.
constexpr std::int64_t kFaultPause = duration_cast<nanoseconds>(seconds(10)).count();
constexpr std::int64_t kAnswerPause = duration_cast<nanoseconds>(seconds(60)).count();
constexpr std::uint64_t kToldRows = 10;

}  // namespace

struct Rotation::Statements {
  sql::Statement procedure;
  sql::Statement identifiers;
  sql::Statement update_key;
  sql::Statement delete_identifier;
  sql::Statement insert_identifier;
  sql::Statement submission;
  sql::Statement update_submission;
  sql::Statement delete_answers;
  sql::Statement has_answer;
  sql::Statement keys;
  sql::Statement delete_key;
  std::optional<sql::Statement> is_named;  // Where others may write rows with other keys.
};

Rotation::Rotation(std::unique_ptr<Statements> statements, Env& env)
    : s_(std::move(statements)), env_(&env), counters_(std::make_unique<Counters>()) {}
Rotation::Rotation(Rotation&&) noexcept = default;
Rotation::~Rotation() = default;

Result<Rotation> Rotation::open(sql::Database& db, Env& env) {
  FLORA_ASSIGN(auto procedure,
               db.prepare("SELECT n, pseudonym, wrapping_key, wrapped FROM procedure WHERE n>? "
                          "ORDER BY n LIMIT 1"));
  FLORA_ASSIGN(
      auto identifiers,
      db.prepare("SELECT hash, type, value, lookup_key FROM identifier WHERE procedure=?"));
  FLORA_ASSIGN(auto update_key,
               db.prepare("UPDATE procedure SET wrapping_key=?, wrapped=? WHERE n=?"));
  FLORA_ASSIGN(auto delete_identifier,
               db.prepare("DELETE FROM identifier WHERE hash=? AND procedure=?"));
  FLORA_ASSIGN(auto insert_identifier,
               db.prepare("INSERT INTO identifier(hash, procedure, type, value, lookup_key) "
                          "VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING"));
  FLORA_ASSIGN(auto submission,
               db.prepare("SELECT n, transaction_id, lookup_key, sealed, content IS NOT NULL FROM "
                          "submission WHERE n>? ORDER BY n LIMIT 1"));
  FLORA_ASSIGN(auto update_submission,
               db.prepare("UPDATE submission SET identity=?, content=?, native=?, lookup_key=?, "
                          "sealed=? WHERE n=?"));
  FLORA_ASSIGN(auto delete_answers, db.prepare("DELETE FROM kept_answer WHERE expires<=?"));
  FLORA_ASSIGN(auto has_answer,
               db.prepare("SELECT EXISTS(SELECT 1 FROM kept_answer WHERE lookup_key=?)"));
  FLORA_ASSIGN(auto keys, db.prepare("SELECT n FROM mapping_key"));
  FLORA_ASSIGN(auto delete_key, db.prepare("DELETE FROM mapping_key WHERE n=?"));
  std::optional<sql::Statement> is_named;
  if (db.is_shared()) {
    FLORA_ASSIGN(is_named, db.prepare("SELECT EXISTS(SELECT 1 FROM procedure WHERE wrapping_key=?1)"
                                      " OR EXISTS(SELECT 1 FROM identifier WHERE lookup_key=?1)"
                                      " OR EXISTS(SELECT 1 FROM submission WHERE lookup_key=?1)"));
  }
  return Rotation(
      std::make_unique<Statements>(Statements{
          std::move(procedure), std::move(identifiers), std::move(update_key),
          std::move(delete_identifier), std::move(insert_identifier), std::move(submission),
          std::move(update_submission), std::move(delete_answers), std::move(has_answer),
          std::move(keys), std::move(delete_key), std::move(is_named)}),
      env);
}

void Rotation::use(std::shared_ptr<const KeysInUse> keys) {
  keys_ = std::move(keys);
  const std::uint64_t rekeyed = durable_.rekeyed;
  durable_ = State{};
  durable_.rekeyed = rekeyed;
  if (keys_->has_older()) durable_.phase = Phase::procedures;
  state_ = durable_;
  publish();
}

std::optional<nanoseconds> Rotation::wait() const {
  if (state_.phase == Phase::done) return std::nullopt;
  return nanoseconds(std::max<std::int64_t>(0, state_.not_before_ns - env_->steady_ns()));
}

Result<void> Rotation::step(Nanoseconds bound) {
  stepped_ = true;
  const std::int64_t end = env_->steady_ns() + bound.count();
  for (int rows = 0; rows < kRowsPerStep && state_.phase != Phase::done; ++rows) {
    FLORA_ASSIGN(const bool more, next());
    if (!more || env_->steady_ns() >= end) break;
  }
  return {};
}

bool Rotation::committed() {
  if (!std::exchange(stepped_, false)) return false;
  const bool retired = std::exchange(state_.retired, false);
  durable_ = state_;
  publish();
  return retired;
}

// It may be the step that failed: not again at once.
void Rotation::rolled_back() {
  if (!std::exchange(stepped_, false)) return;
  state_ = durable_;
  pause(kFaultPause);
}

void Rotation::give_up() {
  durable_.phase = Phase::done;
  log::write(log::Level::error, "store: the change of keys is given up until the next start");
}

void Rotation::publish() {
  counters_->running = state_.phase != Phase::done && !state_.waits_for_answers;
  counters_->rekeyed = state_.rekeyed;
  counters_->damaged = state_.damaged;
}

RotationProgress Rotation::progress() const {
  return {counters_->running, counters_->rekeyed, counters_->damaged};
}

// False: nothing more for this step.
Result<bool> Rotation::next() {
  switch (state_.phase) {
    case Phase::procedures:
      return next_procedure();
    case Phase::submissions:
      return next_submission();
    case Phase::answers:
      return finish_answers();
    case Phase::done:
      break;
  }
  return false;
}

void Rotation::pause(std::int64_t ns) { state_.not_before_ns = env_->steady_ns() + ns; }

// A row that does not open. Its number says where to look; it names nobody.
void Rotation::keep(std::int64_t key) {
  state_.kept.insert(key);
  if (++state_.damaged > kToldRows) return;
  const bool procedure = state_.phase == Phase::procedures;
  log::write(log::Level::error, "store: a row does not open, it keeps its old key",
             {{"table", procedure ? "procedure" : "submission"}, {"row", state_.after}});
}

Result<bool> Rotation::next_procedure() {
  sql::Statement& select = s_->procedure;
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind(1, state_.after).step());
  if (!row) {
    select.reset();
    state_.phase = Phase::submissions;
    state_.after = 0;
    return true;
  }
  const ProcedureRow procedure{select.integer(0), uuid_from_bytes(select.blob(1)),
                               select.integer(2), std::string(as_text(select.blob(3)))};
  select.reset();
  FLORA_ASSIGN(auto identifiers, identifiers_of(procedure.number));
  std::erase_if(identifiers, [this](const IdentifierRow& one) {
    return one.lookup_key == keys_->current_lookup();
  });
  const std::int64_t before = std::exchange(state_.after, procedure.number);
  if (procedure.wrapping_key == keys_->current_wrapping() && identifiers.empty()) return true;
  const Result<Secret> secret = open_secret(procedure);
  if (secret) {
    FLORA_TRY(rekey(procedure, *secret, identifiers));
    return true;
  }
  if (secret.error().code == Errc::corrupt) {
    keep(procedure.wrapping_key);
    for (const IdentifierRow& one : identifiers) state_.kept.insert(one.lookup_key);
    return true;
  }
  // The token does not answer: the same procedure comes again.
  log::write(log::Level::warning, "store: the change of keys waits",
             {{"detail", std::string_view(secret.error().message)}});
  state_.after = before;
  pause(kFaultPause);
  return false;
}

Result<std::vector<Rotation::IdentifierRow>> Rotation::identifiers_of(std::int64_t procedure) {
  sql::Statement& select = s_->identifiers;
  select.reset();
  select.bind(1, procedure);
  std::vector<IdentifierRow> rows;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    rows.push_back({std::string(as_text(select.blob(0))),
                    static_cast<IdentifierType>(select.integer(1)),
                    std::string(as_text(select.blob(2))), select.integer(3)});
  }
  select.reset();
  return rows;
}

// Errors: corrupt (it does not open), unavailable (the token).
Result<Rotation::Secret> Rotation::open_secret(const ProcedureRow& procedure) const {
  const MappingKeys& keys = *keys_->keys;
  Secret secret;
  if (procedure.wrapped.empty()) {
    secret.key = keys.new_key();
  } else {
    const auto place = keys_->wrapping_place(procedure.wrapping_key);
    if (!place) return Error{Errc::corrupt, "a procedure names a wrapping key that is not known"};
    FLORA_ASSIGN(secret.key, keys.unwrap(*place, procedure.wrapped, procedure.pseudonym));
  }
  if (procedure.wrapping_key == keys_->current_wrapping()) return secret;
  FLORA_ASSIGN(secret.wrapped, keys.wrap(secret.key, procedure.pseudonym));
  return secret;
}

Result<void> Rotation::rekey(const ProcedureRow& procedure, const Secret& secret,
                             const std::vector<IdentifierRow>& identifiers) {
  if (!secret.wrapped.empty()) {
    ++state_.rekeyed;
    FLORA_TRY(s_->update_key.bind(1, keys_->current_wrapping())
                  .bind_blob(2, as_bytes(secret.wrapped))
                  .bind(3, procedure.number)
                  .run());
  }
  for (const IdentifierRow& row : identifiers) FLORA_TRY(rekey(procedure, secret.key, row));
  return {};
}

// The value stays encrypted as it is, unless it is of before the procedure had a key.
Result<void> Rotation::rekey(const ProcedureRow& procedure, const crypto::SecretKey& key,
                             const IdentifierRow& row) {
  const MappingKeys& keys = *keys_->keys;
  const bool is_first = row.lookup_key == kFirstKey;
  const auto value = is_first ? keys.open_first_value(row.type, procedure.pseudonym, row.value)
                              : keys.open_value(key, row.type, procedure.pseudonym, row.value);
  if (!value) {
    keep(row.lookup_key);
    return {};
  }
  const Identifier identifier{row.type, *value};
  const Digest hash = keys.identifier_hash(0, identifier);
  const std::string sealed =
      is_first ? keys.seal_value(key, identifier, procedure.pseudonym) : row.value;
  FLORA_TRY(s_->delete_identifier.bind_blob(1, as_bytes(row.hash)).bind(2, procedure.number).run());
  ++state_.rekeyed;
  return s_->insert_identifier.bind_blob(1, hash)
      .bind(2, procedure.number)
      .bind(3, static_cast<std::int64_t>(row.type))
      .bind_blob(4, as_bytes(sealed))
      .bind(5, keys_->current_lookup())
      .run();
}

Result<bool> Rotation::next_submission() {
  sql::Statement& select = s_->submission;
  select.reset();
  FLORA_ASSIGN(const bool found, select.bind(1, state_.after).step());
  if (!found) {
    select.reset();
    state_.phase = Phase::answers;
    return true;
  }
  const SubmissionRow row{select.integer(0), uuid_from_bytes(select.blob(1)), select.integer(2),
                          std::string(as_text(select.blob(3))), select.integer(4) != 0};
  select.reset();
  state_.after = row.number;
  if (row.lookup_key == keys_->current_lookup()) return true;
  if (row.lookup_key == kFirstKey) {
    // It has no fingerprint that another key could take over.
    state_.kept.insert(kFirstKey);
    return true;
  }
  const auto place = keys_->lookup_place(row.lookup_key);
  const auto plain =
      place ? keys_->keys->open(*place, row.sealed, row.transaction_id) : std::nullopt;
  if (!plain) {
    keep(row.lookup_key);
    return true;
  }
  FLORA_TRY(rekey(row, *plain));
  return true;
}

// An event that is to be sent again after a loss has no content, whatever it had.
Result<void> Rotation::rekey(const SubmissionRow& row, const Fingerprint& plain) {
  const Fingerprint keyed = keys_->keys->keyed(0, plain);
  const std::string sealed = keys_->keys->seal(0, plain, row.transaction_id);
  sql::Statement& update = s_->update_submission;
  update.bind_blob(1, keyed.identity).bind_null(2).bind_null(3);
  if (row.has_content && keyed.content) update.bind_blob(2, *keyed.content);
  if (row.has_content && keyed.native) update.bind_blob(3, *keyed.native);
  update.bind(4, keys_->current_lookup()).bind_blob(5, as_bytes(sealed)).bind(6, row.number);
  ++state_.rekeyed;
  return update.run();
}

// Kept answers are not brought under another key: they expire.
Result<bool> Rotation::finish_answers() {
  FLORA_TRY(s_->delete_answers.bind(1, env_->now_ms()).run());
  FLORA_ASSIGN(const std::vector<std::int64_t> older, older_keys());
  for (const std::int64_t key : older) {
    sql::Statement& select = s_->has_answer;
    select.reset();
    FLORA_ASSIGN(const bool row, select.bind(1, key).step());
    const bool waits = row && select.integer(0) != 0;
    select.reset();
    if (!waits) continue;
    state_.waits_for_answers = true;
    pause(kAnswerPause);
    return false;
  }
  state_.phase = Phase::done;
  FLORA_TRY(retire());
  return false;
}

Result<void> Rotation::retire() {
  FLORA_ASSIGN(const std::vector<std::int64_t> older, older_keys());
  for (const std::int64_t key : older) {
    if (state_.kept.contains(key)) continue;
    FLORA_ASSIGN(const bool named, is_named(key));
    if (named) {
      // Another gateway has made rows with it, behind what was looked at.
      state_.phase = Phase::procedures;
      state_.after = 0;
      pause(kFaultPause);
      continue;
    }
    FLORA_TRY(s_->delete_key.bind(1, key).run());
    state_.retired = true;
  }
  return {};
}

// Looks through the tables.
Result<bool> Rotation::is_named(std::int64_t key) {
  if (!s_->is_named) return false;
  sql::Statement& select = *s_->is_named;
  select.reset();
  FLORA_ASSIGN(const bool row, select.bind(1, key).step());
  const bool named = row && select.integer(0) != 0;
  select.reset();
  return named;
}

Result<std::vector<std::int64_t>> Rotation::older_keys() {
  sql::Statement& select = s_->keys;
  select.reset();
  std::vector<std::int64_t> keys;
  while (true) {
    FLORA_ASSIGN(const bool row, select.step());
    if (!row) break;
    keys.push_back(select.integer(0));
  }
  select.reset();
  std::erase(keys, keys_->current_lookup());
  std::erase(keys, keys_->current_wrapping());
  return keys;
}

}  // namespace flora::store
