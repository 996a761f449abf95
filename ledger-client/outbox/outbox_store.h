// Where the outbox keeps what it has not yet brought to a remote ledger. `gateway/store` implements
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/model/ids.h"
#include "ledger-client/outbox/remote_network.h"

namespace flora::outbox {

/// A transaction that waits for the network.
struct Row {
  std::int64_t number = 0;  ///< The order of acceptance, from 1.
  Uuid id;
  std::string body;
  Nonce nonce{};  ///< Of the try that comes next, or of the one that is under way.
  std::vector<std::string> channels = {};  ///< Attempt::channels.
};

/// What became of a row.
struct Settlement {
  enum class Kind : std::uint8_t {
    committed,  ///< The network holds it, and so does the local copy: the row goes.
    failed,     ///< It stays, with the reason, until somebody has it tried again.
    renewed,    ///< Its nonce is spent: the next try is made with the new one.
  };
  std::int64_t number = 0;
  Kind kind = Kind::committed;
  std::string reason = {};  ///< failed: Outcome::reason.
  Nonce nonce = {};         ///< renewed.
};

/// A transaction that the network refused.
struct Failed {
  Uuid id;
  std::string reason;
  std::string body;
};

/// Thread-safe.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  /// Queues settlements and returns at once. `done` is called once, on a thread of the store and
  /// never within this call: if the result is good they are durable. It is not called any more when
  /// the store is about to end: what it does not say is found out at the next start. Of a row that
  /// is not there nothing is written, which is no error. Errors: unavailable, uncertain; conflict
  /// (another one brings the rows to the network now; nothing was written, and nothing more will).
  virtual void settle(std::vector<Settlement> settlements,
                      std::function<void(const Result<void>&)> done) = 0;

  /// Rows behind `after` that have not failed, in order, at most `limit`. Blocks on the disk.
  virtual Result<std::vector<Row>> rows(std::int64_t after, std::size_t limit) = 0;

  /// All that have failed, in order. Blocks on the disk.
  virtual Result<std::vector<Failed>> failed_rows() = 0;
};

}  // namespace flora::outbox
