#include "ledger-client/outbox/channels.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "gateway/base/log.h"
#include "gateway/base/thread_pool.h"
#include "gateway/model/transaction.h"

namespace flora::outbox {
namespace {

// The answers of all channels to one question, in their order; the last one tells them all.
template <typename Answer>
class Answers {
 public:
  using Done = std::function<void(std::vector<Answer>)>;

  Answers(std::size_t count, Answer none, Done done)
      : answers_(count, std::move(none)), left_(count), done_(std::move(done)) {}

  void set(std::size_t i, Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_[i] = std::move(answer);
      if (--left_ > 0) return;
    }
    done_(std::move(answers_));
  }

 private:
  std::mutex mutex_;
  std::vector<Answer> answers_;
  std::size_t left_;
  Done done_;
};

constexpr std::string_view kSignerUnavailable = "signer-unavailable";

// Committed, spent or refused for good.
bool decides(const Outcome& outcome) {
  return outcome.kind != Outcome::Kind::unavailable && outcome.kind != Outcome::Kind::unknown;
}

// After so many failures in a row a channel is away.
constexpr std::size_t kAwayAfter = 8;

using Found = Result<std::optional<NetworkEntry>>;
using Bodies = Result<std::vector<std::string>>;

Found merged(std::vector<Found> answers) {
  for (Found& one : answers) {
    if (one && *one) return std::move(one);
  }
  const auto failed = std::ranges::find_if(answers, [](const Found& one) { return !one; });
  return failed == answers.end() ? Found(std::optional<NetworkEntry>()) : std::move(*failed);
}

Bodies merged(std::vector<Bodies> answers) {
  std::map<Uuid, std::string> by_id;
  for (Bodies& one : answers) {
    FLORA_TRY(one);
    for (std::string& body : *one) {
      FLORA_ASSIGN(const EntryContent content, parse_entry(body));
      by_id.try_emplace(std::visit([](const auto& entry) { return entry.id; }, content),
                        std::move(body));
    }
  }
  std::vector<std::string> bodies;
  for (auto& [id, body] : by_id) bodies.push_back(std::move(body));
  return bodies;
}

// Which channels answer at present. Thread-safe.
class Health {
 public:
  explicit Health(const std::vector<Channel>& channels) : states_(channels.size()) {
    for (const Channel& one : channels) names_.push_back(one.name);
  }

  // Notes what a channel has answered. One that has not answered says nothing of the network while
  // another one is not known to be away. One that denies each transaction is away as well, for who
  // is told of it; nobody was asked if nobody could sign.
  Outcome note(std::size_t channel, Outcome outcome) {
    constexpr std::array kNotAsked = {kTurnOver, kTooManyCalls, kSignerUnavailable};
    if (std::ranges::find(kNotAsked, outcome.reason) != kNotAsked.end()) return outcome;
    const std::lock_guard lock(mutex_);
    State& own = states_[channel];
    own.failures = decides(outcome) ? 0 : own.failures + 1;
    tell(own, names_[channel], outcome.reason);
    if (!answers(outcome) && any_other(channel)) outcome.reason = kChannelAway;
    return outcome;
  }

  std::map<std::string, bool> away() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, bool> away;
    for (std::size_t i = 0; i < names_.size(); ++i) away[names_[i]] = states_[i].is_away();
    return away;
  }

 private:
  struct State {
    std::size_t failures = 0;  // In a row.
    bool told_away = false;

    bool is_away() const { return failures >= kAwayAfter; }
  };

  bool any_other(std::size_t channel) const {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (i != channel && !states_[i].is_away()) return true;
    }
    return false;
  }

  static void tell(State& own, const std::string& name, const std::string& reason) {
    const bool away = own.is_away();
    if (std::exchange(own.told_away, away) == away) return;
    if (away) {
      log::write(log::Level::warning, "a channel of the ledger network does not take transactions",
                 {{"channel", std::string_view(name)}, {"reason", std::string_view(reason)}});
    } else {
      log::write(log::Level::info, "a channel of the ledger network takes transactions again",
                 {{"channel", std::string_view(name)}});
    }
  }

  std::vector<std::string> names_;
  mutable std::mutex mutex_;
  std::vector<State> states_;
};

