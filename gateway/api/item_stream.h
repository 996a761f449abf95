// Any number of items of one request in bounded memory: they go through intake in groups, and are
// answered line by line, in their order, while their source is still being read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/api/call.h"
#include "gateway/api/metrics.h"
#include "gateway/api/pacer.h"
#include "gateway/base/shares.h"
#include "gateway/http/responder.h"
#include "gateway/intake/intake.h"
#include "ledger-client/ledger.h"

namespace flora::api {

class Throttle;

/// Consecutive items that are submitted together.
struct ItemGroup {
  static constexpr std::size_t kMost = 256;

  std::vector<intake::Item> events;  ///< For intake, in order.
  /// Items that intake has nothing to do with: the place within the group, rising, and the line of
  /// the answer without its line feed.
  std::vector<std::pair<std::size_t, std::string>> answered;

  std::size_t size() const { return events.size() + answered.size(); }
};

struct ItemChunk {
  enum class State : std::uint8_t {
    more,    ///< Ask again.
    end,     ///< These were the last items.
    aborted  ///< There will be no more, and the answer is to be broken off.
  };
  std::vector<ItemGroup> groups;
  State state = State::more;

  /// The group that takes the next item.
  ItemGroup& group();
};

/// Where the items come from.
class ItemSource {
 public:
  virtual ~ItemSource() = default;

  /// `done` is called exactly once, on any thread. One call at a time. The source is not destroyed
  /// before `done` is.
  virtual void read(std::function<void(ItemChunk)> done) = 0;
};

/// One request. Several groups are under way at the same time. It reads on while the window has
/// room and the client takes its answers; each group waits until the tokens of its items are there.
/// It keeps itself alive until it has ended. When the caller's token expires nothing more is read,
/// and the answer is broken off behind what was accepted.
class ItemStream : public std::enable_shared_from_this<ItemStream> {
 public:
  /// What all streams share; it outlives them.
  struct Shared {
    intake::Intake* intake = nullptr;
    const Ledger* ledger = nullptr;
    Metrics* metrics = nullptr;
    Throttle* throttle = nullptr;
    Env* env = nullptr;
    Shares under_way;  ///< Items of all streams between source and answer, by payer.

    Shared();
  };

  /// `reply` keeps what the stream works with alive; `ticket` goes with the stream.
  ItemStream(Shared& shared, policy::Caller caller, const Preferences& preferences, Reply reply,
             std::shared_ptr<void> ticket, std::unique_ptr<ItemSource> source,
             http::ResponseWriter writer);

  /// Once.
  void start() { read(); }

 private:
  struct Group {
    std::size_t first = 0;
    std::size_t count = 0;
    std::vector<std::pair<std::size_t, std::string>> answered;
    std::optional<std::string> text;  // The lines, once all answers are there.
  };

  void read();
  void received(ItemChunk chunk);
  void submit_pending();
  bool pay();
  void paid(bool taken);
  void submit(ItemGroup group);
  void answered(std::size_t number, const std::vector<intake::Answer>& answers);
  void flush();
  bool may_read() const;
  void written(bool still_open);

  Shared& shared_;
  const policy::Caller caller_;
  const Preferences preferences_;
  const Reply reply_;  // Goes after the source.
  const std::shared_ptr<void> ticket_;
  const std::unique_ptr<ItemSource> source_;
  http::ResponseWriter writer_;

  // Of the last chunk; used by whoever goes on with it, one thread at a time.
  std::deque<ItemGroup> pending_;
  std::optional<std::vector<Toll>> owed_;  // For the front, once it is known.
  ItemChunk::State state_ = ItemChunk::State::more;

  std::mutex mutex_;
  std::deque<Group> groups_;  // Under way, in order; the front is number first_group_.
  std::size_t first_group_ = 0;
  std::size_t next_group_ = 0;
  std::size_t next_item_ = 0;
  std::size_t under_way_ = 0;
  bool reading_ = true;   // A read is under way, or its chunk waits for tokens.
  bool writable_ = true;  // The client has taken the answers before.
  bool ended_ = false;    // The source is exhausted.
  bool gone_ = false;     // Nobody waits for answers any more.
  bool finished_ = false;
};

}  // namespace flora::api
