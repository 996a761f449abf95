// One call, tried at one endpoint after another until one gives an answer that counts.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ledger-client/fabric/core.h"
#include "ledger-client/fabric/failure.h"
#include "ledger-client/outbox/remote_network.h"

namespace flora::fabric {

/// How a round came out: a response, or the last failure.
template <typename Response>
struct Answer {
  std::optional<Response> response = {};
  Failure failure = {};
  std::optional<std::size_t> endpoint = {};  ///< That answered last.
};

/// `done` is called once, on a thread of the reactor.
template <typename Request, typename Response>
class Round final : public Step {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>>;
  using Method = Reader (gateway::Gateway::Stub::*)(grpc::ClientContext*, const Request&,
                                                    grpc::CompletionQueue*);
  using Done = std::function<void(Answer<Response>)>;

  struct Terms {
    Method method;
    std::chrono::milliseconds deadline;     ///< Of each try.
    std::optional<std::size_t> first = {};  ///< The endpoint to begin with.
    bool waits_for_commit = false;          ///< Then to be late is no fault of the endpoint.
    std::function<bool(const Response&)> is_right = {};  ///< Left out: every response is. A wrong
                                                         ///< one is `peer-contradicts`.
    outbox::TimeLeft time_left = {};  ///< Asked before each try, if given: its deadline at most.
  };

  static void start(Core& core, Terms terms, Request request, Done done) {
    const std::shared_ptr<Round> round(
        new Round(core, std::move(terms), std::move(request), std::move(done)));
    round->self_ = round;
    round->next();
  }

  void done() override {
    core_.under_way.remove(*context_);
    const std::size_t endpoint = *answer_.endpoint;
    if (status_.ok()) {
      core_.endpoints.answered(endpoint);
      if (!terms_.is_right || terms_.is_right(response_)) {
        answer_.response = std::move(response_);
        return finish();
      }
      answer_.failure = {Failure::Kind::other, "peer-contradicts"};
    } else {
      answer_.failure = failure_of(status_);
      note(endpoint);
    }
    is_final() ? finish() : next();
  }

 private:
  Round(Core& core, Terms terms, Request request, Done done)
      : core_(core),
        terms_(std::move(terms)),
        request_(std::move(request)),
        done_(std::move(done)),
        tried_(core.endpoints.size(), false) {}

  void note(std::size_t endpoint) {
    const Failure::Kind kind = answer_.failure.kind;
    if (kind == Failure::Kind::endpoint ||
        (kind == Failure::Kind::late && !terms_.waits_for_commit && !is_cut_)) {
      core_.endpoints.failed(endpoint);
    } else if (kind != Failure::Kind::late && status_.error_code() != grpc::CANCELLED) {
      core_.endpoints.answered(endpoint);
    }
  }

  bool is_final() const {
    const Failure::Kind kind = answer_.failure.kind;
    return kind == Failure::Kind::refused || kind == Failure::Kind::duplicate ||
           kind == Failure::Kind::absent || status_.error_code() == grpc::CANCELLED;
  }

  void next() {
    const std::optional<std::size_t> endpoint =
        terms_.first ? std::exchange(terms_.first, std::nullopt) : core_.endpoints.pick(tried_);
    if (!endpoint) return finish();
    std::chrono::nanoseconds deadline = terms_.deadline;
    if (terms_.time_left) deadline = std::min(deadline, terms_.time_left());
    is_cut_ = deadline < terms_.deadline;
    if (deadline.count() <= 0) {
      answer_.failure = {Failure::Kind::other, std::string(outbox::kTurnOver)};
      return finish();
    }
    tried_[*endpoint] = true;
    answer_.endpoint = endpoint;
    reader_.reset();  // It lies in the memory of the context's call.
    context_.emplace();
    context_->set_deadline(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(deadline));
    response_ = {};
    core_.under_way.add(*context_);
    gateway::Gateway::Stub& stub = *core_.stubs[*endpoint];
    reader_ = (stub.*terms_.method)(&*context_, request_, &core_.reactor.queue());
    reader_->Finish(&response_, &status_, static_cast<Step*>(this));
  }

  void finish() {
    const std::shared_ptr<Round> last = std::move(self_);
    done_(std::move(answer_));
  }

  Core& core_;
  Terms terms_;
  const Request request_;
  Done done_;
  std::vector<bool> tried_;
  bool is_cut_ = false;  // The try has less time than its stage: to be late says nothing then.
  std::shared_ptr<Round> self_;  // While it is under way.
  std::optional<grpc::ClientContext> context_;
  Reader reader_;
  grpc::Status status_;
  Response response_;
  Answer<Response> answer_;
};

}  // namespace flora::fabric
