#include "gateway/erasure/eraser.h"

#include <utility>
#include <vector>

namespace flora::erasure {
namespace {

constexpr std::chrono::milliseconds kNoPatience{0};

}  // namespace

void Eraser::erase(store::ErasureOrder order, Done done) {
  const auto policy = parts_.policy->get();
  Tombstone tombstone;
  tombstone.procedure = order.procedure;
  tombstone.authority = order.authority;
  tombstone.channel = parts_.channel;
  const Result<void> allowed = parts_.guard->check(tombstone, {policy->ids(), policy->sites()});
  if (!allowed) return done(allowed);
  auto begun = [forwarder = parts_.forwarder, ticket = begun_.ticket()](const auto& tombstones) {
    // What the ledger does not take stays in the outbox and is tried again.
    if (tombstones && !tombstones->empty())
      forwarder->forward(*tombstones, kNoPatience, [](auto) {});
  };
  parts_.store->erase(std::move(order), std::move(begun), std::move(done));
}

}  // namespace flora::erasure
