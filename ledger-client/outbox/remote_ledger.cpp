#include "ledger-client/outbox/remote_ledger.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <utility>

#include "gateway/base/in_flight.h"
#include "gateway/base/log.h"
#include "gateway/base/thread_pool.h"
#include "gateway/model/transaction.h"

namespace flora::outbox {
namespace {

constexpr std::size_t kLongest = 65'535;
constexpr std::chrono::seconds kTakeAgain{1};
constexpr int kNonces = 8;  // That may be spent on one entry.

const Uuid& procedure_of(const EntryContent& content) {
  return std::visit([](const auto& entry) -> const Uuid& { return entry.procedure; }, content);
}

const std::string& authority_of(const EntryContent& content) {
  return std::visit([](const auto& entry) -> const std::string& { return entry.authority; },
                    content);
}

// Empty if it cannot be read.
std::string channel_of(const std::string& body) {
  const Result<EntryContent> content = parse_entry(body);
  if (!content) return {};
  return std::visit([](const auto& entry) { return entry.channel; }, *content);
}

Error error_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::refused:
      return {outcome.reason == "conflict" ? Errc::conflict : Errc::invalid, outcome.reason};
    case Outcome::Kind::unknown:
      return {Errc::uncertain, outcome.reason};
    default:
      return {Errc::unavailable, outcome.reason};
  }
}

}  // namespace

class RemoteLedger::Core {
 public:
  Core(Options options, std::unique_ptr<RemoteNetwork> network, std::unique_ptr<Replica> replica,
       Env& env)
      : options_(std::move(options)),
        env_(env),
        replica_(std::move(replica)),
        network_(std::move(network)) {
    follow();
  }

  ~Core() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stopped_.notify_all();
    following_.reset();
    network_.reset();  // Ends the tries that are under way.
    replica_.reset();  // Tells who still waits for the copy.
    under_way_.wait();
  }

  RemoteNetwork& network() { return *network_; }
  Replica& replica() { return *replica_; }
  bool is_following() const { return up_ && stuck_ == 0; }

  std::string numbering() const {
    return options_.channels.size() > 1 ? replica_->name() : std::string();
  }

  void submit(std::vector<LedgerEntry> entries, Done done) {
    auto batch = std::make_shared<Batch>(entries.size(), std::move(done), under_way_.ticket());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Result<Try> one = try_of(entries[i]);
      if (!one) {
        batch->set(i, std::move(one).error());
        continue;
      }
      one->done = [batch, i](Result<Position> position) { batch->set(i, std::move(position)); };
      enqueue(std::move(*one));
    }
    // Never within the call, also if nothing of it is sent.
    if (!telling_.post({}, [batch] { batch->end_one(); })) batch->end_one();
  }

  Result<Receipt> receipt(const Uuid& id) {
    FLORA_ASSIGN(Replica::Held held, replica_->held(id));
    // Else readers would wait for a network that is away, one deadline each. Of several channels
    // each says so itself.
    if (!up_ && options_.channels.size() <= 1)
      return Error{Errc::unavailable, "the ledger network is not reached"};
    const auto promise = std::make_shared<std::promise<Result<std::string>>>();
    auto envelope = promise->get_future();
    NetworkPlace& place = held.entry.place;
    // A receipt never changes: it is not given before the one that stays.
    const std::string named = channel_of(held.entry.body);
    if (named != place.channel &&
        std::ranges::find(options_.channels, named) != options_.channels.end()) {
      return Error{Errc::unavailable, "the entry's first channel has not told of it yet"};
    }
    network_->envelope(
        place, [promise](Result<std::string> text) { promise->set_value(std::move(text)); });
    Result<std::string> found = envelope.get();
    if (!found) return Error{Errc::unavailable, "the network does not give the envelope"};
    return Receipt{held.index,
                   std::move(held.entry.body),
                   {},
                   NetworkProof{std::move(place.channel), std::move(place.transaction),
                                std::move(*found), place.block, std::move(held.entry.witness)}};
  }

 private:
  // Collects the results of one call; the last one tells them all.
  struct Batch {
    Batch(std::size_t count, Done whole, std::shared_ptr<void> ticket)
        : results(count, Result<Position>(Error{Errc::unavailable, "not tried"})),
          left(count + 1),
          done(std::move(whole)),
          under_way(std::move(ticket)) {}

    void set(std::size_t i, Result<Position> position) {
      {
        const std::lock_guard lock(mutex);
        results[i] = std::move(position);
      }
      end_one();
    }
    void end_one() {
      {
        const std::lock_guard lock(mutex);
        if (--left > 0) return;
      }
      done(std::move(results));
    }

    std::mutex mutex;
    std::vector<Result<Position>> results;
    std::size_t left;  // Results, and the call itself.
    Done done;
    std::shared_ptr<void> under_way;
  };

  struct Try {
    Attempt attempt;
    Uuid procedure;
    int nonces = 1;
    std::function<void(Result<Position>)> done;
  };

  Result<Try> try_of(LedgerEntry& entry) {
    if (entry.body.empty() || entry.body.size() > kLongest) {
      return Error{Errc::invalid, "a transaction has 1 to 65535 bytes"};
    }
    const Result<EntryContent> content = parse_entry(entry.body);
    if (!content) return Error{Errc::invalid, "this is no canonical transaction"};
    Try one;
    one.procedure = procedure_of(*content);
    one.attempt = {entry.id, authority_of(*content), std::move(entry.body), {}};
    env_.random(one.attempt.nonce);
    return one;
  }

  void enqueue(Try one) {
    const Uuid procedure = one.procedure;
    {
      const std::lock_guard lock(mutex_);
      std::deque<Try>& chain = chains_[procedure];
      chain.push_back(std::move(one));
      if (chain.size() > 1) return;
    }
    send(procedure);
  }

  // The first of the chain.
  void send(const Uuid& procedure) {
    Attempt attempt;
    {
      const std::lock_guard lock(mutex_);
      attempt = chains_.at(procedure).front().attempt;
    }
    network_->submit(std::move(attempt),
                     [this, procedure](const Outcome& outcome) { tried(procedure, outcome); });
  }

  void tried(const Uuid& procedure, const Outcome& outcome) {
    if (outcome.kind == Outcome::Kind::spent && renew(procedure)) return send(procedure);
    const auto [one, more] = take_first(procedure);
    if (outcome.kind != Outcome::Kind::committed) {
      one.done(error_of(outcome));
    } else {
      replica_->await(one.attempt.id, [done = one.done, repeated = outcome.repeated](
                                          const Result<std::uint64_t>& index) {
        if (!index) return done(index.error());
        done(Position{*index, repeated, {}});
      });
    }
    if (more) send(procedure);
  }

  bool renew(const Uuid& procedure) {
    const std::lock_guard lock(mutex_);
    Try& first = chains_.at(procedure).front();
    env_.random(first.attempt.nonce);
    return first.nonces++ < kNonces;
  }

  std::pair<Try, bool> take_first(const Uuid& procedure) {
    const std::lock_guard lock(mutex_);
    const auto chain = chains_.find(procedure);
    Try one = std::move(chain->second.front());
    chain->second.pop_front();
    const bool more = !chain->second.empty();
    if (!more) chains_.erase(chain);
    return {std::move(one), more};
  }

  void follow() {
    following_ = network_->follow(
        replica_->last(), [this](const std::vector<NetworkEntry>& entries) { take(entries); },
        [this](bool up) {
          if (up_.exchange(up) == up) return;
          log::write(up ? log::Level::info : log::Level::warning,
                     up ? "the ledger network is followed" : "the ledger network is not reached");
        });
  }

  // What the disk does not take now, or this program cannot read, holds back all that follows on
  // its channel: nothing may be passed over, and what is broken off is told again.
  void take(const std::vector<NetworkEntry>& entries) {
    bool is_stuck = false;
    while (true) {
      const Result<void> taken = take_once(entries);
      if (is_stuck != !taken) stuck_ += taken ? -1 : 1;
      is_stuck = !taken;
      if (taken) return;
      if (taken.error().code == Errc::uncertain) return wait_for_stop();
      log::write(log::Level::error, "the local copy of the ledger takes no entries",
                 {{"reason", to_string(taken.error().code)}});
      std::unique_lock lock(mutex_);
      if (stopped_.wait_for(lock, kTakeAgain, [this] { return stopping_; })) return;
    }
  }

  // One channel at a time. Nothing is taken any more once this ends, or the copy's disk has failed
  // in a commit.
  Result<void> take_once(const std::vector<NetworkEntry>& entries) {
    const std::lock_guard taking(taking_);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return {};
    }
    if (!is_failed_) {
      Result<void> taken = replica_->take(entries);
      if (taken || taken.error().code != Errc::uncertain) return taken;
      is_failed_ = true;
      if (options_.on_fatal) options_.on_fatal(taken.error());
    }
    return Error{Errc::uncertain, "the local copy has failed"};
  }

  void wait_for_stop() {
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, [this] { return stopping_; });
  }

  const Options options_;
  Env& env_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<RemoteNetwork> network_;
  std::atomic<bool> up_ = false;
  std::atomic<int> stuck_ = 0;  // Channels.
  std::mutex taking_;
  bool is_failed_ = false;  // Under taking_.
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::map<Uuid, std::deque<Try>> chains_;  // By procedure; the first is under way.
  InFlight under_way_;
  std::unique_ptr<Following> following_;
  ThreadPool telling_{2, 1U << 16U};
};

