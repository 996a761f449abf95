#include "gateway/store/writer.h"

#include <algorithm>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

constexpr std::chrono::nanoseconds kErasurePause{100'000'000};
constexpr std::chrono::nanoseconds kErasureRetry{1'000'000'000};
constexpr std::chrono::seconds kErasurePatience{20};
constexpr std::chrono::milliseconds kLookForRoom{250};

// How long a commit may take longer for a change of keys: with work that waits, and without.
constexpr std::chrono::milliseconds kRotationBeside{1};
constexpr std::chrono::milliseconds kRotationAlone{5};

}  // namespace

Result<std::unique_ptr<Store::Writer>> Store::Writer::start(Options options, Env& env) {
  FLORA_ASSIGN(auto database, sql::open(options.place(), sql::Access::write));
  FLORA_TRY(prepare_schema(*database));
  std::unique_ptr<Writer> writer(new Writer(std::move(options), env, std::move(database)));
  sql::Database& db = *writer->database_;
  FLORA_TRY(db.tidy_by_hand());
  FLORA_ASSIGN(Acceptor acceptor, Acceptor::open(db, writer->options_, env));
  writer->acceptor_.emplace(std::move(acceptor));
  FLORA_ASSIGN(AuditLog audit,
               AuditLog::open(db, std::move(writer->options_.audit), writer->options_.vfs));
  writer->audit_.emplace(std::move(audit));
  FLORA_ASSIGN(Rotation rotation, Rotation::open(db, env));
  writer->rotation_.emplace(std::move(rotation));
  FLORA_TRY(writer->change_keys(std::move(writer->options_.keys)));
  FLORA_ASSIGN(Eraser eraser, Eraser::open(db));
  writer->eraser_.emplace(std::move(eraser));
  writer->acceptor_->refuse_where([raw = writer.get()](const Uuid& procedure) {
    return raw->eraser_->is_under_way(procedure);
  });
  writer->erasures_ = writer->eraser_->count();
  writer->next_tombstone_ = writer->eraser_->next().value_or(kNoTombstone);
  // An earlier life may have ended between a deletion and this.
  FLORA_ASSIGN(const bool forgotten, db.forget_deleted(kMappingTables));
  writer->has_remains_ = !forgotten;
  FLORA_ASSIGN(OutboxRows outbox, OutboxRows::open(db, env));
  writer->outbox_.emplace(std::move(outbox));
  // Not about a procedure that was erased meanwhile.
  FLORA_ASSIGN(writer->insert_answer_,
               db.prepare("INSERT INTO kept_answer(key, request, status, location, "
                          "content_type, body, expires, procedure, lookup_key) "
                          "SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9 WHERE EXISTS(SELECT 1 FROM procedure "
                          "WHERE pseudonym=?8) OR ?8 IS NULL ON CONFLICT(key) DO UPDATE SET "
                          "request=excluded.request, status=excluded.status, "
                          "location=excluded.location, content_type=excluded.content_type, "
                          "body=excluded.body, expires=excluded.expires, "
                          "procedure=excluded.procedure, lookup_key=excluded.lookup_key"));
  FLORA_ASSIGN(writer->delete_answers_, db.prepare("DELETE FROM kept_answer WHERE expires<=?"));
  FLORA_ASSIGN(writer->outbox_size_, writer->outbox_->count());
  FLORA_ASSIGN(writer->newest_, Newest::open(db));
  FLORA_ASSIGN(writer->turn_, TurnRow::open(db, env));
  // From here on the connection is the thread's alone: a statement that ended elsewhere could
  // commit.
  writer->thread_ = std::thread([raw = writer.get()] { raw->run(); });
  return writer;
}

Store::Writer::Writer(Options options, Env& env, std::unique_ptr<sql::Database> database)
    : options_(std::move(options)),
      env_(env),
      database_(std::move(database)),
      batches_(options_.queue) {}

Store::Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Store::Writer::accept(std::string_view sender, std::vector<Draft> drafts, AcceptDone done) {
  const std::size_t count = drafts.size();
  Batch batch{std::move(drafts), std::move(done), {}};
  {
    const std::lock_guard lock(mutex_);
    const bool has_room = outbox_size_ <= options_.outbox;
    if (!has_room) look_for_room();
    const bool open = has_room && !failed_ && !stopping_;
    if (open && batches_.push(sender, count, batch)) {
      wake_.notify_one();
      return;
    }
  }
  batch.done(std::vector<Outcome>(count, Outcome(Refusal::overloaded)));
}

