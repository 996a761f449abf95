// Follows the events of a chaincode over restarts of peers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ledger-client/fabric/core.h"

namespace flora::fabric {

/// Has a thread of its own, on which `take` and `up` are called. See RemoteNetwork::follow().
std::unique_ptr<outbox::Following> follow_events(
    std::shared_ptr<Core> core, std::optional<outbox::NetworkPlace> after,
    std::function<void(std::vector<outbox::NetworkEntry>)> take, std::function<void(bool)> up);

}  // namespace flora::fabric
