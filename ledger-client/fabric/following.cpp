#include "ledger-client/fabric/following.h"

#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <thread>
#include <utility>

#include "gateway/base/log.h"
#include "ledger-client/fabric/failure.h"
#include "ledger-client/fabric/proposal.h"

namespace flora::fabric {
namespace {

using outbox::NetworkEntry;
using outbox::NetworkPlace;

class Events final : public outbox::Following {
 public:
  Events(std::shared_ptr<Core> core, std::optional<NetworkPlace> after,
         std::function<void(std::vector<NetworkEntry>)> take, std::function<void(bool)> up)
      : core_(std::move(core)),
        take_(std::move(take)),
        up_(std::move(up)),
        after_(std::move(after)),
        thread_([this] { run(); }) {}

  ~Events() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    under_way_.break_off();
    wake_.notify_all();
    thread_.join();
  }

 private:
  // Each endpoint once, the one whose stream has just ended last; then a pause.
  void run() {
    const std::vector<bool> none(core_->endpoints.size(), false);
    std::chrono::milliseconds pause = core_->options.first_pause;
    for (std::vector<bool> tried = none; !is_stopping();) {
      const std::optional<std::size_t> endpoint = core_->endpoints.pick(tried);
      if (!endpoint) {
        rest(pause);
        pause = longer(pause);
        tried = none;
        continue;
      }
      tried[*endpoint] = true;
      if (serves(*endpoint)) {
        tell(true);
        if (read(*endpoint)) {
          pause = core_->options.first_pause;
          tried = none;
          tried[*endpoint] = true;
        }
      }
      tell(false);
    }
  }

  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return is_stopping_;
  }

  void rest(std::chrono::milliseconds pause) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause, [this] { return is_stopping_; });
  }

  std::chrono::milliseconds longer(std::chrono::milliseconds pause) const {
    return std::min(2 * pause, core_->options.longest_pause);
  }

  void tell(bool is_up) {
    if (is_up_ == is_up) return;
    is_up_ = is_up;
    up_(is_up);
  }

  Result<std::string> sign(std::string message) {
    std::promise<Result<std::string>> signature;
    core_->reader().signer->sign(std::move(message), [&signature](Result<std::string> made) {
      signature.set_value(std::move(made));
    });
    return signature.get_future().get();
  }

  // A stream says nothing before there is an event: whether the peer knows the channel and admits
  // the reader is asked before, of a chaincode that each peer has.
  bool serves(std::size_t endpoint) {
    const std::string& channel = core_->options.channel;
    outbox::Nonce nonce;
    core_->env.random(nonce);
    const Proposal proposal = make_proposal({channel, "qscc", {"GetChainInfo", channel}},
                                            core_->reader().creator, nonce, core_->env.now_ms());
    const Result<std::string> signature = sign(proposal.bytes);
    if (!signature) return false;
    gateway::EvaluateRequest request;
    request.set_transaction_id(proposal.transaction);
    request.set_channel_id(channel);
    request.mutable_proposed_transaction()->set_proposal_bytes(proposal.bytes);
    request.mutable_proposed_transaction()->set_signature(*signature);
    gateway::EvaluateResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + core_->options.deadlines.evaluate);
    under_way_.add(context);
    const grpc::Status status = core_->stubs[endpoint]->Evaluate(&context, request, &response);
    under_way_.remove(context);
    note(endpoint, status);
    return status.ok();
  }

  void note(std::size_t endpoint, const grpc::Status& status) {
    if (status.error_code() == grpc::CANCELLED) return;
    if (status.ok()) {
      core_->endpoints.answered(endpoint);
    } else {
      core_->endpoints.failed(endpoint);
    }
  }

  std::string request_bytes() const {
    gateway::ChaincodeEventsRequest request;
    request.set_channel_id(core_->options.channel);
    request.set_chaincode_id(core_->options.chaincode);
    request.set_identity(core_->reader().creator);
    request.mutable_start_position()->mutable_specified()->set_number(after_ ? after_->block : 0);
    return request.SerializeAsString();
  }

  // Reads until the stream ends. True if entries came.
  bool read(std::size_t endpoint) {
    gateway::SignedRequest request;
    request.set_request(request_bytes());
    const Result<std::string> signature = sign(request.request());
    if (!signature) return false;
    request.set_signature(*signature);
    grpc::ClientContext context;
    under_way_.add(context);
    const auto reader = core_->stubs[endpoint]->ChaincodeEvents(&context, request);
    skips_ = after_.has_value();
    bool went_on = false;
    gateway::ChaincodeEventsResponse response;
    while (reader->Read(&response)) {
      std::optional<std::vector<NetworkEntry>> entries = take_in(response, endpoint);
      if (!entries) {
        log::write(log::Level::error, "the ledger network contradicts what was followed before",
                   {{"endpoint", std::string_view(core_->options.endpoints[endpoint].name)}});
        context.TryCancel();
        break;
      }
      if (entries->empty()) continue;
      after_ = entries->back().place;
      went_on = true;
      take_(std::move(*entries));
    }
    const grpc::Status status = reader->Finish();
    under_way_.remove(context);
    core_->endpoints.failed(endpoint);
    return went_on;
  }

  // The new entries of one block. The stream begins anew with the block of the last one, which is
  // passed over up to that one: nothing, if it does not stand where it did.
  std::optional<std::vector<NetworkEntry>> take_in(const gateway::ChaincodeEventsResponse& response,
                                                   std::size_t endpoint) {
    const std::uint64_t block = response.block_number();
    if (after_ && (block < after_->block || (skips_ && block != after_->block))) {
      return std::nullopt;
    }
    std::vector<NetworkEntry> entries;
    for (const gateway::ChaincodeEvent& one : response.events()) {
      if (one.chaincode_id() != core_->options.chaincode || one.event_name() != kRecorded) continue;
      if (!skips_) {
        entries.push_back({{block, one.tx_id(), core_->options.channel},
                           one.payload(),
                           core_->options.endpoints[endpoint].name});
      } else if (one.tx_id() == after_->transaction) {
        skips_ = false;
      }
    }
    if (skips_) return std::nullopt;
    return entries;
  }

  const std::shared_ptr<Core> core_;
  const std::function<void(std::vector<NetworkEntry>)> take_;
  const std::function<void(bool)> up_;
  UnderWay under_way_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  // Of the thread alone.
  std::optional<NetworkPlace> after_;
  std::optional<bool> is_up_;
  bool skips_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<outbox::Following> follow_events(
    std::shared_ptr<Core> core, std::optional<NetworkPlace> after,
    std::function<void(std::vector<NetworkEntry>)> take, std::function<void(bool)> up) {
  return std::make_unique<Events>(std::move(core), std::move(after), std::move(take),
                                  std::move(up));
}

}  // namespace flora::fabric