RemoteLedger::RemoteLedger(std::unique_ptr<Core> core) : core_(std::move(core)) {}
RemoteLedger::~RemoteLedger() = default;

Result<std::unique_ptr<RemoteLedger>> RemoteLedger::open(Options options,
                                                         std::unique_ptr<RemoteNetwork> network,
                                                         Env& env) {
  FLORA_ASSIGN(auto replica, Replica::open(options.copy, options.network));
  return std::unique_ptr<RemoteLedger>(new RemoteLedger(
      std::make_unique<Core>(std::move(options), std::move(network), std::move(replica), env)));
}

void RemoteLedger::on_entries(std::function<void(const std::vector<CommittedEntry>&)> listener) {
  core_->replica().on_entries(std::move(listener));
}
RemoteNetwork& RemoteLedger::network() { return core_->network(); }
Replica& RemoteLedger::replica() { return core_->replica(); }
bool RemoteLedger::is_following() const { return core_->is_following(); }
void RemoteLedger::submit(std::vector<LedgerEntry> entries, Done done) {
  core_->submit(std::move(entries), std::move(done));
}
Result<std::optional<std::uint64_t>> RemoteLedger::find(const Uuid& id) {
  return core_->replica().find(id);
}
Result<Receipt> RemoteLedger::receipt(const Uuid& id) { return core_->receipt(id); }
Result<std::vector<CommittedEntry>> RemoteLedger::read(std::uint64_t first, std::size_t limit) {
  return core_->replica().read(first, limit);
}
std::uint64_t RemoteLedger::size() { return core_->replica().size(); }
std::string RemoteLedger::numbering() { return core_->numbering(); }
const std::vector<std::string>& RemoteLedger::vkeys() const {
  static const std::vector<std::string> none;
  return none;
}

}  // namespace flora::outbox
