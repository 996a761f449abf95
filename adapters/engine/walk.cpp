#include "adapters/engine/walk.h"

#include <functional>

namespace flora::adapter {
namespace {

std::uint64_t bit_of(int space) { return space < 0 ? 0 : std::uint64_t{1} << space; }

int find_edge(const std::vector<TrieNode::Edge>& edges, int space, std::string_view local) {
  const std::uint64_t bit = bit_of(space);
  for (const TrieNode::Edge& edge : edges) {
    if ((edge.spaces & bit) != 0 && edge.name == local) return edge.node;
  }
  return -1;
}

bool matches(const RootPattern& pattern, int space, std::string_view local) {
  if ((pattern.spaces & bit_of(space)) == 0) return false;
  if (!pattern.any) return local == pattern.prefix;
  return local.size() >= pattern.prefix.size() + pattern.suffix.size() &&
         local.starts_with(pattern.prefix) && local.ends_with(pattern.suffix);
}

}  // namespace

int node_of(const MessagePlan& rules, std::string_view name) {
  return find_edge(rules.trie.front().children, 0, name);
}

void Walk::reset_record(const Plan& plan, std::string_view message, std::size_t offset) {
  reset(plan, message);
  rooted_ = true;
  root_offset_ = offset;
  use_plan(plan.messages.front());
}

void Walk::value(int node, std::string_view text, std::size_t offset) {
  for (const TrieNode::Target& target :
       message_plan_->trie[static_cast<std::size_t>(node)].values) {
    set(target, text, offset);
  }
}

void Walk::reset(const Plan& plan, std::string_view message) {
  plan_ = &plan;
  message_ = message;
  message_plan_ = nullptr;
  rooted_ = too_many_rows_ = capturing_ = false;
  root_offset_ = 0;
  row_count_ = 0;
  skipping_ = 0;
  open_nodes_.clear();
  for (std::vector<Row>& rows : rows_) rows.clear();
  slots_.clear();
  arena_.clear();
}

void Walk::open(int space, std::string_view uri, std::string_view local, std::size_t offset) {
  if (!rooted_) {
    rooted_ = true;
    root_offset_ = offset;
    if (find_plan(space, local)) enter(0, uri, local, offset);
    return;
  }
  open_child(child(space, local), uri, local, offset);
}

int Walk::child(int space, std::string_view local) const {
  if (message_plan_ == nullptr || skipping_ > 0) return -1;
  const TrieNode& node = message_plan_->trie[static_cast<std::size_t>(open_nodes_.back())];
  return find_edge(node.children, space, local);
}

bool Walk::reads_only(int space, std::string_view local) const {
  if (message_plan_ == nullptr || skipping_ > 0) return false;
  const TrieNode& node = message_plan_->trie[static_cast<std::size_t>(open_nodes_.back())];
  return node.children.size() == 1 && find_edge(node.children, space, local) >= 0;
}

void Walk::no_text() {
  if (capturing_ && skipping_ == 0) structured();
}

void Walk::open_child(int node, std::string_view uri, std::string_view local, std::size_t offset) {
  if (message_plan_ == nullptr) return;
  if (skipping_ > 0) {
    ++skipping_;
    return;
  }
  if (capturing_) structured();
  if (node < 0) {
    skipping_ = 1;
  } else {
    enter(node, uri, local, offset);
  }
}

bool Walk::find_plan(int space, std::string_view local) {
  for (const MessagePlan& candidate : plan_->messages) {
    for (const RootPattern& root : candidate.roots) {
      if (!matches(root, space, local)) continue;
      use_plan(candidate);
      return true;
    }
  }
  return false;
}

void Walk::use_plan(const MessagePlan& rules) {
  message_plan_ = &rules;
  if (rows_.size() < rules.loops.size()) rows_.resize(rules.loops.size());
  begin_row(0, root_offset_);
}

void Walk::enter(int node, std::string_view uri, std::string_view local, std::size_t offset) {
  const TrieNode& place = message_plan_->trie[static_cast<std::size_t>(node)];
  open_nodes_.push_back(node);
  if (place.loop >= 0) begin_row(place.loop, offset);
  for (const TrieNode::Target& target : place.values) mark(target, offset);
  for (const TrieNode::Target& target : place.local_names) set(target, local, offset);
  for (const TrieNode::Target& target : place.space_names) set(target, uri, offset);
  capturing_ = place.wants_text;
  joined_ = overflow_ = false;
  captured_ = {};
}

void Walk::begin_row(int loop, std::size_t offset) {
  const Loop& what = message_plan_->loops[static_cast<std::size_t>(loop)];
  std::vector<Row>& rows = rows_[static_cast<std::size_t>(loop)];
  Row row;
  row.first_slot = slots_.size();
  row.begin = offset;
  if (what.parent >= 0) row.parent = rows_[static_cast<std::size_t>(what.parent)].size() - 1;
  too_many_rows_ = too_many_rows_ || ++row_count_ > plan_->limits.items;
  if (too_many_rows_ && !rows.empty()) return;  // The message is rejected; keep to the last row.
  rows.push_back(row);
  slots_.resize(slots_.size() + what.slots.size());
}

Slot& Walk::slot_of(const TrieNode::Target& target) {
  const Row& row = rows_[static_cast<std::size_t>(target.loop)].back();
  return slots_[row.first_slot + static_cast<std::size_t>(target.index)];
}

void Walk::mark(const TrieNode::Target& target, std::size_t offset) {
  Slot& slot = slot_of(target);
  if (slot.state != Slot::State::absent) {
    slot.state = Slot::State::repeated;
    return;
  }
  slot.state = Slot::State::present;
  slot.offset = offset;
}

void Walk::set(const TrieNode::Target& target, std::string_view text, std::size_t offset) {
  Slot& slot = slot_of(target);
  mark(target, offset);
  if (slot.state != Slot::State::present) return;
  if (text.size() > plan_->limits.value_bytes) {
    slot.state = Slot::State::too_long;
  } else {
    slot.text = in_message(text) ? text : arena_.store(text);
  }
}

void Walk::attribute(int space, std::string_view local, std::string_view value,
                     std::size_t offset) {
  if (message_plan_ == nullptr || skipping_ > 0) return;
  const TrieNode& node = message_plan_->trie[static_cast<std::size_t>(open_nodes_.back())];
  if (node.attributes.empty()) return;
  const int found = find_edge(node.attributes, space, local);
  if (found < 0) return;
  for (const TrieNode::Target& target :
       message_plan_->trie[static_cast<std::size_t>(found)].values) {
    set(target, value, offset);
  }
}

void Walk::text(std::string_view piece) {
  if (!capturing_ || skipping_ > 0 || overflow_) return;
  if (captured_.size() + piece.size() > plan_->limits.value_bytes) {
    overflow_ = true;
    return;
  }
  if (captured_.empty() && in_message(piece)) {
    captured_ = piece;
    return;
  }
  if (!joined_) scratch_.assign(captured_);
  joined_ = true;
  scratch_ += piece;
  captured_ = scratch_;
}

// The element has child elements: it has no text of its own that a rule could mean.
void Walk::structured() {
  capturing_ = false;
  const TrieNode& node = message_plan_->trie[static_cast<std::size_t>(open_nodes_.back())];
  for (const TrieNode::Target& target : node.values) {
    Slot& slot = slot_of(target);
    if (target.text && slot.state == Slot::State::present) slot.state = Slot::State::structured;
  }
}

void Walk::finish_text(const TrieNode& node) {
  const std::string_view text = joined_ ? arena_.store(scratch_) : captured_;
  for (const TrieNode::Target& target : node.values) {
    if (!target.text) continue;
    Slot& slot = slot_of(target);
    if (slot.state != Slot::State::present) continue;
    slot.text = text;
    if (overflow_) slot.state = Slot::State::too_long;
  }
  capturing_ = false;
}

void Walk::close() {
  if (message_plan_ == nullptr) return;
  if (skipping_ > 0) {
    --skipping_;
    return;
  }
  const TrieNode& node = message_plan_->trie[static_cast<std::size_t>(open_nodes_.back())];
  if (capturing_) finish_text(node);
  open_nodes_.pop_back();
}

bool Walk::in_message(std::string_view text) const {
  const std::less_equal<const char*> before;
  return before(message_.data(), text.data()) &&
         before(text.data() + text.size(), message_.data() + message_.size());
}

}  // namespace flora::adapter
