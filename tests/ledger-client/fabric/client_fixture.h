// A client of scripted peers or of a real network, whose answers a test waits for.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "ledger-client/fabric/network.h"

namespace flora::test {

/// Runs `call` with a callback and waits for what it is given, a minute at most.
template <typename Value, typename Call>
Value answer_of(Call call) {
  const auto promise = std::make_shared<std::promise<Value>>();
  std::future<Value> future = promise->get_future();
  call([promise](Value value) { promise->set_value(std::move(value)); });
  REQUIRE(future.wait_for(std::chrono::minutes(1)) == std::future_status::ready);
  return future.get();
}

inline outbox::Outcome submit(outbox::RemoteNetwork& network, outbox::Attempt attempt) {
  return answer_of<outbox::Outcome>(
      [&](auto done) { network.submit(std::move(attempt), std::move(done)); });
}

inline Result<std::optional<outbox::NetworkEntry>> find(outbox::RemoteNetwork& network,
                                                        const Uuid& id) {
  return answer_of<Result<std::optional<outbox::NetworkEntry>>>(
      [&](auto done) { network.find(id, std::move(done)); });
}

inline Result<std::vector<std::string>> history(outbox::RemoteNetwork& network,
                                                const Uuid& procedure) {
  return answer_of<Result<std::vector<std::string>>>(
      [&](auto done) { network.history(procedure, std::move(done)); });
}

inline Result<std::string> envelope(outbox::RemoteNetwork& network,
                                    const std::string& transaction) {
  return answer_of<Result<std::string>>([&](auto done) {
    network.envelope({0, transaction}, std::move(done));
  });
}

inline outbox::Nonce random_nonce(Env& env) {
  outbox::Nonce nonce;
  env.random(nonce);
  return nonce;
}

}  // namespace flora::test