// Another gateway may have made it since; this one hears of that when it writes.
void Store::Writer::look_for_room() {
  const std::int64_t now = env_.steady_ns();
  if (!newest_ || now < look_at_ns_) return;
  look_at_ns_ = now + std::chrono::nanoseconds(kLookForRoom).count();
  looks_for_room_ = true;
  wake_.notify_one();
}

void Store::Writer::record(std::vector<std::string> bodies,
                           std::function<void(const Result<void>&)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (readings_.size() < options_.queue && !failed_ && !stopping_) {
      readings_.push_back({std::move(bodies), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done(Error{Errc::overloaded, "too many accesses wait for their record"});
}

void Store::Writer::committed_through(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  committed_ = std::max(committed_, number);
  // Else no wake-up: the outbox is trimmed with the next commit, or at the end.
  if (committed_ >= next_tombstone_) wake_.notify_one();
}

// Nobody is told when nothing can be written any more: OutboxStore::settle().
void Store::Writer::settle(std::optional<std::int64_t> fence,
                           std::vector<outbox::Settlement> settlements,
                           std::function<void(const Result<void>&)> done) {
  const std::lock_guard lock(mutex_);
  if (failed_ || stopping_) return;
  settled_.push_back({fence, std::move(settlements), std::move(done)});
  wake_.notify_one();
}

void Store::Writer::change_turn(TurnChange change) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_ && !stopping_) {
      turn_changes_.push_back(std::move(change));
      wake_.notify_one();
      return;
    }
  }
  change.done(Error{Errc::unavailable, "the store takes nothing more"});
}

void Store::Writer::reopen_failed(const Uuid& transaction_id, ReopenDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_ && !stopping_) {
      reopenings_.push_back({transaction_id, std::move(done), {}});
      wake_.notify_one();
      return;
    }
  }
  done(Error{Errc::unavailable, "the store takes nothing more"});
}

