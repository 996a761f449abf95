#include "gateway/api/item_stream.h"

#include "gateway/api/answers.h"
#include "gateway/api/throttle.h"

namespace flora::api {
namespace {

constexpr std::size_t kUnderWay = 4096;  // Items of one stream between source and answer.

// The same for all streams, half of what the store lets wait, so that single events find room; and
// for those of one authority. When it is used up each stream goes on with a group at a time: a
// stream is slowed, not refused.
constexpr std::size_t kAllUnderWay = 8192;
constexpr std::size_t kUnderWayOfOne = 4096;

}  // namespace

ItemStream::Shared::Shared() : under_way(kAllUnderWay, kUnderWayOfOne) {}

ItemGroup& ItemChunk::group() {
  if (groups.empty() || groups.back().size() >= ItemGroup::kMost) groups.emplace_back();
  return groups.back();
}

ItemStream::ItemStream(Shared& shared, policy::Caller caller, const Preferences& preferences,
                       Reply reply, std::shared_ptr<void> ticket,
                       std::unique_ptr<ItemSource> source, http::ResponseWriter writer)
    : shared_(shared),
      caller_(std::move(caller)),
      preferences_(preferences),
      reply_(std::move(reply)),
      ticket_(std::move(ticket)),
      source_(std::move(source)),
      writer_(std::move(writer)) {}

void ItemStream::read() {
  source_->read([self = shared_from_this()](ItemChunk chunk) { self->received(std::move(chunk)); });
}

void ItemStream::received(ItemChunk chunk) {
  for (ItemGroup& group : chunk.groups) pending_.push_back(std::move(group));
  state_ = chunk.state;
  submit_pending();
}

// One group after the other, as far as there are tokens, then what comes behind the chunk.
void ItemStream::submit_pending() {
  if (!caller_.is_valid_at(shared_.env->now_ms() / 1000)) {
    state_ = ItemChunk::State::aborted;
    pending_.clear();
  }
  while (!pending_.empty()) {
    if (!pay()) return;
    submit(std::move(pending_.front()));
    pending_.pop_front();
    owed_.reset();
  }
  bool go_on = false;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == ItemChunk::State::aborted) gone_ = true;
    if (state_ == ItemChunk::State::end) ended_ = true;
    reading_ = may_read();
    go_on = reading_;
  }
  if (go_on) return read();
  flush();
}

// For the first of the groups, reporter by reporter. False: paid() goes on.
bool ItemStream::pay() {
  if (!owed_) {
    const ItemGroup& group = pending_.front();
    owed_ = shared_.throttle->tolls_of(caller_, group.events, group.answered.size());
  }
  while (!owed_->empty()) {
    const Toll next = owed_->back();
    owed_->pop_back();
    const auto go_on = [self = shared_from_this()](bool taken) { self->paid(taken); };
    if (!shared_.throttle->pacer().pass(next, go_on)) return false;
  }
  return true;
}

void ItemStream::paid(bool taken) {
  shared_.metrics->count_pause();
  {
    const std::lock_guard lock(mutex_);
    if (!taken) gone_ = true;
    if (gone_) state_ = ItemChunk::State::aborted;
  }
  // Nobody waits for the answers: nothing more is written.
  if (state_ == ItemChunk::State::aborted) pending_.clear();
  submit_pending();
}

void ItemStream::submit(ItemGroup group) {
  intake::Submission submission;
  submission.items = std::move(group.events);
  submission.answer_early = preferences_.answer_early();
  submission.patience = preferences_.patience();
  submission.with_receipts = !preferences_.minimal;
  const std::size_t count = submission.items.size() + group.answered.size();
  std::size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = next_group_++;
    groups_.push_back({next_item_, count, std::move(group.answered), std::nullopt});
    next_item_ += count;
    under_way_ += count;
    shared_.under_way.add(caller_.payer(), count);
  }
  if (submission.items.empty()) return answered(number, {});
  shared_.intake->submit(
      caller_, std::move(submission),
      [self = shared_from_this(), number](auto answers) { self->answered(number, answers); });
}

void ItemStream::answered(std::size_t number, const std::vector<intake::Answer>& answers) {
  std::size_t first = 0;
  std::vector<std::pair<std::size_t, std::string>> known;
  {
    const std::lock_guard lock(mutex_);
    Group& group = groups_[number - first_group_];
    first = group.first;
    known = std::move(group.answered);
  }
  reply_->observation().add_items(known.size() + answers.size());
  std::string text;
  auto next_known = known.begin();
  auto next_answer = answers.begin();
  for (std::size_t i = 0; i < known.size() + answers.size(); ++i) {
    if (next_known != known.end() && next_known->first == i) {
      text += (next_known++)->second;
    } else {
      shared_.metrics->count_item(*next_answer);
      JsonWriter json;
      write_item(json, first + i, *next_answer++, shared_.ledger->vkeys());
      text += json.take();
    }
    text += '\n';
  }
  {
    const std::lock_guard lock(mutex_);
    groups_[number - first_group_].text = std::move(text);
  }
  flush();
}

// Writes what is complete at the front, and reads on where there is room.
void ItemStream::flush() {
  std::string text;
  bool finished = false;
  bool go_on = false;
  {
    const std::lock_guard lock(mutex_);
    if (writable_ || gone_) {
      while (!groups_.empty() && groups_.front().text) {
        text += *groups_.front().text;
        under_way_ -= groups_.front().count;
        shared_.under_way.give_back(caller_.payer(), groups_.front().count);
        groups_.pop_front();
        ++first_group_;
      }
    }
    if (!text.empty()) writable_ = false;
    // While a write is on its way the end waits for it.
    finished = ended_ && groups_.empty() && writable_ && !finished_;
    finished_ = finished_ || finished;
    if (!reading_ && may_read()) {
      reading_ = true;
      go_on = true;
    }
  }
  if (!text.empty()) {
    writer_.write(std::move(text), [self = shared_from_this()](bool open) { self->written(open); });
  }
  if (finished) {
    reply_->observation().end_stream();
    writer_.finish();
  }
  if (go_on) read();
}

// With the mutex held.
bool ItemStream::may_read() const {
  const bool room =
      under_way_ < ItemGroup::kMost ||
      (under_way_ < kUnderWay && shared_.under_way.has_room(caller_.payer(), ItemGroup::kMost));
  return room && !ended_ && !gone_ && writable_;
}

void ItemStream::written(bool still_open) {
  {
    const std::lock_guard lock(mutex_);
    writable_ = still_open;
    if (!still_open) gone_ = true;
  }
  flush();
}

}  // namespace flora::api
