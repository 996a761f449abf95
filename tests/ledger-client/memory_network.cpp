#include "tests/ledger-client/memory_network.h"

#include <algorithm>
#include <utility>

#include "gateway/base/bytes.h"
#include "gateway/model/transaction.h"

namespace flora::test {
namespace {

std::string network_id_of(const outbox::Attempt& attempt) {
  return to_hex(attempt.nonce) + attempt.authority;
}

Uuid procedure_of(const std::string& body) {
  return std::visit([](const auto& entry) { return entry.procedure; }, *parse_entry(body));
}

}  // namespace

class MemoryNetwork::Follower final : public outbox::Following {
 public:
  Follower(MemoryNetwork& network, std::size_t next,
           std::function<void(std::vector<outbox::NetworkEntry>)> take,
           std::function<void(bool)> up)
      : network_(network), next_(next), take_(std::move(take)), up_(std::move(up)), thread_([this] {
          run();
        }) {}

  ~Follower() override {
    {
      const std::lock_guard lock(network_.mutex_);
      stopping_ = true;
    }
    network_.changed_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    std::optional<bool> told;
    while (true) {
      std::vector<outbox::NetworkEntry> entries;
      bool up = false;
      {
        std::unique_lock lock(network_.mutex_);
        network_.changed_.wait(lock, [&] {
          return stopping_ || told != !network_.down_ ||
                 (!network_.down_ && next_ < network_.entries_.size());
        });
        if (stopping_) return;
        up = !network_.down_;
        if (up && next_ < network_.entries_.size()) entries = {network_.entries_[next_++]};
      }
      if (told != up) up_(up);
      told = up;
      if (!entries.empty()) take_(std::move(entries));
    }
  }

  MemoryNetwork& network_;
  std::size_t next_;
  bool stopping_ = false;
  std::function<void(std::vector<outbox::NetworkEntry>)> take_;
  std::function<void(bool)> up_;
  std::thread thread_;
};

MemoryNetwork::MemoryNetwork() : thread_([this] { run(); }) {}

MemoryNetwork::~MemoryNetwork() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void MemoryNetwork::set_faults(std::function<Fault(const outbox::Attempt&)> faults) {
  const std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
}

void MemoryNetwork::set_down(bool down) {
  {
    const std::lock_guard lock(mutex_);
    down_ = down;
  }
  changed_.notify_all();
}

std::vector<std::string> MemoryNetwork::bodies() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> bodies;
  for (const outbox::NetworkEntry& entry : entries_) bodies.push_back(entry.body);
  return bodies;
}

std::uint64_t MemoryNetwork::tries() const {
  const std::lock_guard lock(mutex_);
  return tries_;
}

std::size_t MemoryNetwork::most_at_once() const {
  const std::lock_guard lock(mutex_);
  return most_;
}

void MemoryNetwork::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  wake_.notify_one();
}

// What is queued at the end is still answered.
void MemoryNetwork::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (work_.empty()) return;
    const std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

void MemoryNetwork::submit(outbox::Attempt attempt, std::function<void(outbox::Outcome)> done) {
  {
    const std::lock_guard lock(mutex_);
    most_ = std::max(most_, ++under_way_);
  }
  post([this, attempt = std::move(attempt), done = std::move(done)] {
    outbox::Outcome outcome = answer(attempt);
    {
      const std::lock_guard lock(mutex_);
      --under_way_;
      ++tries_;
    }
    done(std::move(outcome));
  });
}

outbox::Outcome MemoryNetwork::answer(const outbox::Attempt& attempt) {
  using Kind = outbox::Outcome::Kind;
  Fault fault = Fault::none;
  {
    const std::lock_guard lock(mutex_);
    if (down_) return {Kind::unavailable, "down", {}};
  }
  if (faults_) fault = faults_(attempt);
  if (!attempt.is_permitted()) return {Kind::unavailable, std::string(outbox::kTurnOver), {}};
  switch (fault) {
    case Fault::before:
      return {Kind::unavailable, "fault", {}};
    case Fault::denied:
      return {Kind::unavailable, "access-denied", {}};
    case Fault::refused:
      return {Kind::refused, "not-entitled", {}};
    case Fault::lost_race: {
      const std::lock_guard lock(mutex_);
      seen_.insert(network_id_of(attempt));
      return {Kind::spent, "mvcc-read-conflict", {}};
    }
    case Fault::after:
      record(attempt);
      return {Kind::unknown, "fault", {}};
    case Fault::none:
      break;
  }
  return record(attempt);
}

outbox::Outcome MemoryNetwork::record(const outbox::Attempt& attempt) {
  using Kind = outbox::Outcome::Kind;
  std::unique_lock lock(mutex_);
  const std::string network_id = network_id_of(attempt);
  if (const auto known = by_id_.find(attempt.id); known != by_id_.end()) {
    const outbox::NetworkEntry& entry = entries_[known->second];
    if (entry.body != attempt.body) return {Kind::refused, "conflict", {}};
    return {Kind::committed, {}, entry.place.transaction, entry.place.transaction != network_id};
  }
  if (!seen_.insert(network_id).second) return {Kind::spent, "duplicate", {}};
  by_id_[attempt.id] = entries_.size();
  entries_.push_back({{entries_.size(), network_id}, attempt.body, "memory"});
  lock.unlock();
  changed_.notify_all();
  return {Kind::committed, {}, network_id};
}

void MemoryNetwork::find(const Uuid& id, FindDone done) {
  post([this, id, done = std::move(done)] {
    std::optional<outbox::NetworkEntry> found;
    {
      const std::lock_guard lock(mutex_);
      const auto known = by_id_.find(id);
      if (known != by_id_.end()) found = entries_[known->second];
    }
    done(std::move(found));
  });
}

void MemoryNetwork::history(const Uuid& procedure,
                            std::function<void(Result<std::vector<std::string>>)> done) {
  post([this, procedure, done = std::move(done)] {
    std::map<Uuid, std::string> ordered;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, at] : by_id_) {
        if (procedure_of(entries_[at].body) == procedure) ordered[id] = entries_[at].body;
      }
    }
    std::vector<std::string> bodies;
    for (auto& [id, body] : ordered) bodies.push_back(std::move(body));
    done(std::move(bodies));
  });
}

void MemoryNetwork::envelope(const outbox::NetworkPlace& place,
                             std::function<void(Result<std::string>)> done) {
  post([this, transaction = place.transaction, done = std::move(done)] {
    bool there = false;
    {
      const std::lock_guard lock(mutex_);
      there = std::ranges::any_of(entries_, [&](const outbox::NetworkEntry& entry) {
        return entry.place.transaction == transaction;
      });
    }
    if (!there) return done(Error{Errc::not_found, "no such transaction"});
    done("envelope of " + transaction);
  });
}

std::unique_ptr<outbox::Following> MemoryNetwork::follow(
    std::vector<outbox::NetworkPlace> after,
    std::function<void(std::vector<outbox::NetworkEntry>)> take, std::function<void(bool up)> up) {
  const std::size_t next = after.empty() ? 0 : static_cast<std::size_t>(after.back().block) + 1;
  return std::make_unique<Follower>(*this, next, std::move(take), std::move(up));
}

}  // namespace flora::test