void Store::Writer::keep_answer(const AnswerDigests& digests, const KeptAnswer& answer,
                                Instant expires, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_ && !stopping_) {
      answers_.push_back({digests, answer, expires, std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done();
}

void Store::Writer::keep_adapter(const AdapterMark& mark, const AdapterTexts& texts,
                                 std::function<void(const Result<void>&)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_ && !stopping_) {
      adapters_.push_back({mark, texts, std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done(Error{Errc::unavailable, "the store takes nothing more"});
}

void Store::Writer::use_keys(std::shared_ptr<const MappingKeys> keys,
                             std::function<void(const Result<void>&)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_ && !stopping_) {
      key_changes_.push_back({std::move(keys), std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  done(Error{Errc::unavailable, "the store takes nothing more"});
}

void Store::Writer::erase(ErasureOrder order, ErasureBegun begun, ErasureDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (erasures_queued_.size() < options_.queue && !failed_ && !stopping_) {
      erasures_queued_.push_back({std::move(order), std::move(begun), std::move(done), {}, {}});
      wake_.notify_one();
      return;
    }
  }
  const Error error{Errc::overloaded, "too many erasures wait"};
  begun(error);
  done(error);
}

void Store::Writer::await_erasure(const Uuid& procedure, ErasureDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_queued_.size() < options_.queue && !failed_ && !stopping_) {
      waiting_queued_.push_back({procedure, std::move(done), 0});
      wake_.notify_one();
      return;
    }
  }
  done(Error{Errc::overloaded, "too many wait for erasures"});
}

bool Store::Writer::has_work() const {
  return !batches_.empty() || !readings_.empty() || !answers_.empty() || !adapters_.empty() ||
         !key_changes_.empty() || !erasures_queued_.empty() || !waiting_queued_.empty() ||
         !settled_.empty() || !reopenings_.empty() || !turn_changes_.empty() || looks_for_room_ ||
         committed_ >= next_tombstone_;
}

// Then the audit trail is tidied up, the keys are changed and what erasures wait for is tried
// again, also if nobody asks for anything.
std::chrono::nanoseconds Store::Writer::pause() const {
  std::chrono::nanoseconds pause = audit_->pause();
  if (failed_) return pause;
  if (const auto rotation = rotation_->wait()) pause = std::min(pause, *rotation);
  if (has_remains_ || !waiting_.empty()) return std::min(pause, kErasurePause);
  const bool put_off = eraser_->count() > 0 && next_tombstone_ == kNoTombstone;
  return put_off ? std::min(pause, kErasureRetry) : pause;
}

Store::Writer::Work Store::Writer::take() {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, pause(), [this] { return stopping_ || has_work(); });
  Work work;
  std::size_t drafts = 0;
  while (!batches_.empty() && drafts < options_.group) {
    work.batches.push_back(batches_.pop());
    drafts += work.batches.back().drafts.size();
  }
  work.readings = std::exchange(readings_, {});
  work.answers = std::exchange(answers_, {});
  work.adapters = std::exchange(adapters_, {});
  work.key_changes = std::exchange(key_changes_, {});
  work.erasures = std::exchange(erasures_queued_, {});
  work.waiting = std::exchange(waiting_queued_, {});
  work.settled = std::exchange(settled_, {});
  work.reopenings = std::exchange(reopenings_, {});
  work.turn_changes = std::exchange(turn_changes_, {});
  looks_for_room_ = false;
  work.committed = committed_;
  work.last = stopping_ && work.empty();
  return work;
}

void Store::Writer::run() {
  while (true) {
    Work work = take();
    process(work);
    if (work.last) break;
  }
  give_up_erasures({Errc::overloaded, "the store ends; the erasure goes on at its next start"});
  audit_->sync();
}

void Store::Writer::process(Work& work) {
  for (KeyChange& change : work.key_changes) {
    const Result<void> changed = change_keys(std::move(change.keys));
    end_if_uncertain(changed);
    change.done(changed);
  }
  const Result<void> written = write(work);
  const bool uncertain = !written && written.error().code == Errc::uncertain;
  if (!written) {
    database_->rollback();
    audit_->rolled_back();
    rotation_->rolled_back();
    eraser_->rolled_back();
    log::write(log::Level::error, "store: a group was not written",
               {{"reason", to_string(written.error().code)},
                {"detail", std::string_view(written.error().message)}});
    refuse(work, uncertain ? Refusal::uncertain : Refusal::unavailable);
    if (uncertain) mark_failed();  // Before anybody is told.
  }
  // Whether a turn is over is said by its row alone.
  const Result<void> in_turn =
      written || uncertain ? written : Error{Errc::unavailable, "not written"};
  for (Batch& batch : work.batches) batch.done(std::move(batch.outcomes));
  for (Reading& reading : work.readings) reading.done(written);
  for (Answer& answer : work.answers) answer.done();
  for (Adapter& adapter : work.adapters) adapter.done(written);
  for (Settled& settled : work.settled) {
    const bool stale = written && settled.is_stale;
    settled.done(stale ? Result<void>(Error{Errc::conflict, "the turn is over"}) : in_turn);
  }
  for (Reopening& one : work.reopenings) {
    one.done(written ? std::move(*one.row) : Result<outbox::Row>(written.error()));
  }
  for (TurnChange& change : work.turn_changes) {
    change.done(written ? change.fence : Result<std::int64_t>(in_turn.error()));
  }
  take_over(work, written);
  end_if_uncertain(written);
  if (written) {
    // What is not named any more need not be looked up; if that fails it still is.
    if (std::exchange(keys_retired_, false)) end_if_uncertain(refresh_keys(keys_.get()->keys));
    tidy();
  }
  settle_erasures();
}

// Nothing more may be written then.
void Store::Writer::end_if_uncertain(const Result<void>& done) {
  if (done || done.error().code != Errc::uncertain) return;
  mark_failed();
  if (options_.on_fatal) options_.on_fatal(done.error());
}

// Erasures go on behind the commit that began them.
void Store::Writer::take_over(Work& work, const Result<void>& written) {
  const std::int64_t deadline =
      env_.steady_ns() + std::chrono::nanoseconds(kErasurePatience).count();
  for (Erasure& erasure : work.erasures) {
    if (!written) erasure.refused = written.error();
    if (erasure.refused) {
      erasure.begun(*erasure.refused);
      erasure.done(*erasure.refused);
      continue;
    }
    erasure.begun(std::move(erasure.tombstones));
    waiting_.push_back({erasure.order.procedure, std::move(erasure.done), deadline});
  }
  for (Waiting& one : work.waiting) {
    waiting_.push_back({one.procedure, std::move(one.done), deadline});
  }
  const std::lock_guard lock(mutex_);
  erasures_ = eraser_->count();
  // What could not be deleted is tried again after a pause.
  next_tombstone_ = written ? eraser_->next().value_or(kNoTombstone) : kNoTombstone;
}

// Lets go of what was deleted as soon as no reader holds an older state, and tells who waits.
void Store::Writer::settle_erasures() {
  if (failed_) return give_up_erasures({Errc::uncertain, "a commit failed"});
  if (has_remains_) {
    const Result<bool> forgotten = database_->forget_deleted(kMappingTables);
    if (!forgotten) {
      mark_failed();
      give_up_erasures(forgotten.error());
      if (options_.on_fatal) options_.on_fatal(forgotten.error());
      return;
    }
    has_remains_ = !*forgotten;
  }
  const std::int64_t now = env_.steady_ns();
  std::vector<Waiting> waiting = std::exchange(waiting_, {});
  for (Waiting& one : waiting) {
    const bool open = eraser_->is_under_way(one.procedure);
    if (!open && !has_remains_) {
      one.done({});
    } else if (now >= one.deadline_ns) {
      one.done(Error{Errc::overloaded, "the erasure takes long; it goes on"});
    } else {
      waiting_.push_back(std::move(one));
    }
  }
}

void Store::Writer::give_up_erasures(const Error& error) {
  for (const Waiting& one : std::exchange(waiting_, {})) one.done(error);
}

void Store::Writer::tidy() {
  const Result<void> tidied = database_->tidy();
  if (tidied) return;
  mark_failed();
  if (options_.on_fatal) options_.on_fatal(tidied.error());
}

void Store::Writer::mark_failed() {
  const std::lock_guard lock(mutex_);
  failed_ = true;
}

void Store::Writer::refuse(Work& work, Refusal refusal) {
  for (Batch& batch : work.batches) {
    batch.outcomes.assign(batch.drafts.size(), Outcome(refusal));
  }
}

Result<void> Store::Writer::write(Work& work) {
  if (failed_) return Error{Errc::unavailable, "an earlier commit failed"};
  FLORA_TRY(database_->begin());
  const bool behind = database_->is_behind();
  if (behind) FLORA_TRY(catch_up());
  FLORA_TRY(find_stale(work));
  std::int64_t added = 0;
  for (Batch& batch : work.batches) {
    for (Draft& draft : batch.drafts) {
      FLORA_ASSIGN(Outcome outcome, acceptor_->accept(draft));
      const auto* accepted = std::get_if<Accepted>(&outcome);
      if (accepted != nullptr && !accepted->repeat) ++added;
      audit_->add(draft.audit, outcome);
      batch.outcomes.push_back(std::move(outcome));
    }
  }
  for (Erasure& erasure : work.erasures) {
    FLORA_ASSIGN(const std::int64_t begun, begin_erasure(erasure));
    added += begun;
  }
  for (Reading& reading : work.readings) {
    for (std::string& body : reading.bodies) audit_->add(std::move(body));
  }
  for (const Answer& answer : work.answers) FLORA_TRY(write_answer(answer));
  for (const Adapter& adapter : work.adapters) {
    FLORA_TRY(archive_adapter(*database_, adapter.mark, adapter.texts, Instant{env_.now_ms()}));
  }
  const bool trims = work.committed > trimmed_;
  if (trims) {
    FLORA_ASSIGN(const std::int64_t removed, outbox_->trim(work.committed));
    added -= removed;
  }
  FLORA_ASSIGN(const std::int64_t settled, settle_outbox(work));
  FLORA_ASSIGN(const Eraser::Deleted deleted, delete_mappings(work));
  added -= settled + deleted.rows;
  for (TurnChange& change : work.turn_changes) FLORA_TRY(change_turn_row(change));
  FLORA_TRY(audit_->write(Instant{env_.now_ms()}));
  FLORA_TRY(rotate(work));
  FLORA_TRY(tell_others(added));
  FLORA_TRY(database_->commit());
  if (behind) database_->caught_up();
  has_remains_ = has_remains_ || !deleted.procedures.empty();
  eraser_->committed();
  audit_->committed(std::chrono::nanoseconds(env_.steady_ns()));
  keys_retired_ = rotation_->committed();
  outbox_size_ += added;
  if (trims) trimmed_ = work.committed;
  return {};
}

// All that is kept in memory of what the database says. Should the transaction be taken back, it is
// done again.
Result<void> Store::Writer::catch_up() {
  FLORA_ASSIGN(const Newest::State newest, newest_->read());
  acceptor_->catch_up(newest.number, newest.recorded);
  outbox_size_ = newest.outbox;
  FLORA_TRY(audit_->catch_up(*database_));
  FLORA_TRY(load_erasures());
  const auto known = keys_.get();
  FLORA_ASSIGN(auto in_use, take_up(*database_, known));
  if (in_use == known) return {};
  keys_.replace(in_use);
  rotation_->use(in_use);
  acceptor_->use(std::move(in_use));
  return {};
}

// What another one has ended may have left remains that it does not live to remove: whoever is told
// here is told when this one has looked.
Result<void> Store::Writer::load_erasures() {
  const auto count = [this] {
    return std::ranges::count_if(
        waiting_, [this](const Waiting& one) { return eraser_->is_under_way(one.procedure); });
  };
  const auto before = count();
  FLORA_TRY(eraser_->load());
  has_remains_ = has_remains_ || count() < before;
  return {};
}

Result<void> Store::Writer::tell_others(std::int64_t added) {
  if (!newest_) return {};
  return newest_->write(
      {acceptor_->last_number(), acceptor_->last_recorded(), outbox_size_ + added});
}

// What fails for another reason than the disk would fail again and again.
Result<void> Store::Writer::rotate(const Work& work) {
  const auto wait = rotation_->wait();
  if (!wait || wait->count() > 0) return {};
  const bool alone = work.empty();
  Result<void> done = rotation_->step(alone ? kRotationAlone : kRotationBeside);
  if (!done && (done.error().code == Errc::conflict || done.error().code == Errc::corrupt)) {
    rotation_->give_up();
  }
  return done;
}

Result<void> Store::Writer::change_keys(std::shared_ptr<const MappingKeys> keys) {
  if (failed_) return Error{Errc::unavailable, "an earlier commit failed"};
  FLORA_TRY(refresh_keys(std::move(keys)));
  rotation_->use(keys_.get());
  return {};
}

// Readers look under a new key before the first row is written with it.
Result<void> Store::Writer::refresh_keys(std::shared_ptr<const MappingKeys> keys) {
  FLORA_ASSIGN(auto in_use, take_into_use(*database_, std::move(keys)));
  keys_.replace(in_use);
  acceptor_->use(std::move(in_use));
  return {};
}

// The number of rows that came into the outbox.
Result<std::int64_t> Store::Writer::begin_erasure(Erasure& erasure) {
  const ErasureOrder& order = erasure.order;
  AuditEffect effect;
  effect.outcome = AuditEffect::Outcome::repeat;
  FLORA_ASSIGN(effect.procedures, eraser_->merged_with(order.procedure));
  if (order.known) {
    FLORA_ASSIGN(const bool more, eraser_->holds_more(effect.procedures, *order.known));
    if (more) erasure.refused = Error{Errc::conflict, "something new was accepted of it"};
    if (effect.procedures.empty()) erasure.refused = Error{Errc::not_found, "no such procedure"};
    if (erasure.refused) return std::int64_t{0};
  }
  for (const Uuid& procedure : effect.procedures) {
    if (eraser_->is_under_way(procedure)) continue;
    FLORA_ASSIGN(Accepted tombstone, acceptor_->bury(procedure, order.authority));
    FLORA_TRY(eraser_->begin(procedure, tombstone.number));
    effect.outcome = AuditEffect::Outcome::accepted;
    if (!effect.transaction) effect.transaction = tombstone.transaction_id;
    erasure.tombstones.push_back(std::move(tombstone));
  }
  if (effect.procedures.empty()) effect.procedures.push_back(order.procedure);
  audit_->add(audit_->format().body(order.audit, effect));
  return static_cast<std::int64_t>(erasure.tombstones.size());
}

Result<Eraser::Deleted> Store::Writer::delete_mappings(const Work& work) {
  Eraser::Deleted deleted;
  if (eraser_->count() == 0) return deleted;
  std::vector<std::int64_t> committed;
  for (const Settled& settled : work.settled) {
    if (settled.is_stale) continue;
    for (const outbox::Settlement& one : settled.settlements) {
      if (one.kind == outbox::Settlement::Kind::committed) committed.push_back(one.number);
    }
  }
  FLORA_ASSIGN(deleted, eraser_->delete_settled(committed));
  FLORA_ASSIGN(const std::vector<Uuid> in_order, eraser_->delete_through(work.committed));
  deleted.procedures.insert(deleted.procedures.end(), in_order.begin(), in_order.end());
  if (deleted.procedures.empty()) return deleted;
  audit_->add(audit_->format().body_of_erasure(deleted.procedures));
  return deleted;
}

// Most of them are of one turn: the row is asked once for each that follows another.
Result<void> Store::Writer::find_stale(Work& work) {
  std::optional<std::int64_t> asked;
  bool current = false;
  for (Settled& settled : work.settled) {
    if (!settled.fence || !turn_) continue;
    if (settled.fence != asked) {
      FLORA_ASSIGN(current, turn_->is_current(*settled.fence));
      asked = settled.fence;
    }
    settled.is_stale = !current;
  }
  return {};
}

// That it is another one's is an answer, and no failure of the group.
Result<void> Store::Writer::change_turn_row(TurnChange& change) {
  if (!turn_) {
    change.fence = Error{Errc::conflict, "nobody shares the store"};
    return {};
  }
  Result<void> done;
  if (change.kind == TurnChange::Kind::take) {
    change.fence = turn_->take(change.turn);
    if (!change.fence) done = change.fence.error();
  } else {
    const bool renews = change.kind == TurnChange::Kind::renew;
    done = renews ? turn_->renew(change.turn.fence) : turn_->give_back(change.turn.fence);
    change.fence = done ? Result<std::int64_t>(change.turn.fence) : done.error();
  }
  return !done && done.error().code != Errc::conflict ? done : Result<void>();
}

// The number of rows that went.
Result<std::int64_t> Store::Writer::settle_outbox(Work& work) {
  std::int64_t removed = 0;
  for (const Settled& settled : work.settled) {
    if (settled.is_stale) continue;
    for (const outbox::Settlement& one : settled.settlements) {
      FLORA_ASSIGN(const std::int64_t rows, outbox_->settle(one));
      removed += rows;
    }
  }
  for (Reopening& one : work.reopenings) FLORA_TRY(reopen(one));
  return removed;
}

// That it has not failed is an answer, too.
Result<void> Store::Writer::reopen(Reopening& one) {
  const auto number = turn_ ? std::optional(acceptor_->next_number()) : std::nullopt;
  one.row = outbox_->reopen(one.transaction_id, number);
  if (!*one.row && one.row->error().code != Errc::not_found) return one.row->error();
  return {};
}

Result<void> Store::Writer::write_answer(const Answer& answer) {
  FLORA_TRY(delete_answers_->bind(1, env_.now_ms()).run());
  sql::Statement& insert = *insert_answer_;
  const auto in_use = keys_.get();
  const AnswerDigests keyed = in_use->keys->keyed(0, answer.digests);
  insert.bind_blob(1, keyed.key).bind_blob(2, keyed.request).bind(3, answer.answer.status);
  insert.bind_text(4, answer.answer.location).bind_text(5, answer.answer.content_type);
  insert.bind_text(6, answer.answer.body).bind(7, answer.expires.ms);
  if (answer.answer.procedure) {
    insert.bind_blob(8, answer.answer.procedure->bytes);
  } else {
    insert.bind_null(8);
  }
  insert.bind(9, in_use->current_lookup());
  return insert.run();
}

}  // namespace flora::store
