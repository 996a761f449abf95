// The store's only writing thread: everything that is queued since the last commit goes into one
// transaction, with one fsync.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/base/fair_queue.h"
#include "gateway/base/sql.h"
#include "gateway/store/acceptor.h"
#include "gateway/store/audit_log.h"
#include "gateway/store/eraser.h"
#include "gateway/store/keys_in_use.h"
#include "gateway/store/newest.h"
#include "gateway/store/outbox_rows.h"
#include "gateway/store/rotation.h"
#include "gateway/store/store.h"
#include "gateway/store/turn.h"

namespace flora::store {

class Store::Writer {
  static constexpr std::int64_t kNoTombstone = std::numeric_limits<std::int64_t>::max();

 public:
  static Result<std::unique_ptr<Writer>> start(Options options, Env& env);
  ~Writer();

  void accept(std::string_view sender, std::vector<Draft> drafts, AcceptDone done);
  void record(std::vector<std::string> bodies, std::function<void(const Result<void>&)> done);
  void erase(ErasureOrder order, ErasureBegun begun, ErasureDone done);
  void await_erasure(const Uuid& procedure, ErasureDone done);
  void committed_through(std::int64_t number);
  /// With a fence: only while it is the turn of that fence.
  void settle(std::optional<std::int64_t> fence, std::vector<outbox::Settlement> settlements,
              std::function<void(const Result<void>&)> done);
  struct TurnChange {
    enum class Kind : std::uint8_t { take, renew, give_back };
    Kind kind = Kind::take;
    Turn turn;  // take: as it was seen; else its fence.
    std::function<void(const Result<std::int64_t>&)> done;
    Result<std::int64_t> fence = std::int64_t{0};
  };
  void change_turn(TurnChange change);
  void reopen_failed(const Uuid& transaction_id, ReopenDone done);
  void keep_answer(const AnswerDigests& digests, const KeptAnswer& answer, Instant expires,
                   std::function<void()> done);
  void use_keys(std::shared_ptr<const MappingKeys> keys,
                std::function<void(const Result<void>&)> done);
  void keep_adapter(const AdapterMark& mark, const AdapterTexts& texts,
                    std::function<void(const Result<void>&)> done);
  std::int64_t outbox_size() const { return outbox_size_; }
  const KeysInForce& keys() const { return keys_; }
  RotationProgress rotation() const { return rotation_->progress(); }
  std::int64_t erasures_under_way() const { return erasures_; }

 private:
  struct Batch {
    std::vector<Draft> drafts;
    AcceptDone done;
    std::vector<Outcome> outcomes;
  };
  struct Answer {
    AnswerDigests digests;
    KeptAnswer answer;
    Instant expires;
    std::function<void()> done;
  };
  struct Adapter {
    AdapterMark mark;
    AdapterTexts texts;
    std::function<void(const Result<void>&)> done;
  };
  // An access that waits for its records of the audit trail.
  struct Reading {
    std::vector<std::string> bodies;
    std::function<void(const Result<void>&)> done;
  };
  struct KeyChange {
    std::shared_ptr<const MappingKeys> keys;
    std::function<void(const Result<void>&)> done;
  };
  struct Erasure {
    ErasureOrder order;
    ErasureBegun begun;
    ErasureDone done;
    std::vector<Accepted> tombstones;
    std::optional<Error> refused;
  };
  // Who waits until nothing is left of a procedure.
  struct Waiting {
    Uuid procedure;
    ErasureDone done;
    std::int64_t deadline_ns = 0;
  };
  // What the remote ledger has made of rows.
  struct Settled {
    std::optional<std::int64_t> fence;
    std::vector<outbox::Settlement> settlements;
    std::function<void(const Result<void>&)> done;
    bool is_stale = false;  // The turn of that fence is over.
  };
  struct Reopening {
    Uuid transaction_id;
    ReopenDone done;
    std::optional<Result<outbox::Row>> row;
  };
  struct Work {
    std::vector<Batch> batches;
    std::vector<Erasure> erasures;
    std::vector<Waiting> waiting;
    std::vector<Reading> readings;
    std::vector<Answer> answers;
    std::vector<Adapter> adapters;
    std::vector<KeyChange> key_changes;
    std::vector<Settled> settled;
    std::vector<Reopening> reopenings;
    std::vector<TurnChange> turn_changes;
    std::int64_t committed = 0;
    bool last = false;

    bool empty() const {
      return batches.empty() && readings.empty() && answers.empty() && adapters.empty() &&
             key_changes.empty() && erasures.empty() && waiting.empty() && settled.empty() &&
             reopenings.empty() && turn_changes.empty();
    }
  };

  Writer(Options options, Env& env, std::unique_ptr<sql::Database> database);
  void run();
  Work take();
  void process(Work& work);
  bool has_work() const;
  void look_for_room();
  std::chrono::nanoseconds pause() const;
  Result<void> write(Work& work);
  Result<void> catch_up();
  Result<void> load_erasures();
  Result<void> tell_others(std::int64_t added);
  Result<void> rotate(const Work& work);
  Result<void> change_keys(std::shared_ptr<const MappingKeys> keys);
  Result<void> refresh_keys(std::shared_ptr<const MappingKeys> keys);
  Result<std::int64_t> begin_erasure(Erasure& erasure);
  Result<Eraser::Deleted> delete_mappings(const Work& work);
  void take_over(Work& work, const Result<void>& written);
  void settle_erasures();
  void give_up_erasures(const Error& error);
  void tidy();
  void mark_failed();
  void end_if_uncertain(const Result<void>& done);
  Result<void> find_stale(Work& work);
  Result<std::int64_t> settle_outbox(Work& work);
  Result<void> reopen(Reopening& one);
  Result<void> change_turn_row(TurnChange& change);
  Result<void> write_answer(const Answer& answer);
  static void refuse(Work& work, Refusal refusal);

  Options options_;
  Env& env_;
  std::unique_ptr<sql::Database> database_;
  std::optional<Acceptor> acceptor_;
  std::optional<AuditLog> audit_;
  std::optional<Rotation> rotation_;
  KeysInForce keys_;
  std::optional<Eraser> eraser_;
  std::optional<Newest> newest_;
  std::optional<OutboxRows> outbox_;
  std::optional<TurnRow> turn_;
  std::optional<sql::Statement> insert_answer_;
  std::optional<sql::Statement> delete_answers_;

  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<Batch> batches_;
  std::vector<Reading> readings_;
  std::vector<Answer> answers_;
  std::vector<Adapter> adapters_;
  std::vector<KeyChange> key_changes_;
  std::vector<Settled> settled_;
  std::vector<Reopening> reopenings_;
  std::vector<TurnChange> turn_changes_;
  bool looks_for_room_ = false;
  std::int64_t look_at_ns_ = 0;  // Not before.
  std::vector<Erasure> erasures_queued_;
  std::vector<Waiting> waiting_queued_;
  std::int64_t next_tombstone_ = kNoTombstone;  // The next deletion is due when it is committed.
  std::int64_t committed_ = 0;
  bool stopping_ = false;
  bool failed_ = false;       // After an uncertain commit nothing is written any more.
  std::int64_t trimmed_ = 0;  // Writer thread only, like the next.
  bool keys_retired_ = false;
  bool has_remains_ = false;  // Of what was deleted, until the database has let go of it.
  std::vector<Waiting> waiting_;
  std::atomic<std::int64_t> erasures_ = 0;
  std::atomic<std::int64_t> outbox_size_ = 0;
  std::thread thread_;
};

}  // namespace flora::store
