#include "gateway/model/history.h"

#include <algorithm>
#include <tuple>

namespace flora {
namespace {

std::int64_t instant_of(const Transaction& transaction) {
  if (const auto* day = std::get_if<Day>(&transaction.occurred)) return start_of(*day).ms;
  return std::get<Instant>(transaction.occurred).ms;
}

// The order of the ledger: in one log that of its places. Copies of a network of several channels
// are numbered differently, and must not contradict each other.
auto recorded_order(const HistoryEntry& entry) {
  if (entry.is_ordered) return std::tuple(std::int64_t{0}, Uuid{}, entry.index);
  return std::tuple(entry.transaction.recorded_at.ms, entry.transaction.id, entry.index);
}

// Settles entries by what refers to them. Nothing recurses: chains may be long, in any order.
class Settler {
 public:
  explicit Settler(std::vector<HistoryEntry>& entries) {
    std::map<Uuid, Node*> by_id;
    nodes_.reserve(entries.size());
    for (HistoryEntry& entry : entries) {
      entry.replaced_by.reset();
      entry.revoked_by.reset();
      entry.effective = false;
      by_id[entry.transaction.id] = &nodes_.emplace_back(Node{&entry, nullptr, nullptr, {}});
    }
    for (Node& node : nodes_) {
      const Transaction& t = node.entry->transaction;
      const std::optional<Uuid>& target = t.corrects ? t.corrects : t.revokes;
      const auto known = target ? by_id.find(*target) : by_id.end();
      (known == by_id.end() ? outward_ : known->second->referring).push_back(&node);
    }
  }

  // What refers to itself by way of others is never reached: it stays without effect.
  void settle() {
    for (std::size_t i = 0; i < outward_.size(); ++i) {
      const std::vector<Node*> referring = outward_[i]->referring;
      outward_.insert(outward_.end(), referring.begin(), referring.end());
    }
    for (auto node = outward_.rbegin(); node != outward_.rend(); ++node) decide(**node);
    for (Node* node : outward_) mark(*node);
  }

 private:
  struct Node {
    HistoryEntry* entry;
    const Node* revoker;  // The revocation of it that stands, or nullptr.
    const Node* winner;   // The correction that prevails of those not taken back, or nullptr.
    std::vector<Node*> referring;
  };

  static auto rank(const Node& node) {
    const Transaction& t = node.entry->transaction;
    return std::tuple(t.role == "BAMF", t.source_sequence.value_or(-1),
                      recorded_order(*node.entry));
  }

  static const Node* prevailing(const Node* one, const Node* other) {
    return one == nullptr || rank(*one) < rank(*other) ? other : one;
  }

  // Everything that refers to the node is decided. A revocation stands unless it was itself taken
  // back, or replaced.
  static void decide(Node& node) {
    for (const Node* other : node.referring) {
      if (other->revoker != nullptr) continue;
      if (other->entry->transaction.corrects) {
        node.winner = prevailing(node.winner, other);
      } else if (other->winner == nullptr) {
        node.revoker = prevailing(node.revoker, other);
      }
    }
  }

  // Marks an entry whose target, if it has one, is marked, and hands its fate on to what corrects
  // it.
  static void mark(const Node& node) {
    HistoryEntry& entry = *node.entry;
    if (node.revoker != nullptr) entry.revoked_by = node.revoker->entry->transaction.id;
    const bool lost = entry.replaced_by.has_value();
    if (node.winner != nullptr && !lost) entry.replaced_by = node.winner->entry->transaction.id;
    entry.effective = !entry.revoked_by && !entry.replaced_by && !entry.transaction.revokes;
    for (const Node* other : node.referring) {
      if (!other->entry->transaction.corrects || other->revoker != nullptr) continue;
      if (other != node.winner || lost) other->entry->replaced_by = entry.replaced_by;
      other->entry->revoked_by = entry.revoked_by;
    }
  }

  std::vector<Node> nodes_;
  std::vector<Node*> outward_;  // Each behind its target.
};

}  // namespace

void settle(std::vector<HistoryEntry>& entries) {
  Settler(entries).settle();
  std::ranges::sort(entries, {}, [](const HistoryEntry& entry) {
    return std::tuple(instant_of(entry.transaction), entry.transaction.source_sequence.value_or(-1),
                      recorded_order(entry));
  });
}

std::vector<Merge> merges_in_effect(const std::vector<HistoryEntry>& entries) {
  std::vector<Merge> merges;
  for (const HistoryEntry& entry : entries) {
    const Transaction& t = entry.transaction;
    if (entry.effective && t.status == kMergeStatus && t.merged_into) {
      merges.push_back({t.procedure, *t.merged_into});
    }
  }
  return merges;
}

std::map<Uuid, Uuid> remaining(const std::vector<Merge>& merges) {
  std::map<Uuid, Uuid> next;  // Towards the one that remains, which leads to itself.
  const auto follow = [&next](Uuid at) {
    while (next.try_emplace(at, at).first->second != at) {
      const Uuid beyond = next[next[at]];
      next[at] = beyond;  // The next walk is half as long.
      at = beyond;
    }
    return at;
  };
  for (const Merge& merge : merges) {
    const Uuid into = follow(merge.into);
    next[follow(merge.from)] = into;
  }
  for (auto& [procedure, leads] : next) leads = follow(procedure);
  return next;
}

}  // namespace flora
