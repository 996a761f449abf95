// A ledger network as a Ledger: written through the network, read from the local copy that follows
// it. The gateway itself writes by the Outbox, which is durable; submit() here tries once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/base/env.h"
#include "gateway/base/result.h"
#include "ledger-client/ledger.h"
#include "ledger-client/outbox/remote_network.h"
#include "ledger-client/outbox/replica.h"

namespace flora::outbox {

/// Thread-safe.
class RemoteLedger final : public Ledger {
 public:
  struct Options {
    std::string copy;     ///< The file of the local copy.
    std::string network;  ///< Names it and its channels; see Replica::open().
    /// Where there are several. Copies of them are numbered differently, and an entry is proved by
    /// the channel that its text names.
    std::vector<std::string> channels = {};
    /// Called once, on the thread that follows, when the copy's disk failed in a commit: nothing
    /// more is followed, and the process should end and start anew.
    std::function<void(const Error&)> on_fatal = {};
  };

  /// Follows the network from where the copy ends. Does not wait for it. Errors: unavailable.
  static Result<std::unique_ptr<RemoteLedger>> open(Options options,
                                                    std::unique_ptr<RemoteNetwork> network,
                                                    Env& env);
  ~RemoteLedger() override;

  /// As Replica::on_entries().
  void on_entries(std::function<void(const std::vector<CommittedEntry>&)> listener);

  RemoteNetwork& network();
  Replica& replica();
  /// True while entries come. Does not block.
  bool is_following() const;

  void submit(std::vector<LedgerEntry> entries, Done done) override;
  Result<std::optional<std::uint64_t>> find(const Uuid& id) override;
  Result<Receipt> receipt(const Uuid& id) override;
  Result<std::vector<CommittedEntry>> read(std::uint64_t first, std::size_t limit) override;
  std::uint64_t size() override;
  std::string numbering() override;
  const std::vector<std::string>& vkeys() const override;

 private:
  class Core;
  explicit RemoteLedger(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace flora::outbox
