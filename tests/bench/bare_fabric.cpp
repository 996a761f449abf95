// The ceiling of a gateway on a Fabric network: the same client in a bare loop, so many
// transactions under way at a time, without HTTP, store, guard or read model.
//
//   bare_fabric <network.json> <transactions> <in flight>
//
// Every transaction is about a procedure of its own. Prints one JSON object: transactions per
// second and the milliseconds from a call to its commit.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/model/transaction.h"
#include "ledger-client/fabric/network.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "bare_fabric: %s\n", what.c_str());
  std::exit(2);
}

flora::fabric::Options options_of(const nlohmann::json& network, std::size_t in_flight) {
  flora::fabric::Options options;
  options.channel = network["channel"];
  options.chaincode = network["chaincode"];
  options.concurrency = std::min<std::size_t>(in_flight, 400);
  for (const nlohmann::json& member : network["organisations"]) {
    options.endpoints.push_back(
        {member["member"], member["peer"], member["tlsCa"], member["tlsServerName"]});
    flora::fabric::Identity identity;
    identity.msp_id = member["mspId"];
    identity.certificate_file = member["client"]["certificate"];
    identity.key_file = member["client"]["key"];
    identity.authorities = network["entitlements"][identity.msp_id];
    options.identities.push_back(std::move(identity));
  }
  return options;
}

class Loop {
 public:
  Loop(flora::outbox::RemoteNetwork& network, std::size_t count)
      : network_(network), ids_(flora::Env::system()), count_(count) {}

  void run(std::size_t in_flight) {
    const Clock::time_point begin = Clock::now();
    for (std::size_t i = 0; i < std::min(in_flight, count_); ++i) next();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return times_.size() == count_; });
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::ranges::sort(times_);
    std::printf("{\"per_second\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
                static_cast<double>(count_) / seconds, times_[count_ / 2],
                times_[count_ * 99 / 100]);
  }

 private:
  void next() {
    flora::outbox::Attempt attempt;
    {
      const std::lock_guard lock(mutex_);
      if (started_ == count_) return;
      ++started_;
      attempt.id = ids_.next();
    }
    flora::Env& env = flora::Env::system();
    flora::Transaction transaction;
    transaction.id = attempt.id;
    transaction.procedure = flora::random_uuid(env);
    transaction.status = "REGISTRIERUNG_ABGESCHLOSSEN";
    transaction.occurred = flora::Day{20'759};
    transaction.recorded_at = flora::Instant{env.now_ms()};
    transaction.authority = attempt.authority = "999902";
    transaction.role = "AE";
    transaction.land = "DE-NI";
    transaction.channel = "default";
    transaction.catalogue = "2026-11";
    env.random(transaction.salt);
    env.random(attempt.nonce);
    attempt.body = flora::to_canonical(transaction);
    const Clock::time_point begin = Clock::now();
    network_.submit(std::move(attempt), [this, begin](const flora::outbox::Outcome& outcome) {
      if (outcome.kind != flora::outbox::Outcome::Kind::committed) fail(outcome.reason);
      {
        const std::lock_guard lock(mutex_);
        times_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
        if (times_.size() == count_) done_.notify_one();
      }
      next();
    });
  }

  flora::outbox::RemoteNetwork& network_;
  std::mutex mutex_;
  std::condition_variable done_;
  flora::UuidSequence ids_;
  const std::size_t count_;
  std::size_t started_ = 0;
  std::vector<double> times_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("the usage stands at the top of tests/bench/bare_fabric.cpp");
  const std::size_t count = std::strtoul(argv[2], nullptr, 10);
  const std::size_t in_flight = std::strtoul(argv[3], nullptr, 10);
  if (count == 0 || in_flight == 0) fail("two numbers are expected");
  std::ifstream file(argv[1]);
  const nlohmann::json description = nlohmann::json::parse(file);
  auto network = flora::fabric::open(options_of(description, in_flight), flora::Env::system());
  if (!network) fail(network.error().message);
  Loop(**network, count).run(in_flight);
  return 0;
}
