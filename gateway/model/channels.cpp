#include "gateway/model/channels.h"

#include <algorithm>
#include <utility>

#include "gateway/model/receiver.h"

namespace flora {
namespace {

constexpr std::string_view kFederal = "DE";

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

ChannelRule::ChannelRule(std::string otherwise, Lands lands) : lands_(std::move(lands)) {
  all_.push_back(std::move(otherwise));
  for (const auto& [land, channel] : lands_) add_once(all_, channel);
}

ChannelRule::Names ChannelRule::of(const Transaction& entry, const Names& before,
                                   bool is_overtaken) const {
  Names channels;
  if (all_.empty()) return channels;
  const auto add_land = [this, &channels](std::string_view land) {
    if (land.empty() || land == kFederal) return;
    const auto own = lands_.find(land);
    add_once(channels, own == lands_.end() ? all_.front() : own->second);
  };
  add_land(entry.land);
  for (const std::string& one : before) {
    add_once(channels, one == kEarlierChannel ? all_.front() : one);
  }
  if (!is_overtaken) add_land(receiver_of(entry).land);
  if (channels.empty()) channels.push_back(all_.front());
  return channels;
}

ChannelRule::Names ChannelRule::grown(const Names& before, const Names& channels) {
  Names grown;
  for (const std::string& one : before) add_once(grown, one);
  for (const std::string& one : channels) add_once(grown, one);
  return grown;
}

ChannelRule::Names ChannelRule::of_tombstone(const Names& before) const {
  const bool known = !before.empty() && std::ranges::find(before, kEarlierChannel) == before.end();
  return known && !all_.empty() ? before : all_;
}

}  // namespace flora
