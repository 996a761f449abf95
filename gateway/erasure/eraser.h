// Start here. Erases the mapping of a procedure: tombstone on the ledger first, then the deletion.
#pragma once

#include <functional>
#include <string>

#include "gateway/base/in_flight.h"
#include "gateway/intake/forwarder.h"
#include "gateway/policy/in_force.h"
#include "gateway/privacy/guard.h"
#include "gateway/store/store.h"

namespace flora::erasure {

/// Thread-safe. All of the parts must outlive it.
class Eraser {
 public:
  struct Parts {
    store::Store* store = nullptr;
    intake::Forwarder* forwarder = nullptr;
    const privacy::Guard* guard = nullptr;
    const policy::InForce* policy = nullptr;
    std::string channel;
  };
  using Done = std::function<void(const Result<void>&)>;

  explicit Eraser(Parts parts) : parts_(std::move(parts)) {}
  /// Waits until the store has begun what was ordered.
  ~Eraser() { begun_.wait(); }

  /// Erases the procedure and all that it is merged with. `done` is called once, on any thread,
  /// perhaps within this call: if the result is good, the tombstones stand on the ledger, and
  /// nothing of the mapping is left in any file. Whatever happens after the tombstones are durable
  /// in the outbox, the erasure goes on by itself. Errors: invalid (the guard refuses the
  /// tombstone); those of Store::erase.
  void erase(store::ErasureOrder order, Done done);

 private:
  Parts parts_;
  InFlight begun_;  // Orders that the store has still to forward.
};

}  // namespace flora::erasure