using Ups = std::vector<std::atomic<bool>>;  // Which channels are followed.

// Follows every channel.
class AllFollowing final : public Following {
 public:
  AllFollowing(const std::vector<Channel>& channels, const std::vector<NetworkPlace>& after,
               std::function<void(std::vector<NetworkEntry>)> take, std::function<void(bool)> up,
               Ups& ups)
      : take_(std::move(take)), up_(std::move(up)), ups_(ups) {
    for (std::size_t i = 0; i < channels.size(); ++i) {
      std::vector<NetworkPlace> own;
      const auto last = std::ranges::find(after, channels[i].name, &NetworkPlace::channel);
      if (last != after.end()) own.push_back(*last);
      following_.push_back(channels[i].network->follow(
          std::move(own),
          [this, &name = channels[i].name](std::vector<NetworkEntry> entries) {
            give(name, std::move(entries));
          },
          [this, i](bool is_up) { tell(i, is_up); }));
    }
  }

 private:
  void give(const std::string& channel, std::vector<NetworkEntry> entries) {
    for (NetworkEntry& one : entries) one.place.channel = channel;
    take_(std::move(entries));
  }

  void tell(std::size_t channel, bool up) {
    const std::lock_guard lock(telling_);
    ups_[channel] = up;
    const bool all = std::ranges::all_of(ups_, [](const auto& one) { return one.load(); });
    if (std::exchange(told_, all) != all) up_(all);
  }

  const std::function<void(std::vector<NetworkEntry>)> take_;
  const std::function<void(bool)> up_;
  std::mutex telling_;
  Ups& ups_;
  std::optional<bool> told_;
  std::vector<std::unique_ptr<Following>> following_;  // Ends first.
};

class Channels final : public RemoteNetwork {
 public:
  explicit Channels(std::vector<Channel> channels)
      : channels_(std::move(channels)), health_(channels_), ups_(channels_.size()) {}

