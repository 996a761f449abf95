#include "gateway/intake/turn_keeper.h"

#include <algorithm>
#include <future>
#include <utility>

#include "gateway/base/log.h"

namespace flora::intake {
namespace {

using std::chrono::nanoseconds;

// Waits for what the store's writer says. It always says something.
template <typename Ask>
Result<std::int64_t> answer_to(Ask ask) {
  const auto promise = std::make_shared<std::promise<Result<std::int64_t>>>();
  ask([promise](const Result<std::int64_t>& fence) { promise->set_value(fence); });
  return promise->get_future().get();
}

}  // namespace

// One turn, as network, store and outbox ask for it, on any thread and for as long as they like.
class TurnKeeper::Hold {
 public:
  Hold(Env& env, std::int64_t fence, std::int64_t until_ns)
      : env_(env), fence_(fence), until_ns_(until_ns) {}

  std::int64_t fence() const { return fence_; }
  nanoseconds left() const { return nanoseconds(over_ ? 0 : until_ns_ - env_.steady_ns()); }
  bool permits() const { return left().count() > 0; }
  void extend(std::int64_t until_ns) { until_ns_ = until_ns; }
  // For good, whatever the clock says.
  void end() { over_ = true; }
  bool is_over() const { return over_; }

 private:
  Env& env_;
  const std::int64_t fence_;
  std::atomic<std::int64_t> until_ns_;
  std::atomic<bool> over_ = false;
};

// The store as the outbox of one turn sees it.
class TurnKeeper::Rows final : public outbox::OutboxStore {
 public:
  Rows(store::Store& store, std::shared_ptr<Hold> hold) : store_(store), hold_(std::move(hold)) {}

  void settle(std::vector<outbox::Settlement> settlements,
              std::function<void(const Result<void>&)> done) override {
    store_.settle_in_turn(hold_->fence(), std::move(settlements),
                          [hold = hold_, done = std::move(done)](const Result<void>& settled) {
                            if (!settled && settled.error().code == Errc::conflict) hold->end();
                            done(settled);
                          });
  }
  Result<std::vector<outbox::Row>> rows(std::int64_t after, std::size_t limit) override {
    return store_.rows(after, limit);
  }
  Result<std::vector<outbox::Failed>> failed_rows() override { return store_.failed_rows(); }

 private:
  store::Store& store_;
  const std::shared_ptr<Hold> hold_;
};

struct TurnKeeper::Work {
  Work(store::Store& store, std::shared_ptr<Hold> hold) : rows(store, std::move(hold)) {}
  Rows rows;
  std::unique_ptr<outbox::Outbox> outbox;
};

TurnKeeper::TurnKeeper(TurnTimes times, outbox::Options options, store::Store& store,
                       outbox::RemoteLedger& ledger, Env& env)
    : times_(times),
      options_(std::move(options)),
      store_(store),
      ledger_(ledger),
      env_(env),
      watch_(times.length),
      thread_([this] { run(); }) {}

TurnKeeper::~TurnKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (!hold_) return;
  const std::int64_t fence = hold_->fence();
  end();
  // The store writes it before it ends.
  store_.give_turn_back(fence, [](const Result<std::int64_t>&) {});
}

void TurnKeeper::hint() {
  const std::lock_guard lock(mutex_);
  if (work_) work_->outbox->push({});
}

bool TurnKeeper::has_turn() const {
  const std::lock_guard lock(mutex_);
  return hold_ && hold_->permits();
}

outbox::Activity TurnKeeper::activity() const {
  const std::lock_guard lock(mutex_);
  outbox::Activity activity = work_ ? work_->outbox->activity() : outbox::Activity{};
  activity.tries += tries_before_;
  return activity;
}

bool TurnKeeper::is_submitted(const Uuid& id) const {
  const std::lock_guard lock(mutex_);
  return work_ && work_->outbox->is_submitted(id);
}

void TurnKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (hold_ && hold_->is_over()) {
      log::write(log::Level::warning, "outbox: another gateway has the turn");
      end();
    }
    hold_ ? work() : stand_by();
    lock.lock();
    if (stopping_) return;
    nanoseconds pause = times_.look;
    if (hold_) pause = std::min(pause, nanoseconds(renew_at_ns_ - env_.steady_ns()));
    wake_.wait_for(lock, std::max<nanoseconds>(pause, std::chrono::milliseconds(1)));
  }
}

// What cannot be read now is looked at again.
void TurnKeeper::stand_by() {
  const Result<store::Turn> seen = store_.turn();
  if (seen && watch_.may_take(*seen, env_.steady_ns())) take(*seen);
}

void TurnKeeper::take(const store::Turn& seen) {
  const std::int64_t sent_ns = env_.steady_ns();
  const auto fence = answer_to([&](auto done) { store_.take_turn(seen, std::move(done)); });
  if (!fence) return;
  const nanoseconds length = times_.length;
  {
    const std::lock_guard lock(mutex_);
    hold_ = std::make_shared<Hold>(env_, *fence, sent_ns + (length - length / 5).count());
  }
  renew_at_ns_ = sent_ns + (length / 4).count();
  log::write(log::Level::info, "outbox: this gateway has the turn", {{"turn", *fence}});
  work();
}

void TurnKeeper::work() {
  if (env_.steady_ns() >= renew_at_ns_) renew();
  if (work_ || hold_->is_over()) return;
  auto made = std::make_unique<Work>(store_, hold_);
  outbox::Options options = options_;
  options.time_left = [hold = hold_] { return hold->left(); };
  auto outbox = outbox::Outbox::start(std::move(options), made->rows, ledger_.network(),
                                      ledger_.replica(), env_);
  if (!outbox) {
    log::write(log::Level::error, "outbox: rows cannot be read",
               {{"reason", to_string(outbox.error().code)}});
    return;
  }
  made->outbox = std::move(*outbox);
  const std::lock_guard lock(mutex_);
  work_ = std::move(made);
}

// Counted from before the beat was sent. If it could not be written it is sent again soon: as long
// as nobody else has taken the turn, it goes on.
void TurnKeeper::renew() {
  const std::int64_t sent_ns = env_.steady_ns();
  const nanoseconds length = times_.length;
  const auto renewed =
      answer_to([&](auto done) { store_.renew_turn(hold_->fence(), std::move(done)); });
  if (renewed) {
    hold_->extend(sent_ns + (length - length / 5).count());
    renew_at_ns_ = sent_ns + (length / 4).count();
  } else if (renewed.error().code == Errc::conflict) {
    hold_->end();
  } else {
    renew_at_ns_ = env_.steady_ns() + (length / 10).count();
  }
}

void TurnKeeper::end() {
  hold_->end();
  std::unique_ptr<Work> work;
  {
    const std::lock_guard lock(mutex_);
    hold_.reset();
    work = std::move(work_);
    if (work) tries_before_ += work->outbox->activity().tries;
  }
  watch_.forget();
}

}  // namespace flora::intake
