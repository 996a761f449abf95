// Several channels of a ledger network as one: an entry goes to each channel that its attempt
// names, under the same transaction id, and what is read is merged by that id.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger-client/outbox/remote_network.h"

namespace flora::outbox {

/// A channel of a network, and what it is reached by.
struct Channel {
  std::string name;
  std::unique_ptr<RemoteNetwork> network;
};

/// Outcome::reason of a try that a channel has not answered while not all are away: it says nothing
/// of the network as a whole. A channel is away after eight such tries in a row.
inline constexpr std::string_view kChannelAway = "channel-away";

/// Whether somebody has answered: committed, refused or spent, or for a reason that is a matter of
/// one transaction or of who signs it, so that it says nothing of the network.
bool answers(const Outcome& outcome);

/// All of them as one network; the first is the default. At least one, each under a name of its
/// own; one alone is given back as it is. What differs from one channel:
///
/// A try goes to one channel after the other, in the order of Attempt::channels, with the same
/// nonce: a network's transaction ids are of one channel. It is committed when all have committed;
/// its id is that of the first. The first channel that does not commit ends the try with its
/// outcome, and the next try begins with the first channel again, which answers with what it holds.
/// So a channel may hold what a later one has refused. While one of the channels is not there, none
/// is asked (unavailable, kChannelUnknown): it may be there again, with other settings. An attempt
/// that names none goes to the channel that its text names, if that is there, else to the default;
/// a tombstone that names none to all.
///
/// find() gives what the first channel that holds it gives; find() and history() fail if any
/// channel fails that could hold something else. envelope() asks no channel that is not followed
/// at present (unavailable). follow() follows all at once, each from its own
/// place: the same entry comes once by each channel that it went to, and the order between channels
/// is open.
std::unique_ptr<RemoteNetwork> join(std::vector<Channel> channels);

}  // namespace flora::outbox
