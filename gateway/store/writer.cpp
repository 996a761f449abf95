#include "gateway/store/writer.h"

#include <algorithm>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/store/schema.h"

namespace flora::store {
namespace {

constexpr int kWalPages = 4000;  // 16 MiB of log before it is moved into the file.

}  // namespace

Result<std::unique_ptr<Store::Writer>> Store::Writer::start(Options options, Env& env) {
  FLORA_ASSIGN(sqlite::Database database,
               sqlite::Database::open(options.path, sqlite::Mode::read_write, sqlite::Sync::full,
                                      options.vfs));
  FLORA_TRY(prepare_schema(database));
  std::unique_ptr<Writer> writer(new Writer(std::move(options), env, std::move(database)));
  sqlite::Database& db = writer->database_;
  FLORA_TRY(db.checkpoint_by_hand(&writer->wal_pages_));
  FLORA_ASSIGN(Acceptor acceptor, Acceptor::open(db, writer->options_, env));
  writer->acceptor_.emplace(std::move(acceptor));
  FLORA_ASSIGN(AuditLog audit,
               AuditLog::open(db, std::move(writer->options_.audit), writer->options_.vfs));
  writer->audit_.emplace(std::move(audit));
  FLORA_ASSIGN(writer->delete_outbox_, db.prepare("DELETE FROM outbox WHERE n<=?"));
  FLORA_ASSIGN(writer->insert_answer_,
               db.prepare("INSERT OR REPLACE INTO kept_answer(key, request, status, location, "
                          "content_type, body, expires, procedure) VALUES(?,?,?,?,?,?,?,?)"));
  FLORA_ASSIGN(writer->delete_answers_, db.prepare("DELETE FROM kept_answer WHERE expires<=?"));
  FLORA_ASSIGN(auto count, db.prepare("SELECT count(*) FROM outbox"));
  FLORA_ASSIGN(const bool row, count.step());
  if (row) writer->outbox_size_ = count.integer(0);
  writer->thread_ = std::thread([raw = writer.get()] { raw->run(); });
  return writer;
}

Store::Writer::Writer(Options options, Env& env, sqlite::Database database)
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
    const bool open = outbox_size_ <= options_.outbox && !failed_ && !stopping_;
    if (open && batches_.push(sender, count, batch)) {
      wake_.notify_one();
      return;
    }
  }
  batch.done(std::vector<Outcome>(count, Outcome(Refusal::overloaded)));
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
  // No wake-up: the outbox is trimmed with the next commit, or at the end.
}

void Store::Writer::keep_answer(const Digest& key, const KeptAnswer& answer, Instant expires,
                                std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_ && !stopping_) {
      answers_.push_back({key, answer, expires, std::move(done)});
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

Store::Writer::Work Store::Writer::take() {
  std::unique_lock lock(mutex_);
  // After the pause the audit trail is tidied up, also if nobody asks for anything.
  wake_.wait_for(lock, audit_->pause(), [this] {
    return stopping_ || !batches_.empty() || !readings_.empty() || !answers_.empty() ||
           !adapters_.empty();
  });
  Work work;
  std::size_t drafts = 0;
  while (!batches_.empty() && drafts < options_.group) {
    work.batches.push_back(batches_.pop());
    drafts += work.batches.back().drafts.size();
  }
  work.readings = std::exchange(readings_, {});
  work.answers = std::exchange(answers_, {});
  work.adapters = std::exchange(adapters_, {});
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
  audit_->sync();
}

void Store::Writer::process(Work& work) {
  const Result<void> written = write(work);
  const bool uncertain = !written && written.error().code == Errc::uncertain;
  if (!written) {
    database_.rollback();
    audit_->rolled_back();
    log::write(log::Level::error, "store: a group was not written",
               {{"reason", to_string(written.error().code)},
                {"detail", std::string_view(written.error().message)}});
    refuse(work, uncertain ? Refusal::uncertain : Refusal::unavailable);
    if (uncertain) mark_failed();
  }
  for (Batch& batch : work.batches) batch.done(std::move(batch.outcomes));
  for (Reading& reading : work.readings) reading.done(written);
  for (Answer& answer : work.answers) answer.done();
  for (Adapter& adapter : work.adapters) adapter.done(written);
  if (uncertain && options_.on_fatal) options_.on_fatal(written.error());
  if (written) tidy();
}

// Moves the write-ahead log into the file now and then. A sync that fails here leaves it open what
// the file holds, so that nothing more may be written.
void Store::Writer::tidy() {
  if (wal_pages_ < kWalPages) return;
  wal_pages_ = 0;
  const Result<void> moved = database_.checkpoint();
  if (moved) return;
  mark_failed();
  if (options_.on_fatal) options_.on_fatal(moved.error());
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
  FLORA_TRY(database_.begin());
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
  for (Reading& reading : work.readings) {
    for (std::string& body : reading.bodies) audit_->add(std::move(body));
  }
  for (const Answer& answer : work.answers) FLORA_TRY(write_answer(answer));
  for (const Adapter& adapter : work.adapters) {
    FLORA_TRY(archive_adapter(database_, adapter.mark, adapter.texts, Instant{env_.now_ms()}));
  }
  const bool trims = work.committed > trimmed_;
  if (trims) {
    FLORA_ASSIGN(const std::int64_t removed, trim_outbox(work.committed));
    added -= removed;
  }
  FLORA_TRY(audit_->write(Instant{env_.now_ms()}));
  FLORA_TRY(database_.commit());
  audit_->committed(std::chrono::nanoseconds(env_.steady_ns()));
  outbox_size_ += added;
  if (trims) trimmed_ = work.committed;
  return {};
}

// The number of rows that went.
Result<std::int64_t> Store::Writer::trim_outbox(std::int64_t through) {
  FLORA_TRY(delete_outbox_->bind(1, through).run());
  return delete_outbox_->changes();
}

Result<void> Store::Writer::write_answer(const Answer& answer) {
  FLORA_TRY(delete_answers_->bind(1, env_.now_ms()).run());
  sqlite::Statement& insert = *insert_answer_;
  insert.bind_blob(1, answer.key).bind_blob(2, answer.answer.request).bind(3, answer.answer.status);
  insert.bind_text(4, answer.answer.location).bind_text(5, answer.answer.content_type);
  insert.bind_text(6, answer.answer.body).bind(7, answer.expires.ms);
  if (answer.answer.procedure) {
    insert.bind_blob(8, answer.answer.procedure->bytes);
  } else {
    insert.bind_null(8);
  }
  return insert.run();
}

}  // namespace flora::store