  // From here on no channel is asked any more: each ends its own tries, which must not go on to one
  // that is not there any more.
  ~Channels() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    for (Channel& one : channels_) one.network.reset();
  }

  std::map<std::string, bool> away() const override { return health_.away(); }

  void submit(Attempt attempt, std::function<void(Outcome)> done) override {
    auto walk = std::make_shared<Walk>();
    walk->attempt = std::move(attempt);
    walk->done = std::move(done);
    walk->ways = ways_of(walk->attempt);
    const bool known = std::ranges::find(walk->ways, channels_.size()) == walk->ways.end();
    if (known && go_on(walk)) return;
    const Outcome outcome = known ? ended() : unknown_channel();
    const auto tell = [walk, outcome] { walk->done(outcome); };
    if (!telling_.post({}, tell)) tell();
  }

  void find(const Uuid& id, FindDone done) override {
    const auto all = std::make_shared<Answers<Found>>(
        channels_.size(), std::optional<NetworkEntry>(),
        [done = std::move(done)](std::vector<Found> answers) { done(merged(std::move(answers))); });
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      channels_[i].network->find(id, [all, i, name = channels_[i].name](Found found) {
        if (found && *found) (*found)->place.channel = name;
        all->set(i, std::move(found));
      });
    }
  }

  void history(const Uuid& procedure, std::function<void(Bodies)> done) override {
    const auto all =
        std::make_shared<Answers<Bodies>>(channels_.size(), std::vector<std::string>(),
                                          [done = std::move(done)](std::vector<Bodies> answers) {
                                            done(merged(std::move(answers)));
                                          });
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      channels_[i].network->history(procedure,
                                    [all, i](Bodies bodies) { all->set(i, std::move(bodies)); });
    }
  }

  // Nobody waits for a channel that is not followed. What no channel of this name gives, the
  // default has not got either: its answer says so.
  void envelope(const NetworkPlace& place, std::function<void(Result<std::string>)> done) override {
    const std::size_t found = place_of(place.channel);
    const std::size_t at = found < channels_.size() ? found : 0;
    if (ups_[at]) return channels_[at].network->envelope(place, std::move(done));
    const auto tell = [done = std::move(done)] {
      done(Error{Errc::unavailable, "the channel is not followed"});
    };
    if (!telling_.post({}, tell)) tell();
  }

  std::unique_ptr<Following> follow(std::vector<NetworkPlace> after,
                                    std::function<void(std::vector<NetworkEntry>)> take,
                                    std::function<void(bool up)> up) override {
    return std::make_unique<AllFollowing>(channels_, after, std::move(take), std::move(up), ups_);
  }

 private:
  // One try on its way from channel to channel.
  struct Walk {
    Attempt attempt;
    std::function<void(Outcome)> done;
    std::vector<std::size_t> ways;  // Places of channels.
    std::size_t next = 0;
    Outcome first;  // Of the first channel.
  };

  static Outcome ended() { return {Outcome::Kind::unknown, "network-ends", {}}; }

  // One beyond the last: there is no such channel.
  std::size_t place_of(const std::string& name) const {
    const auto found = std::ranges::find(channels_, name, &Channel::name);
    return static_cast<std::size_t>(found - channels_.begin());
  }

  // Of an attempt of a time with one channel: that which its text names, else the default. The
  // entries of a tombstone's procedure may stand on any.
  std::vector<std::size_t> ways_of(const Attempt& attempt) const {
    std::vector<std::size_t> ways;
    for (const std::string& name : attempt.channels) ways.push_back(place_of(name));
    if (!ways.empty()) return ways;
    const Result<EntryContent> content = parse_entry(attempt.body);
    if (content && std::holds_alternative<Tombstone>(*content)) {
      for (std::size_t i = 0; i < channels_.size(); ++i) ways.push_back(i);
      return ways;
    }
    const std::size_t named =
        content ? place_of(std::get<Transaction>(*content).channel) : channels_.size();
    return {named < channels_.size() ? named : 0};
  }

  // False: all of it ends, and nobody is asked.
  bool go_on(const std::shared_ptr<Walk>& walk) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    const std::size_t way = walk->ways[walk->next];
    Attempt attempt = walk->attempt;
    attempt.channels = {channels_[way].name};
    channels_[way].network->submit(std::move(attempt), [this, walk, way](Outcome outcome) {
      answered(walk, health_.note(way, std::move(outcome)));
    });
    return true;
  }

  void answered(const std::shared_ptr<Walk>& walk, Outcome outcome) {
    const bool committed = outcome.kind == Outcome::Kind::committed;
    if (walk->next == 0) walk->first = outcome;
    if (!committed) return walk->done(std::move(outcome));
    if (++walk->next == walk->ways.size()) return walk->done(std::move(walk->first));
    if (!go_on(walk)) walk->done(ended());
  }

  std::vector<Channel> channels_;
  Health health_;
  Ups ups_;
  std::mutex mutex_;  // Held while a channel is asked: it does not end meanwhile.
  bool stopping_ = false;
  ThreadPool telling_{1, 1U << 16U};
};

}  // namespace

bool answers(const Outcome& outcome) {
  if (decides(outcome)) return true;
  constexpr std::array<std::string_view, 5> kOfOne = {"access-denied", kSignerUnavailable,
                                                      "endorsements-differ", "chaincode-fails",
                                                      "peer-contradicts"};
  return std::ranges::find(kOfOne, outcome.reason) != kOfOne.end();
}

std::unique_ptr<RemoteNetwork> join(std::vector<Channel> channels) {
  if (channels.empty()) std::abort();
  if (channels.size() == 1) return std::move(channels.front().network);
  return std::make_unique<Channels>(std::move(channels));
}

}  // namespace flora::outbox
