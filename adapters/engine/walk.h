// One walk over one message: a reader tells what it meets, and the places that the rules read are
// kept as rows of slots. Slots are views into the message wherever it says the text as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/arena.h"
#include "adapters/engine/plan.h"

namespace flora::adapter {

struct Slot {
  enum class State : std::uint8_t { absent, present, repeated, structured, too_long };
  std::string_view text;
  std::size_t offset = 0;
  State state = State::absent;
};

struct Row {
  std::size_t first_slot = 0;
  std::size_t parent = 0;  ///< Index among the rows of the parent loop.
  std::size_t begin = 0;   ///< Offset of its first byte in the message.
};

/// The node of a place directly below the root, or -1 if no rule reads it.
int node_of(const MessagePlan& rules, std::string_view name);

/// Reused from message to message; after warm-up it allocates nothing. Not thread-safe.
class Walk {
 public:
  void reset(const Plan& plan, std::string_view message);

  /// For readers. `space` is 0 for none, n for the bundle's n-th namespace, -1 for any other.
  /// Views need to live during the call only, unless they point into the message.
  void open(int space, std::string_view uri, std::string_view local, std::size_t offset);
  void attribute(int space, std::string_view local, std::string_view value, std::size_t offset);
  void text(std::string_view piece);
  void close();

  /// The same as open() in two steps, for a reader that meets names before values: the node of a
  /// child of what is open, or -1 if no rule reads it; and the begin of that child.
  int child(int space, std::string_view local) const;
  void open_child(int node, std::size_t offset) { open_child(node, {}, {}, offset); }

  /// Whether rules read this child of what is open, and nothing else of it.
  bool reads_only(int space, std::string_view local) const;

  /// What was opened last has no text of its own, even if nothing stands in it.
  void no_text();

  /// For record readers, instead of the four above: a record is a message of its own, and each of
  /// its values goes to the node below the root that node_of() found once for all records.
  void reset_record(const Plan& plan, std::string_view message, std::size_t offset);
  void value(int node, std::string_view text, std::size_t offset);

  /// False: the reader may stop, the message is rejected.
  bool going_on() const { return message_plan_ != nullptr || !rooted_; }
  bool too_many_rows() const { return too_many_rows_; }

  /// The rules for this message; nullptr if its root is unknown.
  const MessagePlan* message_plan() const { return message_plan_; }
  std::size_t root_offset() const { return root_offset_; }

  /// The rows of a loop, in message order. Loop 0 has one row.
  const std::vector<Row>& rows(int loop) const { return rows_[static_cast<std::size_t>(loop)]; }
  const Slot& slot(const Row& row, int index) const {
    return slots_.data()[row.first_slot + static_cast<std::size_t>(index)];  // Both are our own.
  }

 private:
  bool in_message(std::string_view text) const;
  bool find_plan(int space, std::string_view local);
  void use_plan(const MessagePlan& rules);
  void open_child(int node, std::string_view uri, std::string_view local, std::size_t offset);
  void enter(int node, std::string_view uri, std::string_view local, std::size_t offset);
  void begin_row(int loop, std::size_t offset);
  void mark(const TrieNode::Target& target, std::size_t offset);
  void set(const TrieNode::Target& target, std::string_view text, std::size_t offset);
  Slot& slot_of(const TrieNode::Target& target);
  void structured();
  void finish_text(const TrieNode& node);

  const Plan* plan_ = nullptr;
  std::string_view message_;
  const MessagePlan* message_plan_ = nullptr;
  bool rooted_ = false;
  bool too_many_rows_ = false;
  std::size_t root_offset_ = 0;
  std::size_t row_count_ = 0;
  int skipping_ = 0;  // Open elements below the last one that a rule reads.
  std::vector<int> open_nodes_;
  std::vector<std::vector<Row>> rows_;
  std::vector<Slot> slots_;
  bool capturing_ = false;
  bool joined_ = false;  // The text has more than one piece: it is in scratch_.
  bool overflow_ = false;
  std::string_view captured_;
  std::string scratch_;
  Arena arena_;
};

}  // namespace flora::adapter
