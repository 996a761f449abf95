#include "ledger-client/fabric/network.h"

#include <algorithm>
#include <utility>

#include "gateway/base/json.h"
#include "ledger-client/fabric/core.h"
#include "ledger-client/fabric/following.h"
#include "ledger-client/fabric/requests.h"
#include "ledger-client/fabric/submission.h"
#include "ledger-client/fabric/transaction.h"

namespace flora::fabric {
namespace {

using outbox::NetworkEntry;
using outbox::NetworkPlace;
using outbox::Outcome;

const std::string kTooMany(outbox::kTooManyCalls);
constexpr std::size_t kMostHistory = std::size_t{32} << 20;

Error corrupt(std::string_view what) { return {Errc::corrupt, std::string(what)}; }

Result<std::vector<std::string>> parse_history(std::string_view payload) {
  const Error none = corrupt("the chaincode's answer is no history");
  json::Document document;
  if (!document.parse(payload, {.bytes = kMostHistory})) return none;
  if (!document.root().is(json::Kind::array)) return none;
  std::vector<std::string> bodies;
  for (json::Value one = document.root().first(); one.valid(); one = one.next()) {
    if (!one.is(json::Kind::object)) return none;
    bodies.emplace_back(one.raw());
  }
  return bodies;
}

// What qscc's GetTransactionByID has answered.
Result<std::string> parse_processed(std::string_view payload, const std::string& channel,
                                    const std::string& transaction) {
  gateway::ProcessedTransaction processed;
  gateway::Envelope envelope;
  if (!processed.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      !envelope.ParseFromString(processed.transaction_envelope())) {
    return corrupt("the peer's answer is no transaction");
  }
  if (processed.validation_code() != 0) {
    return Error{Errc::not_found, "the transaction is not valid"};
  }
  const auto parsed = parse_transaction(envelope.payload());
  if (!parsed || parsed->transaction != transaction || parsed->channel != channel) {
    return corrupt("the peer's answer is another transaction");
  }
  return processed.transaction_envelope();
}

class Network final : public outbox::RemoteNetwork {
 public:
  explicit Network(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  ~Network() override {
    core_->under_way.break_off();
    core_->turns->let_go(core_.get());
    core_->in_flight.wait();
  }

  void submit(outbox::Attempt attempt, std::function<void(Outcome)> done) override {
    if (!attempt.channels.empty() && attempt.channels != std::vector{core_->options.channel}) {
      const auto ticket = core_->in_flight.ticket();
      core_->reactor.post([ticket, done = std::move(done)] { done(outbox::unknown_channel()); });
      return;
    }
    run(std::move(done), Outcome{Outcome::Kind::unavailable, kTooMany, {}},
        [this, attempt = std::move(attempt)](auto ended) mutable {
          Submission::start(*core_, std::move(attempt), std::move(ended));
        });
  }

  void find(const Uuid& id, FindDone done) override {
    run(std::move(done), Result<std::optional<NetworkEntry>>(Error{Errc::unavailable, kTooMany}),
        [this, id](auto ended) { find_now(id, std::move(ended)); });
  }

  void history(const Uuid& procedure,
               std::function<void(Result<std::vector<std::string>>)> done) override {
    read(std::move(done), {core_->options.chaincode, {std::string(kHistory), to_string(procedure)}},
         [](std::string_view payload) { return parse_history(payload); });
  }

  void envelope(const NetworkPlace& place, std::function<void(Result<std::string>)> done) override {
    const std::string& channel = core_->options.channel;
    read(std::move(done), {"qscc", {"GetTransactionByID", channel, place.transaction}},
         [channel, transaction = place.transaction](std::string_view payload) {
           return parse_processed(payload, channel, transaction);
         });
  }

  std::unique_ptr<outbox::Following> follow(std::vector<NetworkPlace> after,
                                            std::function<void(std::vector<NetworkEntry>)> take,
                                            std::function<void(bool)> up) override {
    const auto last = std::ranges::find(after, core_->options.channel, &NetworkPlace::channel);
    return follow_events(core_, last == after.end() ? std::nullopt : std::optional(*last),
                         std::move(take), std::move(up));
  }

 private:
  struct Question {
    std::string chaincode;
    std::vector<std::string> arguments;
  };

  // Runs `start` on the reactor when it is its turn. What it is given takes the value for `done`,
  // and holds the turn until then.
  template <typename Value, typename Start>
  void run(std::function<void(Value)> done, Value too_many, Start start) {
    const auto ticket = core_->in_flight.ticket();
    auto shared = std::make_shared<std::function<void(Value)>>(std::move(done));
    const bool taken = core_->turns->take(
        [this, ticket, shared, start = std::move(start)](Turns::Turn turn) mutable {
          core_->reactor.post(
              [ticket, shared, turn = std::move(turn), start = std::move(start)]() mutable {
                start(std::function<void(Value)>(
                    [ticket, shared, turn = std::move(turn)](Value value) mutable {
                      turn.reset();
                      (*shared)(std::move(value));
                    }));
              });
        },
        core_.get());
    if (taken) return;
    core_->reactor.post([ticket, shared, too_many = std::move(too_many)]() mutable {
      (*shared)(std::move(too_many));
    });
  }

  // One evaluation, whose payload `parse` makes the value of.
  template <typename Value, typename Parse>
  void read(std::function<void(Result<Value>)> done, Question question, Parse parse) {
    run(std::move(done), Result<Value>(Error{Errc::unavailable, kTooMany}),
        [this, question = std::move(question), parse = std::move(parse)](auto ended) {
          const Call call = {core_->options.channel, question.chaincode, question.arguments};
          evaluate(*core_, call,
                   [parse, ended = std::move(ended)](Answer<std::string> answer) mutable {
                     if (answer.response) return ended(parse(*answer.response));
                     const bool is_absent = answer.failure.kind == Failure::Kind::absent;
                     ended(Error{is_absent ? Errc::not_found : Errc::unavailable,
                                 std::move(answer.failure.reason)});
                   });
        });
  }

  void find_now(const Uuid& id, std::function<void(Result<std::optional<NetworkEntry>>)> ended) {
    get(*core_, id, [this, ended = std::move(ended)](Result<std::optional<Found>> found) mutable {
      if (!found) return ended(std::move(found).error());
      if (!*found) return ended(std::optional<NetworkEntry>());
      locate(std::move(**found), std::move(ended));
    });
  }

  // The chaincode does not know in which block it is executed; the peer does.
  void locate(Found found, std::function<void(Result<std::optional<NetworkEntry>>)> ended) {
    const std::string transaction = found.transaction;
    ask_status(*core_, core_->reader(), transaction, std::nullopt,
               [channel = core_->options.channel, found = std::move(found),
                ended = std::move(ended)](auto answer) mutable {
                 if (!answer.response) {
                   return ended(Error{Errc::unavailable, std::move(answer.failure.reason)});
                 }
                 if (answer.response->result() != 0) {
                   return ended(corrupt("an entry is of a transaction that is not valid"));
                 }
                 ended(std::optional<NetworkEntry>(
                     {{answer.response->block_number(), std::move(found.transaction), channel},
                      std::move(found.body)}));
               });
  }

  const std::shared_ptr<Core> core_;
};

}  // namespace

Result<std::unique_ptr<outbox::RemoteNetwork>> open(Options options, Env& env) {
  FLORA_ASSIGN(const Shared shared, open_shared(options, env));
  FLORA_ASSIGN(std::shared_ptr<Core> core, open_core(std::move(options), env, shared));
  return std::unique_ptr<outbox::RemoteNetwork>(std::make_unique<Network>(std::move(core)));
}

Result<std::vector<outbox::Channel>> open_channels(const Options& options,
                                                   const std::vector<std::string>& channels,
                                                   Env& env) {
  FLORA_ASSIGN(const Shared shared, open_shared(options, env));
  std::vector<outbox::Channel> opened;
  for (const std::string& channel : channels) {
    Options one = options;
    one.channel = channel;
    FLORA_ASSIGN(std::shared_ptr<Core> core, open_core(std::move(one), env, shared));
    opened.push_back({channel, std::make_unique<Network>(std::move(core))});
  }
  return opened;
}

}  // namespace flora::fabric
