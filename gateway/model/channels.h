// Which channels of a ledger network an entry goes to. The one place of the rule: members of a
// channel see all of it, so they are the BAMF and the Land.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/model/transaction.h"

namespace flora {

/// Among the channels of a procedure: it has entries of a time with one channel, whose name is not
/// known any more. No channel has this name.
inline constexpr std::string_view kEarlierChannel = "*";

/// Immutable and thread-safe. A Land without a channel of its own uses the default.
class ChannelRule {
 public:
  using Lands = std::map<std::string, std::string, std::less<>>;
  using Names = std::vector<std::string>;

  /// There is one channel, and nothing to choose: all lists are empty.
  ChannelRule() = default;
  /// The default, and the channels of Länder.
  ChannelRule(std::string otherwise, Lands lands);

  /// Each once, the default first.
  const Names& all() const { return all_; }

  /// Those of an entry of a procedure whose entries have gone to `before` until now, in this order,
  /// each once: the channel of the reporter's Land, all of `before` (kEarlierChannel: the default),
  /// that of the Land that the entry hands the procedure over to. If these are none, the default.
  /// Of an entry whose correction or revocation came first nothing is in effect: it hands nothing
  /// over, and a channel that did not get the other does not get it.
  Names of(const Transaction& entry, const Names& before, bool is_overtaken = false) const;

  /// What `before` has grown to when such an entry has gone to `channels`.
  static Names grown(const Names& before, const Names& channels);

  /// Those of the tombstone of a procedure: where its entries have gone, or all if that is not
  /// known.
  Names of_tombstone(const Names& before) const;

 private:
  Lands lands_;
  Names all_;
};

}  // namespace flora
