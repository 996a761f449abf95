// A ledger network in memory, whose faults a test scripts: what remote_network.h promises, and what
// its ways of failing leave behind.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ledger-client/outbox/remote_network.h"

namespace flora::test {

/// What happens to one try besides what the network does by itself.
enum class Fault {
  none,
  before,     ///< `unavailable`, nothing is recorded.
  after,      ///< It is recorded, and the answer is `unknown`.
  lost_race,  ///< `spent`: an invalid transaction stands in a block.
  refused,    ///< `refused`, for good.
  denied,     ///< `unavailable`, because a peer does not know who signs.
};

/// Thread-safe. One thread answers, in the order of the calls; another one feeds the followers.
class MemoryNetwork final : public outbox::RemoteNetwork {
 public:
  MemoryNetwork();
  ~MemoryNetwork() override;

  /// Asked for each try, on the answering thread.
  void set_faults(std::function<Fault(const outbox::Attempt&)> faults);
  /// While it is down every try is `unavailable`, and followers are told so.
  void set_down(bool down);

  /// The bodies that are recorded, in order.
  std::vector<std::string> bodies() const;
  /// Tries that were answered.
  std::uint64_t tries() const;
  /// Most tries that were under way at one time.
  std::size_t most_at_once() const;

  void submit(outbox::Attempt attempt, std::function<void(outbox::Outcome)> done) override;
  void find(const Uuid& id, FindDone done) override;
  void history(const Uuid& procedure,
               std::function<void(Result<std::vector<std::string>>)> done) override;
  void envelope(const outbox::NetworkPlace& place,
                std::function<void(Result<std::string>)> done) override;
  std::unique_ptr<outbox::Following> follow(
      std::vector<outbox::NetworkPlace> after,
      std::function<void(std::vector<outbox::NetworkEntry>)> take,
      std::function<void(bool up)> up) override;

 private:
  class Follower;
  void post(std::function<void()> work);
  void run();
  outbox::Outcome answer(const outbox::Attempt& attempt);
  outbox::Outcome record(const outbox::Attempt& attempt);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable changed_;  // Entries, or up and down.
  std::function<Fault(const outbox::Attempt&)> faults_;
  bool down_ = false;
  bool stopping_ = false;
  std::deque<std::function<void()>> work_;
  std::vector<outbox::NetworkEntry> entries_;
  std::map<Uuid, std::size_t> by_id_;
  std::set<std::string> seen_;  // Network ids, of invalid transactions too.
  std::uint64_t tries_ = 0;
  std::size_t under_way_ = 0;
  std::size_t most_ = 0;
  std::thread thread_;
};

}  // namespace flora::test
